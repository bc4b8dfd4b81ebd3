/* Values of the Python system's files as the figures and texts of our rows. */
#include <string.h>

#include "storage/sqlite/import.h"
#include "storage/sqlite/import_number.h"

#define SHOWN_MAX 64 /* bytes of a value in a message */

static int shown(struct tg_str text)
{
	return text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len;
}

struct tg_str import_text(const struct old_value *value)
{
	return value->kind == OLD_NONE ? (struct tg_str){"", 0} : value->text;
}

bool import_is(const struct old_value *value, const char *text)
{
	return value->kind != OLD_NONE && value->text.len == strlen(text) &&
	       memcmp(value->text.ptr, text, value->text.len) == 0;
}

struct old_value import_column(struct import *import, sqlite3_stmt *statement, int at)
{
	char text[NUMBER_TEXT_MAX];
	int type = sqlite3_column_type(statement, at);

	if (type == SQLITE_NULL)
		return (struct old_value){OLD_NONE, {"", 0}};
	if (type == SQLITE_FLOAT) {
		size_t length = number_shortest(sqlite3_column_double(statement, at), text);
		return (struct old_value){OLD_NUMBER, pool_copy(&import->pool, (struct tg_str){text, length})};
	}
	const char *bytes = (const char *)sqlite3_column_text(statement, at);
	struct tg_str raw = {bytes ? bytes : "", bytes ? (uint64_t)sqlite3_column_bytes(statement, at) : 0};
	enum old_kind kind = type == SQLITE_INTEGER ? OLD_NUMBER : type == SQLITE_TEXT ? OLD_TEXT : OLD_OTHER;
	return (struct old_value){kind, pool_clean(&import->pool, raw)};
}

/* True: the figure counts. What the text said is told if anything is lost. */
static bool fit_tell(struct import *import, const struct import_place *place, const char *name, enum number_fit fit,
		     struct tg_str text, const char *kept)
{
	if (fit == NUMBER_CUT)
		import_cut(import, place, "%s is %.*s, cut to %s", name, shown(text), text.ptr, kept);
	else if (fit == NUMBER_TOO_LARGE)
		import_odd(import, place, "%s is %.*s, beyond what can be kept; 0 is taken", name, shown(text),
			   text.ptr);
	else if (fit == NUMBER_NOT_ONE)
		import_odd(import, place, "%s is '%.*s', which is no number; 0 is taken", name, shown(text), text.ptr);
	return fit <= NUMBER_CUT;
}

static bool is_there(struct import *import, const struct import_place *place, const char *name, bool needed,
		     const struct old_value *value)
{
	if (value->kind == OLD_NONE && needed)
		import_odd(import, place, "%s is missing; 0 is taken", name);
	return value->kind != OLD_NONE;
}

tg_amount import_amount(struct import *import, const struct import_place *place, const char *name, bool needed,
			const struct old_value *value)
{
	char kept[TG_AMOUNT_TEXT_MAX];
	tg_amount amount = 0;

	if (!is_there(import, place, name, needed, value))
		return 0;
	enum number_fit fit = number_amount(value->text, &amount);
	tg_amount_format(amount, kept, sizeof kept);
	return fit_tell(import, place, name, fit, value->text, kept) ? amount : 0;
}

struct tg_decimal import_decimal(struct import *import, const struct import_place *place, const char *name, bool needed,
				 const struct old_value *value)
{
	char kept[TG_DECIMAL_TEXT_MAX];
	struct tg_decimal decimal = {0};

	if (!is_there(import, place, name, needed, value))
		return decimal;
	enum number_fit fit = number_decimal(value->text, &decimal);
	tg_decimal_format(decimal, kept, sizeof kept);
	return fit_tell(import, place, name, fit, value->text, kept) ? decimal : (struct tg_decimal){0};
}

int64_t import_time(struct import *import, const struct import_place *place, const char *name, bool needed,
		    const struct old_value *value)
{
	int64_t ns = 0;

	if (!is_there(import, place, name, needed, value))
		return 0;
	enum number_fit fit = number_time(value->text, &ns);
	if (fit == NUMBER_EXACT && ns < 0) {
		import_odd(import, place, "%s is %.*s, before 1970; 0 is taken", name, shown(value->text),
			   value->text.ptr);
		return 0;
	}
	return fit_tell(import, place, name, fit, value->text, "") ? ns : 0;
}

uint32_t import_count(struct import *import, const struct import_place *place, const char *name,
		      const struct old_value *value)
{
	int64_t number = 0;
	struct tg_decimal decimal = {0};

	if (value->kind == OLD_NONE)
		return 0;
	if (number_decimal(value->text, &decimal) == NUMBER_EXACT && tg_decimal_rescale(decimal, 0, &number) == TG_OK &&
	    number >= 0 && number <= UINT32_MAX)
		return (uint32_t)number;
	import_odd(import, place, "%s is '%.*s', which is no count; 0 is taken", name, shown(value->text),
		   value->text.ptr);
	return 0;
}
