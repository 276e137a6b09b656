/* Promises the words of an alert: rendered templates, by values, the last events; all bounded and without
 * control or direction characters, whatever the event brought (reliability.md, "log and ticket injection").
 */
#include "engine/alert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUE_MAX = 512, SUMMARY_MAX = 200, TITLE_MAX = 200, NOTE_MAX = 200, DESCRIPTION_MAX = 4000, EVENT_MAX = 2048 };

/* ---- cleaning */

static uint32_t code_point(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	switch (n) {
	case 1: return u[0];
	case 2: return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
	case 3: return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
	default:
		return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 |
		       (uint32_t)(u[2] & 0x3f) << 6 | (u[3] & 0x3f);
	}
}

/* Turns the direction of text, or is invisible: such a character lets one name look like another. */
static bool direction(uint32_t c)
{
	return c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

/* Nothing but printable ASCII. */
static bool plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f)
			return false;
	}
	return true;
}

static void clean_char(struct buf *b, struct slice s, size_t at, size_t n)
{
	if (n == 0) {
		buf_str(b, "\xef\xbf\xbd");
		return;
	}
	uint32_t c = code_point(s.p + at, n);
	if (c < 0x20 || c == 0x7f || c == 0x2028 || c == 0x2029)
		buf_char(b, ' ');
	else if (!(c >= 0x80 && c < 0xa0) && !direction(c))
		buf_add(b, s.p + at, n);
}

struct slice text_clean(struct arena *scratch, struct slice s, size_t octets)
{
	if (s.n <= octets && plain(s))
		return s;
	struct buf b = {0};
	for (size_t at = 0, n; at < s.n; at += MAX(n, 1)) {
		n = slice_char(s, at);
		size_t before = b.n;
		clean_char(&b, s, at, n);
		if (b.n > octets) {
			b.n = before;
			break;
		}
	}
	struct slice out = arena_slice(scratch, (struct slice){b.n > 0 ? b.p : "", b.n});
	buf_free(&b);
	return out;
}

/* At most so many characters; the text is UTF-8 already or made so by the writer. */
static struct slice cut(struct slice s, size_t chars)
{
	size_t at = 0;
	for (; at < s.n && chars > 0; chars--)
		at += MAX(slice_char(s, at), 1);
	return slice_sub(s, 0, MIN(at, s.n));
}

/* ---- names in templates */

struct render {
	const struct engine *e;
	const struct rule *rule;
	const struct alert *alert;
	const struct fields *fields;
	bool with_service; /* alert.service is settled */
	bool again;        /* in the words of the opening event */
	char number[32];
};

static struct slice in_scratch(const struct render *v, const struct buf *b)
{
	return arena_slice(v->e->scratch, buf_slice(b));
}

static struct slice time_text(const struct render *v, instant t)
{
	struct buf b = {0};
	if (t == INSTANT_NONE)
		return SLICE_NONE;
	instant_format(t, &b);
	struct slice s = in_scratch(v, &b);
	buf_free(&b);
	return s;
}

/* Whole numbers whole, others with three places at most. */
struct slice number_text(struct arena *scratch, double x)
{
	char text[64];
	int n = fabs(x) < 1e15 ? snprintf(text, sizeof text, "%.3f", x) : snprintf(text, sizeof text, "%.6g", x);
	BUG_ON(n <= 0 || (size_t)n >= sizeof text);
	for (bool more = strchr(text, '.') != NULL && strchr(text, 'e') == NULL; more && n > 1;) {
		more = text[n - 1] == '0';
		if (more || text[n - 1] == '.')
			n--;
	}
	return arena_slice(scratch, slice_of(text, (size_t)n));
}

static struct slice alert_name(struct render *v, struct slice name)
{
	const struct alert *a = v->alert;
	if (slice_is(name, "rule"))
		return slice_str(a->rule_id);
	if (slice_is(name, "state"))
		return SLICE("open");
	if (slice_is(name, "severity"))
		return slice_str(severity_word(a->severity));
	if (slice_is(name, "opened"))
		return time_text(v, a->opened != INSTANT_NONE ? a->opened : v->e->now);
	if (slice_is(name, "value") && a->has_value)
		return number_text(v->e->scratch, a->value);
	if (!slice_is(name, "count") && !slice_is(name, "value"))
		return SLICE_NONE;
	int n = snprintf(v->number, sizeof v->number, "%llu", (unsigned long long)a->count);
	return arena_slice(v->e->scratch, slice_of(v->number, (size_t)n));
}

