#include "core/state/removal.h"

#include <trigate/error.h>

#include "core/base/log.h"
#include "core/state/backoff.h"

#define MS INT64_C(1000000)
#define CYCLES 100 /* of a step */
#define STEP_NS (100 * MS)
#define FIRST_NS (60000 * MS)
#define EVERY_NS (6 * 3600000 * MS)
#define DAY_NS (INT64_C(86400000) * MS)

int64_t removal_due_ns(struct removal *removal, int64_t now_ns, bool may_run)
{
	if (removal->days == 0)
		return WORKER_WHEN_WOKEN;
	if (removal->due_ns == 0 || (now_ns >= removal->due_ns && !may_run))
		removal->due_ns = now_ns + FIRST_NS;
	return removal->due_ns;
}

/* Cycles removed; or an error. */
static int32_t some_remove(const struct removal *removal, int64_t before_ns, struct tg_error *ret_error)
{
	void *backend;
	int32_t code = store_pool_take(removal->pool, "the removal of old cycles", &backend, ret_error);

	if (code < 0)
		return code;
	code = store_pool_api(removal->pool)->cleanup(backend, before_ns, CYCLES, ret_error);
	store_pool_give(removal->pool, backend, code);
	return code;
}

static uint64_t removed_tell(struct removal *removal)
{
	uint64_t removed = removal->removed;

	removal->removed = 0;
	if (removed > 0)
		log_info("store.old_removed", LOG_I("cycles", removed), LOG_I("older_than_days", removal->days));
	return removed;
}

uint64_t removal_step(struct removal *removal, int64_t now_ns, int64_t unix_ns)
{
	struct tg_error error = tg_error_init();
	int32_t code = some_remove(removal, unix_ns - removal->days * DAY_NS, &error);

	if (code < 0) {
		if (removal->backoff_ns == 0)
			log_warn("store.removal_failing", LOG_S("code", tg_status_name(code)),
				 LOG_S("error", error.message));
		removal->backoff_ns = backoff_next(removal->backoff_ns, FIRST_NS, EVERY_NS);
		removal->due_ns = now_ns + removal->backoff_ns;
		return 0;
	}
	removal->backoff_ns = 0;
	removal->removed += (uint64_t)code;
	removal->due_ns = now_ns + (code == CYCLES ? STEP_NS : EVERY_NS);
	return code == CYCLES ? 0 : removed_tell(removal);
}
