#include "core/base/pool.h"
#include "tests/tap.h"

#include <stdint.h>
#include <stdlib.h>

#include <trigate/abi.h>

struct item {
	uint32_t value[7];
};

static bool is_zero(const struct item *item)
{
	static const struct item zero;
	return memcmp(item, &zero, sizeof zero) == 0;
}

static void test_fixed(void)
{
	struct pool pool;
	struct item *item[5];
	is_int(pool_init(&pool, sizeof(struct item), 4, false), TG_OK, "four items");
	bool sound = true;
	for (int i = 0; i < 4; i++) {
		item[i] = pool_take(&pool);
		sound = sound && item[i] && is_zero(item[i]) && (uintptr_t)item[i] % _Alignof(max_align_t) == 0;
		if (item[i])
			memset(item[i], 0xff, sizeof *item[i]);
	}
	ok(sound, "are zeroed and aligned");
	ok(item[0] + 1 <= item[1] && item[1] + 1 <= item[2] && item[2] + 1 <= item[3],
	   "lie apart, in the order of memory");
	ok(!pool_take(&pool) && pool.free_count == 0, "there is no fifth");
	pool_give(&pool, item[2]);
	is_int(pool.free_count, 1, "one is given back");
	item[4] = pool_take(&pool);
	ok(item[4] == item[2] && is_zero(item[4]), "and taken again, zeroed");
	pool_clear(&pool);
	ok(!pool_take(&pool), "a cleared pool has nothing");
	pool_clear(&pool);
}

static void test_growing(void)
{
	struct pool pool;
	uint32_t wrong = 0;
	struct item *item[100];
	pool_init(&pool, sizeof(struct item), 8, true);
	for (uint32_t i = 0; i < 100; i++) {
		item[i] = pool_take(&pool);
		item[i]->value[0] = item[i]->value[6] = i;
	}
	for (uint32_t i = 0; i < 100; i++)
		wrong += item[i]->value[0] != i || item[i]->value[6] != i;
	is_int(wrong, 0, "100 items of a pool that began with 8 keep what is theirs");
	is_int(pool_reserve(&pool, 50), TG_OK, "room for 50 more");
	ok(pool.free_count >= 50, "is there");
	pool_clear(&pool);
}

/* More room while part of it was never used: nothing is lost, nothing given out twice. */
static void test_reserve_before_use(void)
{
	struct pool pool;
	struct item *item[12];
	uint32_t wrong = 0;
	pool_init(&pool, sizeof(struct item), 4, true);
	item[0] = pool_take(&pool);
	is_int(pool_reserve(&pool, 10), TG_OK, "room for ten where three are left");
	is_int(pool.free_count, 11, "is made by two chunks more");
	for (uint32_t i = 0; i < 12; i++) {
		if (i > 0)
			item[i] = pool_take(&pool);
		wrong += !is_zero(item[i]);
		memset(item[i], (int)i + 1, sizeof *item[i]);
	}
	for (uint32_t i = 0; i < 12; i++)
		wrong += ((uint8_t *)item[i])[0] != i + 1 || ((uint8_t *)item[i])[sizeof *item[i] - 1] != i + 1;
	is_int(wrong, 0, "twelve items lie apart");
	is_int(pool.free_count, 0, "and none is left");
	pool_clear(&pool);
}

/* Whether the next one is made ready or not, the same ones are taken, zeroed, and as many. */
static void test_ready(void)
{
	struct pool pool;
	struct item *item[4];
	uint32_t wrong = 0;
	pool_init(&pool, sizeof(struct item), 3, false);
	for (uint32_t i = 0; i < 3; i++) {
		pool_ready(&pool);
		pool_ready(&pool);
		wrong += pool.free_count != 3 - i;
		item[i] = pool_take(&pool);
		if (!item[i])
			abort();
		wrong += !is_zero(item[i]);
		memset(item[i], 0xff, sizeof *item[i]);
	}
	is_int(wrong, 0, "three items are made ready and taken");
	pool_ready(&pool);
	ok(!pool_take(&pool), "where none is left none can be ready");
	pool_give(&pool, item[1]);
	pool_ready(&pool);
	item[3] = pool_take(&pool);
	ok(item[3] == item[1] && is_zero(item[3]), "what was given back is zeroed again");
	pool_clear(&pool);
}

int main(void)
{
	test_fixed();
	test_growing();
	test_reserve_before_use();
	test_ready();
	return tap_done();
}
