#include "core/state/standing.h"

#include <string.h>

#include <trigate/error.h>

static int32_t stored_read(const struct standing *standing, void *backend, uint64_t *ret_position,
			   struct tg_error *ret_error)
{
	struct tg_str journal = {standing->journal_id, strlen(standing->journal_id)};

	return store_pool_api(standing->pool)->stored_position(backend, journal, ret_position, ret_error);
}

int standing_begin(struct standing *standing, struct tg_error *ret_error)
{
	void *backend;
	uint64_t stored = 0;
	int status = store_pool_take(standing->pool, "the start", &backend, ret_error);

	if (status != TG_OK)
		return status;
	status = stored_read(standing, backend, &stored, ret_error);
	store_pool_give(standing->pool, backend, status);
	standing->look = stored < standing->applied;
	if (!standing->look)
		standing->applied = stored;
	standing->stands = standing->applied;
	return status;
}

static int32_t position_judge(const struct standing *standing, uint64_t stored, struct tg_error *ret_error)
{
	if (stored < standing->applied)
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "the store went back from record %llu to %llu: it lost what it had acknowledged, "
				    "or a backup was restored; %s",
				    (unsigned long long)standing->applied, (unsigned long long)stored,
				    standing->is_lost ? "restart the gateway, its journal has the rest"
						      : "it is told again what it lacks");
	if (stored > standing->applied && stored > standing->doubt)
		return tg_error_set(
			ret_error, TG_ERR_CORRUPT,
			"the store stands at record %llu of gateway %s, which has brought it to %llu: another "
			"one writes under this id; stop both, give each a gateway_id of its own",
			(unsigned long long)stored, standing->journal_id, (unsigned long long)standing->applied);
	return TG_OK;
}

/* Behind a new connection may be a store that has lost what it acknowledged: its machine lost power, a standby took
 * over, a backup was restored. The next batch would hide what is missing, for ever. */
int32_t standing_look(struct standing *standing, void *backend, struct tg_error *ret_error)
{
	struct store_pool_status pool;
	uint64_t stored = 0;

	store_pool_status(standing->pool, &pool);
	if (pool.opened == standing->opened_seen && !standing->look)
		return TG_OK;
	int32_t code = stored_read(standing, backend, &stored, ret_error);
	if (code == TG_OK)
		code = position_judge(standing, stored, ret_error);
	standing->look = code != TG_OK;
	standing->back = code == TG_ERR_CORRUPT && stored < standing->applied;
	standing->back_to = stored;
	if (code != TG_OK)
		return code;
	standing->stands = stored;
	standing->opened_seen = pool.opened;
	return TG_OK;
}

int32_t standing_refused(struct standing *standing, void *backend, struct tg_error *error)
{
	struct tg_error why = tg_error_init();
	uint64_t stood = standing->stands;

	standing->look = true;
	int32_t code = standing_look(standing, backend, &why);
	if (code == TG_OK && standing->stands == stood)
		return TG_ERR_REJECTED; /* it has reasons of its own */
	if (code == TG_OK)
		code = tg_error_set(&why, TG_ERR_RETRYABLE, "an earlier batch came late");
	*error = why;
	return code;
}

/* It may come back where it was, too: a server that had been away. */
void standing_go_back(struct standing *standing)
{
	if (standing->doubt < standing->applied)
		standing->doubt = standing->applied;
	standing->applied = standing->stands = standing->back_to;
	standing->back = false;
	standing->look = true;
}

void standing_reached(struct standing *standing, uint64_t position)
{
	standing->applied = standing->stands = position;
	standing->doubt = 0;
}

void standing_doubt(struct standing *standing, uint64_t position)
{
	standing->doubt = position;
	standing->look = true;
}
