/* Every shipped webhook profile: what a product's body becomes, and that no body is taken for another
 * product's. */
#include "plugin_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plugins/webhook/profile.h"

struct product {
	const char *profile, *outer; /* outer: the profile of the envelope */
	size_t n;                    /* events */
	const char *headers, *type, *body;
	const char *expect; /* "field=value;field=value|field=value": an absent field is empty, '|' parts the
	                       events */
};

#include "products.h"

/* ---- profiles */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_file(struct webhook_profiles *p, const char *name)
{
	char path[512];
	static char text[65536];
	struct findings f = {0};
	snprintf(path, sizeof path, "%s/%s", WEBHOOK_PROFILES, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t n = fread(text, 1, sizeof text, file);
	assert_true(n < sizeof text);
	fclose(file);
	assert_int_equal(webhook_profile_add(p, name, slice_of(text, n), &f), 0);
	assert_int_equal(f.errors + f.warnings, 0);
	findings_clear(&f);
}

/* All of the folder, in the order of their names or backwards: between equal fits the first one would win. */
static struct webhook_profiles *shipped(bool backwards)
{
	struct webhook_profiles *p = webhook_profiles_new();
	char *names[256];
	size_t n = 0;
	DIR *d = opendir(WEBHOOK_PROFILES);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (slice_ends(slice_str(e->d_name), SLICE(".yaml")) && n < 256)
			names[n++] = xstrdup(e->d_name);
	closedir(d);
	assert_true(n > 60);
	qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n; i++)
		add_file(p, names[backwards ? n - 1 - i : i]);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	return p;
}

/* ---- bodies */

static char *written(const char *s)
{
	struct buf out = {0};
	for (; *s != '\0'; s++) {
		if (*s == '@')
			buf_str(&out, "\\\"");
		else
			buf_char(&out, *s == '\'' || *s == '`' ? '"' : *s);
	}
	char *text = slice_dup(buf_slice(&out));
	buf_free(&out);
	return text;
}

static void check_event(struct bench *b, const struct product *p, size_t i, struct slice expect)
{
	struct slice pair, name;
	while (expect.n > 0 && slice_split(&expect, ';', &pair)) {
		assert_true(slice_split(&pair, '=', &name));
		char *field = slice_dup(name), *value = slice_dup(pair);
		const char *got = bench_field(b, i, field);
		if (strcmp(got, value) != 0)
			fail_msg("%s, event %zu: %s is '%s', not '%s' in %s", p->profile, i, field, got,
			         value, p->body);
		free(field);
		free(value);
	}
}

static void check_product(struct webhook_profiles *all, const struct product *p, const char *profile)
{
	struct error err;
	struct bench b = bench_new();
	void *settings = webhook_settings_new(all, profile, &err);
	assert_non_null(settings);
	char *body = written(p->body);
	b.env.headers = p->headers != NULL ? slice_str(p->headers) : SLICE_NONE;
	b.env.content_type = p->type != NULL ? slice_str(p->type) : SLICE("application/json");
	assert_int_equal(bench_decode(&b, &webhook_decoder, settings, slice_str(body)), DECODE_OK);
	if (b.batch.n != p->n)
		fail_msg("%s: %zu events, not %zu", p->profile, b.batch.n, p->n);
	struct slice rest = slice_str(p->expect), part;
	for (size_t i = 0; rest.n > 0 && slice_split(&rest, '|', &part); i++)
		check_event(&b, p, i, part);
	free(body);
	free(settings);
	bench_free(&b);
}

static void by_their_names(void **state)
{
	(void)state;
	struct webhook_profiles *all = shipped(false);
	for (size_t i = 0; i < ARRAY_LEN(products); i++)
		check_product(all, &products[i], products[i].profile);
	webhook_profiles_free(all);
}

static void found_by_auto(void **state)
{
	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		struct webhook_profiles *all = shipped(backwards > 0);
		for (size_t i = 0; i < ARRAY_LEN(products); i++)
			check_product(all, &products[i], "auto");
		webhook_profiles_free(all);
	}
}

