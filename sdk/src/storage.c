#include <string.h>

#include <trigate/error.h>
#include <trigate/storage.h>

static bool position_parse(struct tg_str text, int64_t *ret_position)
{
	int64_t position = 0;

	for (uint64_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || __builtin_mul_overflow(position, 10, &position) ||
		    __builtin_add_overflow(position, text.ptr[i] - '0', &position))
			return false;
	*ret_position = position;
	return text.len > 0;
}

/* Before and behind the slash; false: there is none. */
static bool text_split(struct tg_str text, const char *slash, struct tg_str *ret_first, struct tg_str *ret_second)
{
	if (!slash)
		return false;
	*ret_first = (struct tg_str){text.ptr, (uint64_t)(slash - text.ptr)};
	*ret_second = (struct tg_str){slash + 1, text.len - ret_first->len - 1};
	return true;
}

int32_t tg_load_after(const struct tg_load *what, struct tg_str *ret_first, struct tg_str *ret_second,
		      int64_t *ret_position, struct tg_error *ret_error)
{
	struct tg_str after = what->after, first = after, second = {"", 0};
	int64_t position = -1;
	bool event = what->kind == TG_ROW_EVENT, sound = true;

	/* a client id holds no slash; a fill's id and a journal's name may */
	if (after.len > 0 && what->kind == TG_ROW_FILL)
		sound = text_split(after, memchr(after.ptr, '/', after.len), &first, &second);
	else if (after.len > 0 && event)
		sound = text_split(after, memrchr(after.ptr, '/', after.len), &first, &second) &&
			position_parse(second, &position);
	if (!sound)
		return tg_error_set(ret_error, TG_ERR_INVALID, "after: %s, not '%.*s'",
				    event ? "events are behind JOURNAL/POSITION" : "fills are behind CLIENT_ID/FILL_ID",
				    (int)after.len, after.ptr);
	*ret_first = first;
	*ret_second = event ? (struct tg_str){"", 0} : second;
	*ret_position = position;
	return TG_OK;
}
