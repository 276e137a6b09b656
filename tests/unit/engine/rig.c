#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) /* not in one: cmocka's messages are cut */
		if (f->v[i].level == FINDING_ERROR)
			print_message("%s:%u: %s\n", f->v[i].file, f->v[i].mark.line, f->v[i].message);
}

static struct slice no_file(void *arg, const char *rule_file, const char *path)
{
	(void)arg, (void)rule_file, (void)path;
	return SLICE_NONE;
}

/* Of this machine; what is read lives as long as the test. */
static struct slice zone_file(void *arg, const char *name)
{
	static char text[8][8192];
	static size_t used;
	char path[256];
	(void)arg;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return SLICE_NONE;
	used = (used + 1) % ARRAY_LEN(text);
	size_t n = fread(text[used], 1, sizeof text[used], f);
	fclose(f);
	return slice_of(text[used], n);
}

struct rule_set *rig_rules(const char *yaml, const struct config *config)
{
	struct findings f = {0};
	struct rules_file file = {.name = "t.yaml", .text = slice_str(yaml)};
	struct rules_source src = {.files = &file, .n = 1, .config = config, .read = no_file, .zone = zone_file};
	struct rule_set *rs = rule_set_load(&src, &f);
	if (rs == NULL)
		show(&f);
	findings_clear(&f);
	assert_non_null(rs);
	return rs;
}

static void load_map(struct rig *r, const char *yaml)
{
	struct findings f = {0};
	struct map_draft *d = map_draft_new();
	struct doc *doc = doc_parse("map.yaml", slice_str(yaml), DOC_LIMITS, &f);
	assert_non_null(doc);
	map_draft_yaml(d, doc, &f);
	if (map_compile(d, 1000, &f, &r->map_bytes) < 0)
		show(&f);
	struct error err;
	r->map = service_map_open(buf_slice(&r->map_bytes), &err);
	assert_non_null(r->map);
	findings_clear(&f);
	doc_free(doc);
	map_draft_free(d);
}

static struct engine_setup setup_of(const struct rig *r)
{
	return (struct engine_setup){r->config, r->rules, r->map, NULL};
}

struct rig *rig_with_map(const char *yaml, const char *map)
{
	struct rig *r = xcalloc(1, sizeof *r);
	struct findings f = {0};
	r->config = config_load(NULL, 0, "bench", &f);
	assert_non_null(r->config);
	findings_clear(&f);
	r->rules = rig_rules(yaml, r->config);
	if (map != NULL)
		load_map(r, map);
	else
		r->map = service_map_empty();
	r->matcher = matcher_new(r->rules);
	r->arena = arena_new(0);
	struct engine_setup s = setup_of(r);
	r->engine = engine_new(&s);
	effects_init(&r->fx);
	(void)rig_told();
	return r;
}

struct rig *rig_new(const char *yaml)
{
	return rig_with_map(yaml, NULL);
}

void rig_free(struct rig *r)
{
	engine_free(r->engine);
	effects_free(&r->fx);
	matcher_free(r->matcher);
	arena_free(r->arena);
	service_map_close(r->map);
	buf_free(&r->map_bytes);
	rule_set_free(r->rules);
	config_free(r->config);
	free(r);
}

static void step(struct rig *r, duration at, uint16_t kind, struct slice payload,
                 const struct engine_setup *s)
{
	struct engine_input in = {
	    .seq = ++r->seq, .at = T0 + at, .kind = kind, .payload = payload, .setup = s};
	effects_reset(&r->fx);
	engine_step(r->engine, &in, &r->fx);
}

void rig_step(struct rig *r, duration at, uint16_t kind, struct slice payload)
{
	step(r, at, kind, payload, NULL);
}

void rig_tick(struct rig *r, duration at)
{
	step(r, at, INPUT_TICK, SLICE_NONE, NULL);
}

static bool prepared(struct rig *r, duration at, struct fields *f, struct buf *out)
{
	struct ulid id = ulid_make(T0 + at, r->seq, 7);
	return engine_prepare_event(r->matcher, r->map, f, T0 + at, &id, out);
}

void rig_fields(struct rig *r, duration at, struct fields *f)
{
	struct buf payload = {0};
	if (prepared(r, at, f, &payload))
		step(r, at, FRAME_EVENT, buf_slice(&payload), NULL);
	buf_free(&payload);
}

bool rig_event(struct rig *r, duration at, ...)
{
	va_list ap;
	struct fields f;
	struct buf payload = {0};
	arena_reset(r->arena);
	fields_init(&f, r->arena);
	va_start(ap, at);
	for (const char *name; (name = va_arg(ap, const char *)) != NULL;)
		assert_true(
		    fields_set_named(&f, slice_str(name), slice_str(va_arg(ap, const char *)), VALUE_TEXT));
	va_end(ap);
	bool wanted = prepared(r, at, &f, &payload);
	if (wanted)
		step(r, at, FRAME_EVENT, buf_slice(&payload), NULL);
	buf_free(&payload);
	fields_free(&f);
	return wanted;
}

void rig_reload(struct rig *r, duration at, const char *yaml)
{
	struct rule_set *old = r->rules;
	r->rules = rig_rules(yaml, r->config);
	struct engine_setup s = setup_of(r);
	step(r, at, INPUT_RULES, SLICE_NONE, &s);
	matcher_free(r->matcher);
	r->matcher = matcher_new(r->rules);
	rule_set_free(old);
}

void rig_remap(struct rig *r, duration at, const char *yaml)
{
	struct service_map *old = r->map;
	struct buf old_bytes = r->map_bytes;
	r->map_bytes = (struct buf){0};
	load_map(r, yaml);
	struct engine_setup s = setup_of(r);
	step(r, at, INPUT_MAP, SLICE_NONE, &s);
	service_map_close(old);
	buf_free(&old_bytes);
}

struct buf rig_saved(const struct rig *r)
{
	struct buf b = {0};
	engine_save(r->engine, &b);
	return b;
}

void rig_restart(struct rig *r)
{
	struct buf one = rig_saved(r);
	struct engine_setup s = setup_of(r);
	struct error err = {""};
	struct engine *e = engine_load(&s, buf_slice(&one), &err);
	if (e == NULL)
		print_message("%s\n", err.text);
	assert_non_null(e);
	engine_free(r->engine);
	r->engine = e;
	struct buf two = rig_saved(r);
	assert_int_equal(one.n, two.n);
	assert_memory_equal(one.p, two.p, one.n);
	buf_free(&one);
	buf_free(&two);
}

struct search {
	const char *rule, *state;
	size_t n;
	struct ulid id;
};

static void found(void *arg, const struct alert_look *a)
{
	struct search *s = arg;
	if ((s->rule != NULL && !slice_is(a->rule, s->rule)) || strcmp(a->state, s->state) != 0)
		return;
	s->n++;
	assert_true(ulid_parse(a->id, &s->id));
}

size_t rig_count(const struct rig *r, const char *rule, const char *state)
{
	struct search s = {.rule = rule, .state = state};
	engine_each_alert(r->engine, found, &s);
	return s.n;
}

const struct alert *rig_alert(const struct rig *r, const char *rule, const char *state)
{
	struct search s = {.rule = rule, .state = state};
	engine_each_alert(r->engine, found, &s);
	assert_int_equal(s.n, 1);
	for (uint64_t serial = 1; serial <= r->engine->serial; serial++) {
		const struct alert *a = alert_find(r->engine, serial);
		if (a != NULL && memcmp(&a->id, &s.id, sizeof s.id) == 0)
			return a;
	}
	fail();
	return NULL;
}