static struct slice rule_name(const struct render *v, struct slice name)
{
	if (slice_is(name, "id"))
		return v->rule->id;
	if (slice_is(name, "summary"))
		return slice_str(v->alert->summary);
	if (slice_is(name, "runbook"))
		return v->rule->runbook;
	return slice_is(name, "owner") ? v->rule->owner : SLICE_NONE;
}

/* Of the service that the alert speaks about, which a rule's `service` may have changed. */
static struct slice service_name(const struct render *v, struct slice path, struct slice name)
{
	struct slice id = slice_str(v->alert->service);
	if (!v->with_service)
		return value_slice(fields_get_name(v->fields, path));
	uint32_t s = id.n > 0 ? service_find(v->e->setup.map, id) : SERVICE_NONE;
	if (s == SERVICE_NONE)
		return slice_is(name, "name") ? id : SLICE_NONE;
	char number[16];
	struct slice text = service_path(v->e->setup.map, s, name, number);
	return arena_slice(v->e->scratch, text);
}

static const char *said(const struct alert *a, struct slice path)
{
	for (size_t i = 0; i < a->n_said; i++) {
		if (slice_is(path, a->said_names[i]))
			return a->said_values[i];
	}
	return NULL;
}

static bool lookup(void *env, struct slice path, struct slice *value)
{
	struct render *v = env;
	struct slice name = path, head;
	struct slice found = SLICE_NONE;
	const char *former = v->again ? said(v->alert, path) : NULL;
	if (former != NULL) {
		*value = slice_str(former);
		return former[0] != '\0';
	}
	if (!slice_split(&name, '.', &head))
		return false;
	if (slice_is(head, "incident") && name.p != NULL) {
		*value = slice_str(arena_printf(v->e->scratch, "\001" SLICE_FMT "\002", SLICE_ARG(path)));
		return true;
	}
	if (slice_is(head, "alert") && name.p != NULL && v->alert->rule_id != NULL)
		found = alert_name(v, name);
	else if (slice_is(head, "steps") && v->e->windows->said != NULL)
		(void)steps_said_value(v->e->windows->said, path, &found);
	else if (slice_is(head, "rule") && name.p != NULL)
		found = rule_name(v, name);
	else if (slice_is(head, "service") && name.p != NULL)
		found = service_name(v, path, name);
	if (found.n == 0)
		found = value_slice(fields_get_name(v->fields, path));
	if (found.n == 0)
		return false;
	*value = text_clean(v->e->scratch, found, VALUE_MAX);
	return true;
}

/* In scratch; absent if there is nothing. */
static struct slice render(struct render *v, const struct template *t, size_t octets)
{
	struct buf b = {0};
	struct error err;
	if (t == NULL)
		return SLICE_NONE;
	if (template_render(t, lookup, v, v->e->scratch, &b, &err) < 0)
		b.n = 0;
	struct slice s = {b.p, b.n};
	size_t at = 0;
	while (at < s.n && at + MAX(slice_char(s, at), 1) <= octets)
		at += MAX(slice_char(s, at), 1);
	b.n = at;
	s = b.n > 0 ? in_scratch(v, &b) : SLICE_NONE;
	buf_free(&b);
	return s;
}

static char *keep(struct slice s)
{
	return s.n > 0 ? slice_dup(s) : NULL;
}

static char *keep_field(const struct render *v, enum field_id id)
{
	return keep(text_clean(v->e->scratch, value_slice(fields_get(v->fields, id)), VALUE_MAX));
}

/* ---- one alert */

static char *lower(struct slice s)
{
	char *p = keep(slice_trim(s));
	for (char *c = p; c != NULL && *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	}
	return p;
}

static char *known_or_text(const struct service_map *map, uint32_t s, char *text)
{
	if (s == SERVICE_NONE)
		return text;
	free(text);
	return slice_dup(service_id(map, s));
}

/* As the field `service` is resolved, from this event (language.md section 6). */
static void render_service(struct render *v, struct alert *a)
{
	const struct service_map *map = v->e->setup.map;
	enum resolve_step how;
	struct slice text =
	    v->rule->service != NULL
	        ? render(v, v->rule->service, VALUE_MAX)
	        : text_clean(v->e->scratch, value_slice(fields_get(v->fields, FIELD_SERVICE)), VALUE_MAX);
	char *name = lower(text);
	uint32_t s = resolve_event(map, slice_str(name), slice_str(a->host), slice_str(a->port), &how);
	a->service = known_or_text(map, s, name);
	v->with_service = true;
}

