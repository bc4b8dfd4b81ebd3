#include "exchanges/binance/commission.h"

#include <assert.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/document.h"

static bool rate_read(struct json_object *object, const char *key, tg_amount *ret_rate)
{
	struct tg_decimal decimal;
	tg_amount rate;
	if (!member_decimal(object, key, &decimal) || tg_amount_from_decimal(decimal, &rate) != TG_OK ||
	    rate > TG_AMOUNT_ONE)
		return false;
	*ret_rate = rate;
	return true;
}

static bool rates_read(struct json_object *root, const char *key, struct commission_rates *ret_rates)
{
	struct json_object *object;
	return member_object(root, key, &object) && rate_read(object, "maker", &ret_rates->maker) &&
	       rate_read(object, "taker", &ret_rates->taker) && rate_read(object, "buyer", &ret_rates->buyer) &&
	       rate_read(object, "seller", &ret_rates->seller);
}

static bool name_read(struct json_object *object, const char *key, char *ret_name, size_t size)
{
	struct tg_str text;
	if (!member_text(object, key, &text) || text.len == 0 || text.len >= size)
		return false;
	memcpy(ret_name, text.ptr, text.len);
	return true;
}

/* It may be left out altogether. */
static bool discount_read(struct json_object *root, struct commission *commission)
{
	struct json_object *object;
	bool account, symbol;
	if (!json_object_object_get_ex(root, "discount", NULL))
		return true;
	if (!member_object(root, "discount", &object) || !member_flag(object, "enabledForAccount", &account) ||
	    !member_flag(object, "enabledForSymbol", &symbol))
		return false;
	commission->discount_enabled = account && symbol;
	if (!commission->discount_enabled)
		return true;
	return name_read(object, "discountAsset", commission->discount_asset, sizeof commission->discount_asset) &&
	       rate_read(object, "discount", &commission->discount);
}

static const char *fill(struct json_object *root, struct commission *commission)
{
	if (!name_read(root, "symbol", commission->symbol, sizeof commission->symbol))
		return "symbol";
	if (!rates_read(root, "standardCommission", &commission->standard))
		return "standardCommission";
	if (!rates_read(root, "taxCommission", &commission->tax))
		return "taxCommission";
	if (json_object_object_get_ex(root, "specialCommission", NULL) && /* since 2025 */
	    !rates_read(root, "specialCommission", &commission->special))
		return "specialCommission";
	return discount_read(root, commission) ? NULL : "discount";
}

int commission_read(const uint8_t *bytes, size_t count, struct commission *ret_commission, struct tg_error *ret_error)
{
	struct json_object *root;
	struct commission commission = {0};
	int status = document_read("the answer about commissions", bytes, count, &root, ret_error);
	if (status)
		return status;
	const char *wrong = fill(root, &commission);
	json_object_put(root);
	if (wrong)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "the answer about commissions has no %s, or one that is not understood", wrong);
	*ret_commission = commission;
	return TG_OK;
}

static tg_amount dearer(tg_amount a, tg_amount b)
{
	return a > b ? a : b;
}

static tg_amount rate_of(const struct commission_rates *rates, tg_amount role)
{
	return role + dearer(rates->buyer, rates->seller);
}

static struct tg_decimal bps_of(const struct commission *commission, bool discounted, tg_amount standard,
				tg_amount others)
{
	struct tg_decimal bps;
	if (discounted && commission->discount_enabled) {
		tg_amount part = dearer(commission->discount, TG_AMOUNT_ONE - commission->discount);
		standard = tg_amount_share(standard, (int64_t)(tg_amount_round(part, 9, TG_ROUND_UP) / TG_E9),
					   TG_ROUND_UP);
	}
	tg_amount rate = tg_amount_round(standard + others, 9, TG_ROUND_UP);
	int32_t status = tg_decimal_from_amount(rate * 10000, &bps);
	assert(status == TG_OK); /* six rates of at most 1, at nine places */
	return tg_decimal_normalise(bps);
}

void commission_bps(const struct commission *commission, bool discounted, struct tg_decimal *ret_taker_bps,
		    struct tg_decimal *ret_maker_bps)
{
	const struct commission_rates *standard = &commission->standard, *special = &commission->special,
				      *tax = &commission->tax;
	*ret_taker_bps = bps_of(commission, discounted, rate_of(standard, standard->taker),
				rate_of(special, special->taker) + rate_of(tax, tax->taker));
	*ret_maker_bps = bps_of(commission, discounted, rate_of(standard, standard->maker),
				rate_of(special, special->maker) + rate_of(tax, tax->maker));
}
