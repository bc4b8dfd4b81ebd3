#include "core/market/steps.h"

static tg_amount scaled(int64_t mantissa, int32_t places)
{
	tg_amount value = mantissa;

	while (places-- > 0)
		value *= 10;
	return value;
}

tg_amount steps_of(struct tg_decimal value, struct tg_decimal step, int32_t rounding)
{
	tg_amount numerator = scaled(value.mantissa, step.scale - value.scale);
	tg_amount denominator = scaled(step.mantissa, value.scale - step.scale);

	return numerator / denominator + (rounding == TG_ROUND_UP && numerator % denominator != 0);
}
