#include <stdarg.h>
#include <stdio.h>

#include <trigate/error.h>

struct status {
	int32_t code;
	const char *name;
	const char *text;
};

#define STATUS_ROW(n, v, t) {(v), #n, (t)},
static const struct status statuses[] = {TG_STATUS_TABLE(STATUS_ROW)};
#undef STATUS_ROW

static const struct status *status_find(int32_t code)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].code == code)
			return &statuses[i];
	return NULL;
}

const char *tg_status_text(int32_t code)
{
	const struct status *status = status_find(code);
	return status ? status->text : "unknown status";
}

const char *tg_status_name(int32_t code)
{
	const struct status *status = status_find(code);
	return status ? status->name : "?";
}

int32_t tg_error_set(struct tg_error *error, int32_t code, const char *format, ...)
{
	if (!error)
		return code;
	va_list args;
	va_start(args, format);
	int length = vsnprintf(error->message, sizeof error->message, format, args);
	va_end(args);
	if (length < 0)
		length = 0;
	if ((size_t)length >= sizeof error->message)
		length = (int)sizeof error->message - 1;
	error->code = code;
	error->retry_after_ns = 0;
	error->exchange_code = 0;
	error->message_len = (uint32_t)length;
	return code;
}
