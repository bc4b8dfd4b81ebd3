/* trigate: an exchange gateway that finds and executes arbitrage cycles. What it can do: core/cli/commands.c. */
#include "core/cli/cli.h"
#include "core/cli/out.h"

int main(int argc, char **argv)
{
	out_start();
	return out_finish(cli_main(argc, argv));
}
