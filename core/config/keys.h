/* The keys of both files: one table each. Checking, defaults, `trigate check --keys` and docs/config.md all read them.
 * Owner: nobody, constant. [any]
 *
 * A row says what a key is called, what it may hold, what it is when missing and where its value goes. To add a key,
 * add a row; to make one work, take KEY_LATER off it and give it a place. */
#ifndef TRIGATE_CORE_CONFIG_KEYS_H
#define TRIGATE_CORE_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_type {
	KEY_MAP,      /* a group of keys */
	KEY_TEXT,     /* char * */
	KEY_CHOICE,   /* char *, one of choices */
	KEY_BOOL,     /* bool */
	KEY_NUMBER,   /* int64_t, value * 10^places */
	KEY_AMOUNT,   /* tg_amount */
	KEY_LIST,     /* struct string_list */
	KEY_AMOUNTS,  /* a mapping of currencies to amounts; checked, not kept */
	KEY_MOMENT,   /* a date, a date and time, or seconds since 1970; checked, not kept */
	KEY_SETTINGS, /* struct plugin_choice: any mapping, to its settings and origin */
	KEY_ENTRIES,  /* a mapping of names to groups "PATH.*", to an array of structs and its count */
};

enum key_flag {
	KEY_REQUIRED = 1,
	KEY_LATER = 2, /* known and checked, without effect yet: a warning */
};

/* How the struct of a named entry begins. */
struct key_entry {
	char *name;
	const void *origin; /* its node */
};

/* What a text must be besides not empty: NULL if it is, else what is wrong and what is allowed. */
typedef const char *(*key_text_rule)(const char *text);

struct key {
	const char *path;
	enum key_type type;
	unsigned flags;
	size_t offset;       /* of the value in its struct; of no meaning for groups and keys that work later */
	size_t count_offset; /* KEY_ENTRIES: of the count */
	size_t entry_size;   /* KEY_ENTRIES: of one entry's struct, which begins as struct key_entry */
	int places;          /* KEY_NUMBER: decimal places it may have */
	const char *unit;    /* for people; NULL: none */
	const char *low;     /* least and greatest number; NULL: unbounded */
	const char *high;
	const char *choices;   /* "live|paper": KEY_CHOICE */
	const char *refused;   /* further choices that are known and cannot be honoured yet: an error */
	key_text_rule rule;    /* KEY_TEXT, each item of KEY_LIST, each currency of KEY_AMOUNTS */
	const char *otherwise; /* default, as it would stand in the file; lists "A, B"; NULL: none */
	const char *about;     /* one line */
};

/* Two keys of which one must not be greater than the other. */
struct key_order {
	const char *less;
	const char *more;
	bool equal; /* may be equal */
};

struct key_table {
	const char *what; /* "gateway", "strategy" */
	const struct key *key;
	size_t count;
	const struct key_order *order;
	size_t order_count;
};

extern const struct key_table gateway_keys;
extern const struct key_table strategy_keys;

/* The key at a path, NULL if there is none. Names in a KEY_ENTRIES stand as "*". */
const struct key *key_find(const struct key_table *table, const char *path);

/* The last part of a key's path if the key stands directly under `group` ("" is the file itself), else NULL. */
const char *key_leaf(const struct key *key, const char *group);

/* The word for a type: "a number", "true or false". */
const char *key_type_text(enum key_type type);

#endif
