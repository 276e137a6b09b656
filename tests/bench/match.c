/* What matching alone costs, in CPU microseconds per line: decoded syslog lines of 145 octets against regex
 * rules, half of the lines near misses (a rule's text with another token), one in a hundred a match. Also
 * PCRE2 one by one at 1,000. A benchmark, never a timed test: it fails only when the hits are not those of
 * the generator. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/arena.h"
#include "rules/matcher_impl.h"

enum { LINES = 20000, TURNS = 10 };

static const char *const subjects[] = {"Interface",  "Connection",  "Filesystem",  "Process", "Session",
                                       "Controller", "Transaction", "Certificate", "Replica", "Gateway"};
static const char *const verbs[] = {"failed", "degraded", "restarted", "timed out", "rejected", "overflowed"};

static uint64_t rng = 0x2545f4914f6cdd1du;

static uint32_t below(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 33) % n);
}

/* "Interface unit0042 failed: code \d+ after \d+ ms" */
static int rule_text(char *out, size_t size, uint32_t i, const char *token, bool as_rule)
{
	const char *subject = subjects[i % ARRAY_LEN(subjects)], *verb = verbs[i / 7 % ARRAY_LEN(verbs)];
	if (as_rule)
		return snprintf(out, size, "^%s %s%u %s: code \\d+ after \\d+ ms", subject, token, i, verb);
	return snprintf(out, size, "%s %s%u %s: code %u after %u ms", subject, token, i, verb, below(1000),
	                below(9000));
}

struct bench {
	struct arena *a;
	size_t n;
	struct atom *atoms;
	struct cond *conds;
	struct predicate *predicates;
	struct regex **regexes;
	struct rule *rules;
	struct index *index, *none;
	struct matcher *m;
	struct slice lines[LINES];
	size_t matching;
};

static void make_rules(struct bench *b, size_t n)
{
	b->n = n;
	b->atoms = arena_array(b->a, n, sizeof *b->atoms);
	b->conds = arena_array(b->a, n, sizeof *b->conds);
	b->predicates = arena_array(b->a, n, sizeof *b->predicates);
	b->regexes = arena_array(b->a, n, sizeof(struct regex *));
	b->rules = arena_array(b->a, n, sizeof *b->rules);
	for (uint32_t i = 0; i < n; i++) {
		char text[200];
		struct error err;
		rule_text(text, sizeof text, i, "unit", true);
		struct slice *pattern = arena_alloc(b->a, sizeof *pattern);
		*pattern = arena_slice(b->a, slice_str(text));
		b->regexes[i] =
		    regex_new(*pattern, (struct regex_options){.jit = true, .only_named = true}, &err);
		BUG_ON(b->regexes[i] == NULL);
		b->atoms[i] = (struct atom){.number = i,
		                            .field = {.core = FIELD_MESSAGE, .name = SLICE("message")},
		                            .op = OP_REGEX,
		                            .texts = pattern,
		                            .n_texts = 1,
		                            .regexes = &b->regexes[i]};
		b->conds[i] = (struct cond){.kind = COND_ATOM, .atom = &b->atoms[i]};
		b->predicates[i] = (struct predicate){.number = i, .rule = i, .cond = &b->conds[i]};
	}
}

static void make_matcher(struct bench *b)
{
	struct index_item *items = xcalloc(b->n, sizeof *items);
	for (uint32_t i = 0; i < b->n; i++)
		items[i] = (struct index_item){i, &b->conds[i]};
	b->index = index_new(items, b->n, NULL, 0, 0);
	b->none = index_new(items, 0, NULL, 0, 0);
	free(items);
	b->m = matcher_of_parts(&(struct matcher_parts){.rules = b->rules,
	                                                .n_rules = b->n,
	                                                .predicates = b->predicates,
	                                                .n_predicates = b->n,
	                                                .n_atoms = b->n,
	                                                .index = b->index,
	                                                .decoder_index = b->none});
}

/* The head of a line ("<30>Nov 22 12:00:00 host7 app[123]: ") is decoded into fields: what is matched is the
 * message. */
static void make_lines(struct bench *b)
{
	enum { LINE = 145, HEAD = 38 };
	for (size_t i = 0; i < LINES; i++) {
		char text[LINE + 1];
		uint32_t rule = below((uint32_t)b->n);
		bool match = below(100) == 0, near = !match && below(2) == 0;
		int n = rule_text(text, sizeof text, rule, match ? "unit" : near ? "item" : "part", false);
		if (!match && !near)
			n = snprintf(text, sizeof text, "user%u opened file /var/lib/data/%u/%u mode rw",
			             below(500), below(100), below(10000));
		size_t at = (size_t)n;
		while (at < LINE - HEAD)
			at += (size_t)snprintf(text + at, sizeof text - at, " trace=%08x", below(UINT32_MAX));
		b->lines[i] = arena_slice(b->a, (struct slice){text, LINE - HEAD});
		b->matching += match;
	}
}

static double cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double run_matcher(struct bench *b)
{
	struct fields f;
	const uint32_t *hits;
	size_t found = 0;
	fields_init(&f, b->a);
	fields_set(&f, FIELD_HOST, SLICE("host7"));
	fields_set(&f, FIELD_APP, SLICE("app"));
	fields_set(&f, FIELD_SEVERITY, SLICE("info"));
	double from = cpu_us();
	for (int turn = 0; turn < TURNS; turn++) {
		for (size_t i = 0; i < LINES; i++) {
			fields_set(&f, FIELD_MESSAGE, b->lines[i]);
			found += matcher_match(b->m, &f, &hits);
		}
	}
	double each = (cpu_us() - from) / (LINES * TURNS);
	if (found != b->matching * TURNS) {
		fprintf(stderr, "%zu hits instead of %zu\n", found, b->matching * TURNS);
		exit(1);
	}
	fields_free(&f);
	return each;
}

static double run_one_by_one(const struct bench *b)
{
	enum { SOME = LINES / 10 };
	size_t found = 0;
	double from = cpu_us();
	for (size_t i = 0; i < SOME; i++) {
		for (size_t j = 0; j < b->n; j++)
			found += regex_match(b->regexes[j], b->lines[i]) == REGEX_YES;
	}
	BUG_ON(found > SOME);
	return (cpu_us() - from) / SOME;
}

static double bench(size_t n, double *one_by_one)
{
	struct bench *b = xcalloc(1, sizeof *b);
	b->a = arena_new(0);
	double from = cpu_us();
	make_rules(b, n);
	double compiled = cpu_us();
	make_matcher(b);
	double indexed = cpu_us();
	make_lines(b);
	run_matcher(b); /* warm */
	double each = run_matcher(b);
	printf("match rules=%zu us_per_line=%.3f compile_ms=%.1f index_ms=%.1f\n", n, each,
	       (compiled - from) / 1000, (indexed - compiled) / 1000);
	if (one_by_one != NULL)
		*one_by_one = run_one_by_one(b);
	matcher_free(b->m);
	index_free(b->index);
	index_free(b->none);
	for (size_t i = 0; i < n; i++)
		regex_free(b->regexes[i]);
	arena_free(b->a);
	free(b);
	return each;
}

int main(void)
{
	double slow;
	double few = bench(10, NULL), some = bench(1000, &slow), many = bench(10000, NULL);
	printf("match one_by_one rules=1000 us_per_line=%.1f ratio=%.0f\n", slow, slow / some);
	printf("match flatness 10000/10=%.2f\n", many / few);
	return 0;
}
