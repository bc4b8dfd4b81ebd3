#include "venue/binance/quota.h"

#define MINUTE_MS 60000

static struct quota_peer *peer_find(struct quota *quota, uint64_t address)
{
	struct quota_peer *oldest = &quota->peer[0];
	for (uint32_t i = 0; i < quota->peer_count; i++) {
		if (quota->peer[i].address == address)
			return &quota->peer[i];
		if (quota->peer[i].heard_ms < oldest->heard_ms)
			oldest = &quota->peer[i];
	}
	if (quota->peer_count < QUOTA_PEERS_MAX)
		oldest = &quota->peer[quota->peer_count++];
	*oldest = (struct quota_peer){.address = address};
	return oldest;
}

struct quota_peer *quota_peer(struct quota *quota, uint64_t address, int64_t now_ms)
{
	struct quota_peer *peer = peer_find(quota, address);
	peer->heard_ms = now_ms;
	if (peer->minute != now_ms / MINUTE_MS) {
		peer->minute = now_ms / MINUTE_MS;
		peer->weight = peer->refused = 0;
	}
	if (peer->five_minutes != now_ms / (5 * MINUTE_MS)) {
		peer->five_minutes = now_ms / (5 * MINUTE_MS);
		peer->connections = 0;
	}
	return peer;
}

int64_t quota_ban(struct quota *quota, struct quota_peer *peer, int64_t now_ms)
{
	int64_t length = quota->limits.ban_ms, most = quota->limits.ban_most_ms;
	for (int64_t i = 0; i < peer->bans && length < most; i++)
		length *= 2;
	peer->bans++;
	peer->banned_until_ms = now_ms + (length < most ? length : most);
	return peer->banned_until_ms;
}

enum quota_verdict quota_spend(struct quota *quota, struct quota_peer *peer, int64_t weight, int64_t now_ms,
			       int64_t *ret_wait_ms)
{
	if (peer->banned_until_ms > now_ms) {
		*ret_wait_ms = peer->banned_until_ms - now_ms;
		return QUOTA_BANNED;
	}
	if (peer->weight + weight <= quota->limits.weight_minute) {
		peer->weight += weight;
		return QUOTA_FREE;
	}
	if (++peer->refused > quota->limits.patience) {
		*ret_wait_ms = quota_ban(quota, peer, now_ms) - now_ms;
		return QUOTA_BANNED;
	}
	*ret_wait_ms = MINUTE_MS - now_ms % MINUTE_MS;
	return QUOTA_SLOW;
}

bool quota_connect(struct quota *quota, struct quota_peer *peer, int64_t now_ms)
{
	if (peer->banned_until_ms > now_ms || peer->connections >= quota->limits.connections_5m)
		return false;
	peer->connections++;
	return true;
}

void quota_turn(struct quota *quota, int64_t now_ms)
{
	if (quota->ten_seconds != now_ms / 10000) {
		quota->ten_seconds = now_ms / 10000;
		quota->orders_10s = 0;
	}
	if (quota->day != now_ms / 86400000) {
		quota->day = now_ms / 86400000;
		quota->orders_day = 0;
	}
}

int32_t quota_order(struct quota *quota, int64_t now_ms)
{
	quota_turn(quota, now_ms);
	if (quota->orders_10s >= quota->limits.orders_10s)
		return 10;
	if (quota->orders_day >= quota->limits.orders_day)
		return 86400;
	quota->orders_10s++;
	quota->orders_day++;
	return 0;
}
