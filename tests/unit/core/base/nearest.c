/* nearest_word: which slip of the keyboard finds which word. */
#include <core/base/nearest.h>

#include <tap.h>

static const char *const words[] = {"max_open_cycles", NULL, "min_profit_bps", "max_profit_bps", "mode", "seed", ""};

static const struct {
	const char *word;
	const char *want; /* NULL: none */
} cases[] = {
	{"seed", "seed"},
	{"seeed", "seed"},
	{"sede", "seed"},
	{"SEED", "seed"},
	{"max_open_cylces", "max_open_cycles"},
	{"maxopencycles", "max_open_cycles"},
	{"max_profit", "max_profit_bps"},
	{"max_open", "max_open_cycles"},
	{"min_proft_bps", "min_profit_bps"},
	{"mod", "mode"},
	{"m", NULL},
	{"balances", NULL},
	{"", NULL},
	{"xyz", NULL},
	{"a_word_far_too_long_to_have_been_typed_by_hand_at_a_keyboard_in_one_go", NULL},
};

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = nearest_word(cases[i].word, words, sizeof words / sizeof *words);
		if (cases[i].want)
			is_str(got, cases[i].want, "'%s' means '%s'", cases[i].word, cases[i].want);
		else
			ok(got == NULL, "'%s' is near nothing", cases[i].word);
	}
	ok(nearest_word("seed", NULL, 0) == NULL, "no words, none near");
	return tap_done();
}