static void render_peer(struct render *v, struct alert *a)
{
	const struct service_map *map = v->e->setup.map;
	enum resolve_step how;
	struct slice text =
	    v->rule->peer != NULL
	        ? render(v, v->rule->peer, VALUE_MAX)
	        : text_clean(v->e->scratch, value_slice(fields_get(v->fields, FIELD_PEER)), VALUE_MAX);
	char *name = lower(text);
	if (name != NULL)
		name = known_or_text(map, resolve_peer(map, slice_str(name), &how), name);
	a->peer = name;
}

static void set_summary(struct render *v, struct alert *a)
{
	struct slice s = render(v, v->rule->summary, 4 * SUMMARY_MAX);
	free(a->summary);
	a->summary =
	    slice_dup(cut(slice_trim(text_clean(v->e->scratch, s.p != NULL ? s : SLICE(""), 4 * SUMMARY_MAX)),
	                  SUMMARY_MAX));
}

static void keep_said(struct render *v, struct alert *a)
{
	const struct slice *paths;
	size_t n = template_paths(v->rule->summary, &paths);
	a->said_names = xcalloc(MAX(n, 1), sizeof(char *));
	a->said_values = xcalloc(MAX(n, 1), sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		struct slice value = SLICE_NONE;
		if (slice_starts(paths[i], SLICE("alert.")))
			continue;
		if (!lookup(v, paths[i], &value))
			value = SLICE("");
		a->said_names[a->n_said] = slice_dup(paths[i]);
		a->said_values[a->n_said++] = slice_dup(value);
	}
}

static void render_extra(struct render *v, struct alert *a)
{
	const struct rule_incident *in = &v->rule->incident;
	a->n_extra = in->n_extra;
	a->extra_names = xcalloc(MAX(in->n_extra, 1), sizeof(char *));
	a->extra_values = xcalloc(MAX(in->n_extra, 1), sizeof(char *));
	for (size_t i = 0; i < in->n_extra; i++) {
		struct slice s = render(v, in->extra[i], VALUE_MAX);
		a->extra_names[i] = slice_dup(in->extra_keys[i]);
		a->extra_values[i] = slice_dup(s.p != NULL ? s : SLICE(""));
	}
}

/* 17.16: a missing value is (none). */
static void keep_group(const struct render *v, struct alert *a)
{
	const struct rule_incident *in = &v->rule->incident;
	a->n_group = in->group == GROUP_FIELDS ? in->n_fields : 0;
	a->group_names = xcalloc(MAX(a->n_group, 1), sizeof(char *));
	a->group_values = xcalloc(MAX(a->n_group, 1), sizeof(char *));
	for (size_t i = 0; i < a->n_group; i++) {
		struct slice s = value_slice(fields_get_name(v->fields, in->fields[i]));
		a->group_names[i] = slice_dup(in->fields[i]);
		a->group_values[i] =
		    slice_dup(s.n > 0 ? text_clean(v->e->scratch, s, VALUE_MAX) : SLICE("(none)"));
	}
}

static void keep_by(struct render *v, struct alert *a)
{
	struct slice key;
	const char **values = alert_by_values(v->e, v->rule, v->fields, &key);
	a->key = slice_dup(key);
	a->n_by = v->rule->n_by;
	a->by_names = xcalloc(MAX(a->n_by, 1), sizeof(char *));
	a->by_values = xcalloc(MAX(a->n_by, 1), sizeof(char *));
	for (size_t i = 0; i < a->n_by; i++) {
		a->by_names[i] = slice_dup(v->rule->by[i].name);
		a->by_values[i] = xstrdup(values[i]);
	}
}

static void put_field(const struct render *v, struct buf *b, struct slice name, struct value value)
{
	struct slice s = text_clean(v->e->scratch, value_slice(value), VALUE_MAX);
	if (s.n == 0 || b->n + name.n + s.n + 9 > EVENT_MAX)
		return;
	buf_lslice(b, name);
	buf_u8(b, value.type);
	buf_lslice(b, s);
}

/* Short ones first: a long message must not cost the field that a silence asks for. */
static void keep_event(const struct render *v, struct alert *a)
{
	const struct fields *f = v->fields;
	struct buf b = {0};
	for (unsigned id = FIELD_NONE + 1; id < FIELD_CORE_MAX; id++) {
		bool last = id == FIELD_MESSAGE || id == FIELD_SUMMARY;
		if (!last && id != FIELD_TIME && id != FIELD_RECEIVED)
			put_field(v, &b, slice_str(field_name((enum field_id)id)), f->core[id]);
	}
	for (size_t i = 0; i < f->n_named; i++) {
		if (!slice_starts(f->named[i].name, SLICE("service.")) && !slice_starts(f->named[i].name, SLICE("alert.")))
			put_field(v, &b, f->named[i].name, f->named[i].v);
	}
	put_field(v, &b, SLICE("summary"), f->core[FIELD_SUMMARY]);
	put_field(v, &b, SLICE("message"), f->core[FIELD_MESSAGE]);
	a->event = b.n > 0 ? slice_dup(buf_slice(&b)) : NULL;
	a->event_n = b.n;
	buf_free(&b);
}

