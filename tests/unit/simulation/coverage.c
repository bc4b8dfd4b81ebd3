/* Coverage: legal moves are counted, the others are not there, and what is not made is told. */
#include "simulation/coverage.h"

#include "tests/tap.h"

static uint32_t legal_moves(const struct fsm *fsm)
{
	uint32_t count = 0;
	for (uint8_t state = 0; state < fsm->state_count; state++)
		for (uint8_t event = 0; event < fsm->event_count; event++)
			count += fsm_next(fsm, state, event) != FSM_ILLEGAL;
	return count;
}

static void all_made(struct coverage *coverage)
{
	for (uint8_t state = 0; state < ORDER_STATES; state++)
		for (uint8_t event = 0; event < ORDER_EVENTS; event++)
			coverage->order[state][event] = 1;
	for (uint8_t state = 0; state < CYCLE_STATES; state++)
		for (uint8_t event = 0; event < CYCLE_EVENTS; event++)
			coverage->cycle[state][event] = 1;
}

/* Lines of what is printed. */
static size_t printed_lines(const struct coverage *coverage, const char *with)
{
	char *text = NULL;
	size_t size = 0, lines = 0;
	FILE *out = open_memstream(&text, &size);
	coverage_print(coverage, out);
	fclose(out);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		lines += strstr(line, with) != NULL;
	free(text);
	return lines;
}

static void test_nothing_made(void)
{
	static const struct coverage nothing;
	struct coverage_report report;
	coverage_judge(&nothing, &report);
	is_int(report.total, legal_moves(&order_fsm) + legal_moves(&cycle_fsm),
	       "the tables' legal moves are the total");
	is_int(report.covered, 0, "none is made");
	is_int(report.missing + report.unreachable, report.total, "each is missing or listed as unreachable");
	is_int(report.surprising, 0, "nothing is surprising");
	is_int(printed_lines(&nothing, " --"), report.total, "each has its line");
	is_int(printed_lines(&nothing, "not reached"), report.missing, "those without a reason say so");
}

static void test_all_made(void)
{
	static struct coverage all;
	static const struct coverage nothing;
	struct coverage_report report, without;
	all_made(&all);
	coverage_judge(&all, &report);
	coverage_judge(&nothing, &without);
	is_int(report.covered, report.total, "all are made");
	is_int(report.missing + report.unreachable, 0, "nothing is left");
	is_int(report.surprising, without.unreachable, "what was listed as unreachable is a surprise");
	is_int(printed_lines(&all, "made, though"), report.surprising, "and is told of");
}

static void test_sum(void)
{
	static struct coverage sum, more;
	struct coverage_report report;
	more.order[ORDER_NEW][ORDER_EVENT_INTEND] = 2;
	more.cycle[CYCLE_PENDING][CYCLE_EVENT_VALIDATE] = 3;
	coverage_add(&sum, &more);
	coverage_add(&sum, &more);
	is_int(sum.order[ORDER_NEW][ORDER_EVENT_INTEND], 4, "moves of orders add up");
	is_int(sum.cycle[CYCLE_PENDING][CYCLE_EVENT_VALIDATE], 6, "so do those of cycles");
	coverage_judge(&sum, &report);
	is_int(report.covered, 2, "two moves are covered, however often they were made");
}

int main(void)
{
	test_nothing_made();
	test_all_made();
	test_sum();
	return tap_done();
}
