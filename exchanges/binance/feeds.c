#include "exchanges/binance/feeds.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX (FEED_LINKS_MAX / 2)
#define STREAM_NAME_MAX 32
#define NEVER INT64_MAX

_Static_assert(GROUPS_MAX *FEED_STREAMS_MAX >= BINANCE_MARKETS_MAX, "every market finds room");

enum link_state { LINK_NONE, LINK_WANTED, LINK_OPENING, LINK_OPEN, LINK_LEAVING };

struct link {
	enum link_state state;
	uint32_t subscribed; /* so many of the group's markets, from the first one on */
	uint32_t batch;      /* of the request under way; 0: none is */
	int64_t request;     /* its id */
	int64_t deadline_ns; /* for its answer */
	int64_t send_ns;     /* no message before */
	int64_t leave_ns;    /* when its successor is due */
	int64_t full_ns;     /* when all was subscribed */
	int64_t both_ns;     /* a successor: since when it delivers beside the older one; 0: it does not yet */
	bool delivers;
};

/* Links 2 * group and 2 * group + 1 take turns. */
struct group {
	uint32_t count;
	uint32_t up;      /* so many of its markets were told to be coming */
	uint32_t current; /* 0 or 1 */
	uint32_t market[FEED_STREAMS_MAX];
};

struct feeds {
	const struct routes *routes;
	const char *stream;
	int64_t requests;
	uint64_t refused;
	uint32_t group_count;
	struct link link[FEED_LINKS_MAX];
	struct group group[GROUPS_MAX];
	uint8_t added[BINANCE_MARKETS_MAX / 8];
	char text[FEED_BATCH * (BINANCE_SYMBOL_MAX + STREAM_NAME_MAX + 4) + 80];
};

int feeds_create(const struct routes *routes, const char *stream, struct feeds **ret_feeds)
{
	assert(strlen(stream) < STREAM_NAME_MAX);
	struct feeds *feeds = calloc(1, sizeof *feeds);
	if (!feeds)
		return TG_ERR_NO_MEMORY;
	feeds->routes = routes;
	feeds->stream = stream;
	*ret_feeds = feeds;
	return TG_OK;
}

void feeds_destroy(struct feeds *feeds)
{
	free(feeds);
}

uint64_t feeds_refused(const struct feeds *feeds)
{
	return feeds->refused;
}

int feeds_add(struct feeds *feeds, uint32_t market)
{
	assert(market < feeds->routes->count);
	uint8_t bit = (uint8_t)(1u << market % 8);
	if (feeds->added[market / 8] & bit)
		return TG_ERR_EXISTS;
	struct group *group = &feeds->group[feeds->group_count ? feeds->group_count - 1 : 0];
	if (feeds->group_count == 0 || group->count == FEED_STREAMS_MAX) {
		if (feeds->group_count == GROUPS_MAX)
			return TG_ERR_LIMIT;
		feeds->link[2 * feeds->group_count].state = LINK_WANTED;
		group = &feeds->group[feeds->group_count++];
	}
	feeds->added[market / 8] |= bit;
	group->market[group->count++] = market;
	return TG_OK;
}

/* ------------------------------------------------------------- what happened */

static struct group *group_of(struct feeds *feeds, uint32_t link)
{
	assert(link / 2 < feeds->group_count);
	return &feeds->group[link / 2];
}

static void link_forget(struct link *link, enum link_state state)
{
	*link = (struct link){.state = state};
}

void feeds_opened(struct feeds *feeds, uint32_t index, int64_t now_ns)
{
	struct link *link = &feeds->link[index];
	group_of(feeds, index);
	if (link->state != LINK_OPENING)
		return; /* it is being closed */
	link_forget(link, LINK_OPEN);
	link->send_ns = now_ns;
	link->leave_ns = now_ns + FEED_LIFE_NS - (int64_t)(index / 2) * FEED_STAGGER_NS;
}

void feeds_closed(struct feeds *feeds, uint32_t index)
{
	struct link *link = &feeds->link[index];
	if (link->state == LINK_OPEN)
		link_forget(link, LINK_OPENING);
}

void feeds_delivered(struct feeds *feeds, uint32_t index)
{
	feeds->link[index].delivers = true;
}

void feeds_leave(struct feeds *feeds, uint32_t index)
{
	feeds->link[index].leave_ns = 0;
}

void feeds_reply(struct feeds *feeds, uint32_t index, const struct reply *reply, int64_t now_ns)
{
	struct link *link = &feeds->link[index];
	if (link->state != LINK_OPEN || link->batch == 0 || (reply->id != link->request && reply->id != 0))
		return;
	if (reply->ok) {
		link->subscribed += link->batch;
		if (link->subscribed == group_of(feeds, index)->count)
			link->full_ns = now_ns;
	} else {
		feeds->refused++;
		link->send_ns = now_ns + FEED_REFUSED_NS;
	}
	link->batch = 0;
}

/* ---------------------------------------------------------------- succession */

static bool is_full(const struct group *group, const struct link *link)
{
	return link->state == LINK_OPEN && link->subscribed == group->count;
}

bool feeds_is_doubled(const struct feeds *feeds, uint32_t index)
{
	const struct group *group = &feeds->group[index / 2];
	uint32_t current = index / 2 * 2 + group->current;
	return index != current && is_full(group, &feeds->link[current]);
}

/* When the successor has done all it can to show that it delivers. */
static int64_t delivers_ns(const struct group *group, const struct link *link)
{
	if (!is_full(group, link))
		return NEVER;
	return link->delivers ? link->full_ns : link->full_ns + FEED_DELIVERS_NS;
}

