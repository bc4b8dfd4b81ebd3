/* The subset of JSON Schema that a manifest's "config" may use (DESIGN.md, ABI rules, 10). A schema that passes
 * schema_check can be walked without further doubt. [control] */
#ifndef TRIGATE_PLUGINS_SCHEMA_H
#define TRIGATE_PLUGINS_SCHEMA_H

#include <json-c/json.h>
#include <stddef.h>

#include <trigate/error.h>

#define SCHEMA_DEPTH_MAX 16 /* objects within objects; people cannot follow more either */

enum schema_type {
	SCHEMA_OBJECT = 1,
	SCHEMA_ARRAY = 2,
	SCHEMA_STRING = 4,
	SCHEMA_INTEGER = 8,
	SCHEMA_NUMBER = 16,
	SCHEMA_BOOLEAN = 32,
};

/* A place inside settings or a schema: "balances/USDT". Cut, never overrun, when too long. */
struct place {
	char text[256];
	size_t len;
};
/* Go down to a key; returns what to give to place_leave to come back up. */
size_t place_enter(struct place *place, const char *key);
void place_leave(struct place *place, size_t before);

/* Is this a schema that we understand wholly, and does every default in it hold? */
int schema_check(struct json_object *schema, struct tg_error *ret_error);

/* The type that a (checked) schema names, and the names of types for people: "an object", "a text". */
enum schema_type schema_type_of(struct json_object *schema);
const char *schema_type_text(enum schema_type type);

/* Check a value against a checked schema. ret_value: a copy with defaults filled in, the caller's. On failure `place`
 * is where it was found and ret_error what is wrong and what is allowed; a value whose schema is x-secret is not shown.
 */
int schema_apply(struct json_object *schema, struct json_object *value, struct place *place,
		 struct json_object **ret_value, struct tg_error *ret_error);

#endif
