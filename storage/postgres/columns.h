/* Rows as columns: each an array in PostgreSQL's binary form, so that one statement takes any number of rows
 * (INSERT … SELECT FROM unnest). The memory is kept from batch to batch. Owner: one instance of the plugin. */
#ifndef TRIGATE_STORAGE_POSTGRES_COLUMNS_H
#define TRIGATE_STORAGE_POSTGRES_COLUMNS_H

#include <stddef.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/postgres/session.h"

struct column {
	uint8_t *bytes;
	size_t length;
	size_t capacity;
};

/* The first failure is kept; what is put after it is dropped. */
struct columns {
	struct column column[VALUES_MAX];
	int used;      /* columns that have begun */
	int at;        /* the column that the next value of this row goes to */
	uint32_t rows; /* begun */
	int32_t status;
	struct tg_error *error;
};

void columns_begin(struct columns *columns, struct tg_error *ret_error);
void columns_free(struct columns *columns);

void columns_row(struct columns *columns);
void put_text(struct columns *columns, struct tg_str text);         /* text; TG_ERR_INVALID with a NUL */
void put_reference(struct columns *columns, struct tg_str text);    /* text; NULL where it is empty */
void put_number(struct columns *columns, int64_t number);           /* bigint */
void put_decimal(struct columns *columns, struct tg_decimal value); /* numeric; TG_ERR_INVALID, TG_ERR_OVERFLOW */
void put_money(struct columns *columns, struct tg_money money);     /* numeric; TG_ERR_OVERFLOW */

/* As parameters of a statement. Returns the failure that was kept. */
int32_t columns_values(struct columns *columns, struct values *ret_values);

#endif
