/* Reading a journal into a model: what does not fit is told with its record and what to do. */
#include "core/trade/model.h"

static int replay_error(const struct journal_entry *entry, int status, struct tg_error *ret_error)
{
	const char *advice = "put back a good copy of the state directory, or start with another one and another "
			     "gateway_id, and reconcile by hand";
	if (status == TG_ERR_NO_MEMORY)
		advice = "give the program more memory";
	else if (status == TG_ERR_VERSION)
		advice = "use the release that wrote it";
	return tg_error_set(
		ret_error, status, "the journal's record %llu (%s, type %u version %u) %s; %s",
		(unsigned long long)entry->position, record_type_name(entry->type), entry->type, entry->version,
		status == TG_ERR_CORRUPT ? "does not fit what is before it" : tg_status_text(status), advice);
}

static int beginning_missing(uint64_t position, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_CORRUPT,
			    "the journal begins with record %llu, but what stood before it was still needed: files are "
			    "missing; put them back, or start with another state directory and gateway_id, and "
			    "reconcile by hand",
			    (unsigned long long)position);
}

int model_settled(const struct model *model, struct tg_error *ret_error)
{
	uint64_t first = model_first_position(model);
	if (first <= 1 || model_trim_position(model) + 1 >= first)
		return TG_OK;
	return beginning_missing(first, ret_error);
}

int model_replay(struct model *model, const struct journal_entry *entry, struct tg_error *ret_error)
{
	int status = record_check(entry);
	if (!status && model_first_position(model) == 0 && entry->position > 1 && entry->type != RECORD_CHECKPOINT)
		return beginning_missing(entry->position, ret_error);
	if (!status)
		status = model_apply(model, entry);
	return status ? replay_error(entry, status, ret_error) : TG_OK;
}

struct load {
	struct model *model;
	struct tg_error *error;
};

static int load_entry(void *ctx, const struct journal_entry *entry)
{
	struct load *load = ctx;
	return model_replay(load->model, entry, load->error);
}

int model_load(const struct disk *disk, const char *state_dir, struct model **ret_model,
	       struct journal_report *ret_report, struct tg_error *ret_error)
{
	static const struct model_options options = {.cycles = 1024, .orders = 4096, .fills = 8192, .remembers = true};
	struct model *model;
	if (model_create(&options, &model))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	struct load load = {model, ret_error};
	int status = journal_read(disk, state_dir, load_entry, &load, ret_report, ret_error);
	if (!status)
		status = model_settled(model, ret_error);
	if (status) {
		model_destroy(model);
		return status;
	}
	*ret_model = model;
	return TG_OK;
}