void alert_render(struct engine *e, const struct rule *r, struct alert *a, const struct fields *f)
{
	struct render v = {.e = e, .rule = r, .alert = a, .fields = f};
	keep_by(&v, a);
	a->host = keep_field(&v, FIELD_HOST);
	a->port = keep_field(&v, FIELD_PORT);
	a->source = keep_field(&v, FIELD_SOURCE);
	a->app = keep_field(&v, FIELD_APP);
	keep_event(&v, a);
	render_service(&v, a);
	render_peer(&v, a);
	set_summary(&v, a);
	if (e->windows->rules[r->number].counts_in_summary)
		keep_said(&v, a);
	a->runbook = keep(r->runbook);
	a->owner = keep(r->owner);
	a->description = keep(render(&v, r->description, DESCRIPTION_MAX));
	a->title = keep(cut(render(&v, r->incident.title, 4 * TITLE_MAX), TITLE_MAX));
	a->assign = keep(render(&v, r->incident.assign, VALUE_MAX));
	render_extra(&v, a);
	keep_group(&v, a);
}

void alert_render_summary(struct engine *e, const struct rule *r, struct alert *a, const struct fields *f)
{
	struct render v = {.e = e, .rule = r, .alert = a, .fields = f, .with_service = true, .again = true};
	set_summary(&v, a);
}

const char **alert_by_values(const struct engine *e, const struct rule *r, const struct fields *f,
                             struct slice *key)
{
	const char **values = arena_array(e->scratch, MAX(r->n_by, 1), sizeof *values);
	struct buf b = {0};
	for (size_t i = 0; i < r->n_by; i++) {
		const struct field_ref *by = &r->by[i];
		struct slice s = value_slice(by->core != FIELD_NONE ? fields_get(f, by->core)
		                                                    : fields_get_name(f, by->name));
		values[i] = s.n > 0 ? arena_str(e->scratch, text_clean(e->scratch, s, VALUE_MAX)) : "(none)";
		if (i > 0)
			buf_char(&b, '\037'); /* no clean value holds it */
		buf_str(&b, values[i]);
	}
	*key = arena_slice(e->scratch, (struct slice){b.n > 0 ? b.p : "", b.n});
	buf_free(&b);
	return values;
}

void alert_key_fields(const struct engine *e, const struct rule *r, struct slice key, struct fields *f)
{
	struct slice value;
	for (size_t i = 0; i < r->n_by; i++) {
		if (!slice_split(&key, '\037', &value) || slice_is(value, "(none)"))
			continue;
		value = arena_slice(e->scratch, value);
		if (r->by[i].core != FIELD_NONE)
			fields_set(f, r->by[i].core, value);
		else
			(void)fields_set_named(f, r->by[i].name, value, r->by[i].type);
	}
}

/* ---- the first and the last events */

static char *note_text(const struct engine *e, const struct fields *f)
{
	struct slice what = value_slice(fields_get(f, FIELD_MESSAGE));
	if (what.n == 0)
		what = value_slice(fields_get(f, FIELD_SUMMARY));
	if (what.n == 0)
		what = value_slice(fields_get(f, FIELD_CHECK));
	struct slice host = value_slice(fields_get(f, FIELD_HOST));
	struct buf b = {0};
	buf_adds(&b, text_clean(e->scratch, host, VALUE_MAX));
	if (host.n > 0 && what.n > 0)
		buf_str(&b, "  ");
	buf_adds(&b, text_clean(e->scratch, what, 4 * NOTE_MAX));
	char *text = slice_dup(cut((struct slice){b.n > 0 ? b.p : "", b.n}, NOTE_MAX));
	buf_free(&b);
	return text;
}

void alert_note(struct engine *e, struct alert *a, const struct fields *f)
{
	struct text_note note = {e->now, note_text(e, f)};
	if (a->n_head < ARRAY_LEN(a->head)) {
		a->head[a->n_head++] = note;
		return;
	}
	if (a->n_tail == ARRAY_LEN(a->tail)) {
		free(a->tail[0].text);
		memmove(&a->tail[0], &a->tail[1], (ARRAY_LEN(a->tail) - 1) * sizeof a->tail[0]);
		a->n_tail--;
	}
	a->tail[a->n_tail++] = note;
}
