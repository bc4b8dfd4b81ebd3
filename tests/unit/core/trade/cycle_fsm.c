#include "core/trade/cycle_fsm.h"
#include "tests/unit/core/trade/fsm_check.h"

static const char *const rows[] = {
	"pending: validate>validating, doubt>recovering, fail>failed",
	"validating: activate>active, doubt>recovering, fail>failed",
	"active: partial>partially_filled, doubt>recovering, unwind>panic_selling, complete>completed, fail>failed",
	"partially_filled: partial>partially_filled, doubt>recovering, unwind>panic_selling, complete>completed, fail>failed",
	"completed:",
	"failed:",
	"recovering: partial>recovering, doubt>recovering, resume>partially_filled, unwind>panic_selling, "
	"complete>completed, fail>failed",
	"panic_selling: partial>panic_selling, doubt>recovering, unwind>panic_selling, fail>failed",
	NULL,
};

int main(void)
{
	fsm_compare(&cycle_fsm, rows, " completed failed ");
	is_str(cycle_state_name(CYCLE_PANIC_SELLING), "panic_selling", "a name");
	return tap_done();
}
