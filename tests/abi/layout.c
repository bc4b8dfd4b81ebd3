/* The ABI's freeze: layout.def says where every public field lies, the compiler says whether that is so. A build that
 * fails here has changed the contract with every plugin there is. Reported again as TAP, a line a struct. */
#include <stddef.h>

#include <trigate/abi.h>
#include <trigate/amount.h>
#include <trigate/exchange.h>
#include <trigate/net.h>
#include <trigate/router.h>
#include <trigate/storage.h>

#include <tap.h>

_Static_assert(TG_ABI_MAJOR == 0 && TG_ABI_MINOR == 1, "layout.def is that of ABI 0.1");

#define STRUCT(name, bytes) _Static_assert(sizeof(struct name) == (bytes), "size of struct " #name);
#define FIELD(of, name, at) _Static_assert(offsetof(struct of, name) == (at), "offset of " #of "." #name);
#include "layout.def"
#undef STRUCT
#undef FIELD

static const struct {
	const char *of;
	const char *field; /* NULL: the size of the struct */
	size_t want;
	size_t got;
} rows[] = {
#define STRUCT(name, bytes) {#name, NULL, (bytes), sizeof(struct name)},
#define FIELD(of, name, at) {#of, #name, (at), offsetof(struct of, name)},
#include "layout.def"
};

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_int(rows[i].got, rows[i].want, "%s of %s%s%s", rows[i].field ? "offset" : "size", rows[i].of,
		       rows[i].field ? "." : "", rows[i].field ? rows[i].field : "");
	is_int(TG_MAGIC, 0x31475454, "the magic");
	is_int(TG_KIND_EXCHANGE * 100 + TG_KIND_STORAGE * 10 + TG_KIND_ROUTER, 123, "the kinds");
	is_int(TG_ERR_CONFIG, -19, "the last status code");
	return tap_done();
}