/* When the older of the two may go. */
static int64_t farewell_ns(const struct group *group, const struct link *link)
{
	return is_full(group, link) && link->both_ns ? link->both_ns + FEED_OVERLAP_NS : NEVER;
}

static void group_step(struct feeds *feeds, uint32_t index, int64_t now_ns)
{
	struct group *group = &feeds->group[index];
	struct link *current = &feeds->link[2 * index + group->current];
	struct link *other = &feeds->link[2 * index + !group->current];
	if (other->state == LINK_NONE && current->state == LINK_OPEN && current->leave_ns <= now_ns)
		link_forget(other, LINK_WANTED);
	if (other->both_ns == 0 && delivers_ns(group, other) <= now_ns)
		other->both_ns = now_ns;
	if (farewell_ns(group, other) > now_ns)
		return;
	link_forget(current, LINK_LEAVING);
	group->current = !group->current;
}

/* ------------------------------------------------------------------- actions */

/* How many of the group's markets some connection carries. */
static uint32_t carried(const struct feeds *feeds, uint32_t index)
{
	uint32_t a = feeds->link[2 * index].subscribed, b = feeds->link[2 * index + 1].subscribed;
	return a > b ? a : b;
}

static bool markets_tell(struct feeds *feeds, uint32_t index, struct feed_action *ret_action)
{
	struct group *group = &feeds->group[index];
	uint32_t up = carried(feeds, index), low = up < group->up ? up : group->up;
	if (up == group->up)
		return false;
	*ret_action = (struct feed_action){
		.kind = up > group->up ? FEED_UP : FEED_LOST,
		.link = 2 * index + group->current,
		.markets = &group->market[low],
		.market_count = up > group->up ? up - group->up : group->up - up,
	};
	group->up = up;
	return true;
}

/* ASCII's letters alone: symbols of others have no case. */
static char *name_write(char *to, const struct route *route, const char *stream)
{
	*to++ = '"';
	for (uint32_t i = 0; i < route->length; i++) {
		char c = route->symbol[i];
		*to++ = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	*to++ = '@';
	to = stpcpy(to, stream);
	*to++ = '"';
	return to;
}

static uint32_t request_write(struct feeds *feeds, const uint32_t *market, uint32_t count, int64_t id)
{
	char *to = stpcpy(feeds->text, "{\"method\":\"SUBSCRIBE\",\"params\":[");
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			*to++ = ',';
		to = name_write(to, &feeds->routes->route[market[i]], feeds->stream);
	}
	to += sprintf(to, "],\"id\":%lld}", (long long)id);
	return (uint32_t)(to - feeds->text);
}

static bool wants_to_send(const struct group *group, const struct link *link)
{
	return link->state == LINK_OPEN && link->batch == 0 && link->subscribed < group->count;
}

static void subscribe(struct feeds *feeds, uint32_t index, int64_t now_ns, struct feed_action *ret_action)
{
	struct link *link = &feeds->link[index];
	const struct group *group = &feeds->group[index / 2];
	uint32_t left = group->count - link->subscribed;
	link->batch = left < FEED_BATCH ? left : FEED_BATCH;
	link->request = ++feeds->requests;
	link->deadline_ns = now_ns + FEED_REPLY_NS;
	link->send_ns = now_ns + FEED_SEND_GAP_NS;
	*ret_action = (struct feed_action){
		.kind = FEED_SEND,
		.link = index,
		.bytes = (const uint8_t *)feeds->text,
		.count = request_write(feeds, &group->market[link->subscribed], link->batch, link->request),
	};
}

static bool link_step(struct feeds *feeds, uint32_t index, int64_t now_ns, struct feed_action *ret_action)
{
	struct link *link = &feeds->link[index];
	*ret_action = (struct feed_action){.link = index};
	if (link->state == LINK_LEAVING) {
		link_forget(link, LINK_NONE);
		ret_action->kind = FEED_CLOSE;
		return true;
	}
	if (link->state == LINK_WANTED) {
		link->state = LINK_OPENING;
		ret_action->kind = FEED_OPEN;
		return true;
	}
	if (link->batch && link->deadline_ns <= now_ns) {
		feeds->refused++;
		link->batch = 0;
	}
	if (!wants_to_send(&feeds->group[index / 2], link) || link->send_ns > now_ns)
		return false;
	subscribe(feeds, index, now_ns, ret_action);
	return true;
}

bool feeds_next(struct feeds *feeds, int64_t now_ns, struct feed_action *ret_action)
{
	for (uint32_t i = 0; i < feeds->group_count; i++) {
		group_step(feeds, i, now_ns);
		if (markets_tell(feeds, i, ret_action) || link_step(feeds, 2 * i, now_ns, ret_action) ||
		    link_step(feeds, 2 * i + 1, now_ns, ret_action))
			return true;
	}
	return false;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t feeds_wake(const struct feeds *feeds)
{
	int64_t wake_ns = NEVER;
	for (uint32_t i = 0; i < 2 * feeds->group_count; i++) {
		const struct link *link = &feeds->link[i];
		const struct group *group = &feeds->group[i / 2];
		bool is_current = i % 2 == group->current;
		if (link->batch)
			wake_ns = earlier(wake_ns, link->deadline_ns);
		if (wants_to_send(group, link))
			wake_ns = earlier(wake_ns, link->send_ns);
		if (is_current && link->state == LINK_OPEN && feeds->link[i ^ 1].state == LINK_NONE)
			wake_ns = earlier(wake_ns, link->leave_ns);
		if (!is_current)
			wake_ns = earlier(wake_ns, link->both_ns ? farewell_ns(group, link) : delivers_ns(group, link));
	}
	return wake_ns;
}
