#include "core/base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static log_sink_fn current_sink;
static void *current_ctx;
static _Atomic int least_level = LOG_INFO;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

const char *log_level_name(enum log_level level)
{
	return (unsigned)level < 4 ? level_names[level] : "?";
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(name, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return TG_OK;
		}
	return TG_ERR_INVALID;
}

static void default_sink(void *ctx, enum log_level level, const char *event, const struct log_field *fields,
			 size_t count)
{
	(void)ctx;
	fprintf(stderr, "%s: %s", log_level_name(level), event);
	for (size_t i = 0; i < count; i++) {
		const struct log_field *field = &fields[i];
		if (!field->text)
			fprintf(stderr, " %s=%lld", field->key, (long long)field->number);
		else if (field->text_len > 0)
			fprintf(stderr, " %s=%.*s", field->key, (int)field->text_len, field->text);
		else
			fprintf(stderr, " %s=%s", field->key, field->text);
	}
	fputc('\n', stderr);
}

void log_set_sink(log_sink_fn sink, void *ctx)
{
	pthread_mutex_lock(&lock);
	current_sink = sink;
	current_ctx = ctx;
	pthread_mutex_unlock(&lock);
}

void log_set_level(enum log_level least)
{
	atomic_store(&least_level, (int)least);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
		return;
	pthread_mutex_lock(&lock);
	(current_sink ? current_sink : default_sink)(current_ctx, level, event, fields, count);
	pthread_mutex_unlock(&lock);
}