static void detect_one(const struct webhook_profiles *all, const struct product *p)
{
	struct error err;
	struct arena *a = arena_new(0);
	char *body = written(p->body);
	const struct json *j = json_parse(a, slice_str(body), JSON_LIMITS, NULL, &err);
	if (j != NULL) {
		struct slice headers = p->headers != NULL ? slice_str(p->headers) : SLICE_NONE;
		const struct profile *found = detect_product(all, j, headers);
		struct slice name = found != NULL ? found->name : SLICE("generic");
		if (!slice_is(name, p->outer != NULL ? p->outer : p->profile))
			fail_msg("%s is taken for " SLICE_FMT, p->profile, SLICE_ARG(name));
	}
	free(body);
	arena_free(a);
}

/* Whatever order the profiles stand in: no two of them fit a body equally well. */
static void nobody_takes_another(void **state)
{
	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		struct webhook_profiles *all = shipped(backwards > 0);
		for (size_t i = 0; i < ARRAY_LEN(products); i++)
			detect_one(all, &products[i]);
		webhook_profiles_free(all);
	}
}

static void every_profile_has_a_body(void **state)
{
	(void)state;
	struct webhook_profiles *all = shipped(false);
	for (const struct profile *p = all->first; p != NULL; p = p->next) {
		bool there = false;
		for (size_t i = 0; i < ARRAY_LEN(products); i++)
			there = there || slice_is(p->name, products[i].profile);
		if (!there)
			fail_msg("no body for " SLICE_FMT, SLICE_ARG(p->name));
	}
	webhook_profiles_free(all);
}

/* ---- no events */

static void noted(const char *profile, const char *body, const char *note)
{
	struct error err;
	struct bench b = bench_new();
	struct webhook_profiles *all = shipped(false);
	void *settings = webhook_settings_new(all, profile, &err);
	char *text = written(body);
	assert_int_equal(bench_decode(&b, &webhook_decoder, settings, slice_str(text)), DECODE_REFUSED);
	assert_int_equal(b.batch.n, 0);
	assert_int_equal(b.batch.n_notes, 1);
	if (strstr(b.batch.notes[0].text, note) == NULL)
		fail_msg("%s", b.batch.notes[0].text);
	free(text);
	free(settings);
	webhook_profiles_free(all);
	bench_free(&b);
}

static void control_messages(void **state)
{
	(void)state;
	static const char subscribe[] =
	    "{'Type':'SubscriptionConfirmation','MessageId':'m','Token':'t','TopicArn':'arn:x','Message':'"
	    "You have "
	    "chosen','SubscribeURL':'https://sns.example/confirm','Timestamp':'2026-11-20T10:00:00.000Z'}";
	noted("auto", subscribe, "https://sns.example/confirm");
	noted("cloudwatch", subscribe, "https://sns.example/confirm");
	noted("sns",
	      "{'Type':'UnsubscribeConfirmation','MessageId':'m','TopicArn':'arn:x','SubscribeURL':'https://"
	      "s/1'}",
	      "https://s/1");
	noted("collectd",
	      "[{'values':[1],'dsnames':['value'],'plugin':'load','interval':10},{'values':[2],'dsnames':['"
	      "value']}]",
	      "no alerts");
	noted("otlp-logs", "{'resourceLogs':[]}", "an empty list");
}

/* ---- start */

static void compiled_quickly(void **state)
{
	(void)state;
	struct timespec a, b;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	webhook_profiles_free(shipped(false));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	double ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	print_message("all profiles in %.1f ms\n", ms);
	assert_true(ms < 2000); /* with every sanitizer on a slow machine; a few milliseconds without */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_their_names),       cmocka_unit_test(found_by_auto),
	    cmocka_unit_test(nobody_takes_another), cmocka_unit_test(every_profile_has_a_body),
	    cmocka_unit_test(control_messages),     cmocka_unit_test(compiled_quickly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
