/* Promises what an operator may do with silences while the daemon runs: preview, add, extend, expire; each is
 * a journaled input. Conditions are compiled by the loader of rule files, so a silence means the same
 * wherever it was written. Must not know how a command arrived. */
#include "engine/silence.h"

#include <stdlib.h>

#include "engine/alert.h"
#include "engine/during.h"

enum { RUNTIME_MAX = 500, MATCH_MAX = 8192, REASON_MAX = 500, SHOWN_MAX = 200 };
#define YEAR (366 * DAY)

struct command {
	struct engine *e;
	const struct json *cmd, *body;
	struct jw *reply;
};

static bool refuse(struct command *c, int status, const char *error)
{
	jw_kbool(c->reply, "ok", false);
	jw_kstr(c->reply, "error", error);
	jw_kint(c->reply, "status", status);
	return true;
}

/* ---- conditions */

static void lower_id(const char *ulid, struct buf *out)
{
	buf_char(out, 's');
	for (const char *p = ulid; *p != '\0'; p++)
		buf_char(out, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
}

/* JSON is YAML: what was sent stands there as it is. */
static void document(const struct silence *s, struct buf *out)
{
	struct jw w = jw_new(out);
	struct buf id = {0};
	lower_id(s->id, &id);
	jw_object(&w);
	jw_kstr(&w, "version", "1");
	jw_kstr(&w, "package", "runtime");
	jw_key(&w, "silences");
	jw_object(&w);
	jw_key(&w, buf_cstr(&id));
	jw_object(&w);
	jw_key(&w, "match");
	jw_raw(&w, slice_str(s->match_json));
	jw_kstr(&w, "reason", "made at run time");
	jw_kstr(&w, "until", "2030-01-01T00:00:00Z");
	jw_kstr(&w, "include_dependents", s->dependents ? "true" : "false");
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	buf_free(&id);
}

static void conditions(struct silences *ss)
{
	size_t n;
	const struct rule_silence *v = rule_set_silences(ss->runtime, &n);
	for (size_t i = ss->n_files; i < ss->n; i++) {
		struct buf id = {0};
		buf_str(&id, "runtime/");
		lower_id(ss->v[i]->id, &id);
		ss->v[i]->match = NULL;
		ss->v[i]->matcher = ss->matcher;
		for (size_t k = 0; k < n; k++) {
			if (slice_eq(v[k].id, buf_slice(&id)))
				ss->v[i]->match = v[k].match;
		}
		BUG_ON(ss->v[i]->match == NULL);
		buf_free(&id);
	}
}

static struct rule_set *compile(const struct silences *ss, struct error *err)
{
	size_t n = ss->n - ss->n_files;
	struct rules_file *files = xcalloc(n + 1, sizeof *files);
	struct buf *texts = xcalloc(n + 1, sizeof *texts);
	struct findings f = {0};
	for (size_t i = 0; i < n; i++) {
		document(ss->v[ss->n_files + i], &texts[i]);
		files[i] =
		    (struct rules_file){.name = ss->v[ss->n_files + i]->id, .text = buf_slice(&texts[i])};
	}
	const struct rules_source src = {.files = files, .n = n, .any_field = true, .partial = true};
	struct rule_set *rs = rule_set_load(&src, &f);
	for (size_t i = 0; rs == NULL && i < f.n; i++) {
		if (f.v[i].level == FINDING_ERROR) {
			error_set(err, "%s [%s]", f.v[i].message, f.v[i].code);
			break;
		}
	}
	for (size_t i = 0; i < n; i++)
		buf_free(&texts[i]);
	findings_clear(&f);
	free(texts);
	free(files);
	return rs;
}

bool silences_compile(struct engine *e, struct error *err)
{
	struct silences *ss = e->silences;
	struct rule_set *rs = NULL;
	if (ss->n > ss->n_files) {
		rs = compile(ss, err);
		if (rs == NULL)
			return false;
	}
	matcher_free(ss->matcher);
	rule_set_free(ss->runtime);
	ss->runtime = rs;
	ss->matcher = rs != NULL ? matcher_new(rs) : NULL;
	if (rs != NULL)
		conditions(ss);
	return true;
}

/* ---- as JSON */

static const char *state_word(const struct engine *e, const struct silence *s)
{
	if (s->active)
		return "active";
	if (s->gone)
		return "broken"; /* its calendar is gone */
	if (s->during == NULL && (s->until == INSTANT_NONE || s->until <= e->now))
		return "over";
	return "pending";
}

static void put_file(const struct engine *e, const struct silence *s, struct jw *w)
{
	size_t n;
	const struct rule_silence *v = rule_set_silences(e->setup.rules, &n);
	for (size_t i = 0; i < n; i++) {
		if (!slice_is(v[i].id, s->id))
			continue;
		jw_kstr(w, "file", v[i].file);
		jw_kint(w, "line", v[i].mark.line);
	}
}

static uint64_t marked(const struct engine *e, const struct silence *s)
{
	uint64_t n = 0;
	for (const struct alert *a = e->alerts->all.first; s->active && a != NULL; a = a->next)
		n += a->state == ALERT_OPEN && a->silenced_by != NULL && strcmp(a->silenced_by, s->id) == 0;
	return n;
}

static void put_members(const struct engine *e, const struct silence *s, struct jw *w)
{
	jw_kstr(w, "id", s->id);
	jw_kstr(w, "source", s->match_json != NULL ? "runtime" : "file");
	jw_kstr(w, "state", state_word(e, s));
	jw_kstr(w, "reason", s->reason);
	jw_kstr(w, "owner", s->owner);
	jw_kstr(w, "by", s->by);
	jw_ktime(w, "created", s->created);
	jw_ktime(w, "from", s->from);
	jw_ktime(w, "until", s->until);
	jw_kstr(w, "during", s->during);
	jw_ktime(w, "changes_at", s->edge);
	jw_kbool(w, "include_dependents", s->dependents);
	jw_kint(w, "alerts", (int64_t)marked(e, s));
	if (s->match_json == NULL) {
		put_file(e, s, w);
		return;
	}
	jw_key(w, "match");
	jw_raw(w, slice_str(s->match_json));
}

static bool accept(struct command *c, const struct silence *s)
{
	jw_kbool(c->reply, "ok", true);
	put_members(c->e, s, c->reply);
	return true;
}

/* ---- what is asked for */

static char *text(struct engine *e, const struct json *body, const char *key)
{
	struct slice s = json_text(json_get(body, key));
	return s.n > 0 ? slice_dup(text_clean(e->scratch, s, REASON_MAX)) : NULL;
}

/* "2026-01-05T…", or nothing. False: neither. */
static bool time_of(const struct json *body, const char *key, instant *out)
{
	struct slice s = json_text(json_get(body, key));
	*out = INSTANT_NONE;
	return s.n == 0 || instant_parse(s, out);
}

static const char *read_times(struct engine *e, const struct json *body, struct silence *s)
{
	struct slice length = json_text(json_get(body, "for"));
	duration d;
	if (!time_of(body, "from", &s->from) || !time_of(body, "until", &s->until))
		return "expected a time such as 2026-01-05T00:00:00Z";
	if (length.n > 0 && (!duration_parse(length, &d) || d <= 0))
		return "expected a duration such as 30m, 2h or 1d for 'for'";
	if ((length.n > 0) + (s->until != INSTANT_NONE) + (s->during != NULL) != 1)
		return "a silence needs one end: 'for', 'until' or 'during' [E070]";
	if (s->during != NULL && s->from != INSTANT_NONE)
		return "'from' does not go with 'during' [E070]";
	instant begin = s->from != INSTANT_NONE ? s->from : e->now;
	if (length.n > 0 && __builtin_add_overflow(begin, d, &s->until))
		return "'until' is more than 1 year away [E071]";
	if (s->during == NULL && s->until <= begin)
		return "'until' is before 'from', or over [E071]";
	if (s->during == NULL && (s->until - e->now > YEAR || s->until - begin > YEAR))
		return "'until' is more than 1 year away [E071]";
	return s->during != NULL && during_find(e, slice_str(s->during)) == CALENDAR_NONE
	           ? "there is no such calendar; write package/calendar [E025]"
	           : NULL;
}

static const char *read_body(struct engine *e, const struct json *body, struct silence *s)
{
	const struct json *match = json_get(body, "match"),
	                  *dependents = json_get(body, "include_dependents");
	struct buf b = {0};
	if (match == NULL || match->kind != JSON_OBJECT)
		return "a silence needs 'match': an object such as {\"host\": \"web1\"} [E005]";
	struct jw w = jw_new(&b);
	jw_tree(&w, match);
	s->match_json = slice_dup(buf_slice(&b));
	buf_free(&b);
	if (strlen(s->match_json) > MATCH_MAX)
		return "the condition is too long";
	s->reason = text(e, body, "reason");
	if (s->reason == NULL)
		return "a silence needs a reason [E005]";
	s->owner = text(e, body, "owner");
	s->during = text(e, body, "during");
	s->dependents = dependents != NULL && slice_is(json_text(dependents), "true");
	return read_times(e, body, s);
}

/* The last one goes again; what was compiled with it too. */
static void take_back(struct engine *e)
{
	struct silences *ss = e->silences;
	struct error err;
	silence_free(ss->v[--ss->n]);
	BUG_ON(!silences_compile(e, &err)); /* as it was before */
}

/* NULL: it has been refused. */
static struct silence *append(struct command *c)
{
	struct engine *e = c->e;
	struct error err = {"the condition is not understood"};
	char id[27];
	struct ulid u = engine_id(e);
	if (e->silences->n - e->silences->n_files >= RUNTIME_MAX) {
		refuse(c, 409, "there are 500 silences made at run time already; let one expire");
		return NULL;
	}
	struct silence *s = silence_append(e->silences);
	ulid_text(&u, id);
	s->id = xstrdup(id);
	s->created = e->now;
	s->by = text(e, c->cmd, "by");
	const char *wrong = read_body(e, c->body, s);
	if (wrong == NULL && silences_compile(e, &err))
		return s;
	refuse(c, 400, wrong != NULL ? wrong : err.text);
	silence_free(e->silences->v[--e->silences->n]);
	return NULL;
}

/* ---- commands */

static void put_alert(struct jw *w, const struct alert *a)
{
	char id[27];
	ulid_text(&a->id, id);
	jw_object(w);
	jw_kstr(w, "id", id);
	jw_kstr(w, "rule", a->rule_id);
	jw_kstr(w, "service", a->service);
	jw_kstr(w, "severity", severity_word(a->severity));
	jw_kstr(w, "summary", a->summary);
	jw_end(w);
}

static void put_services(struct command *c, struct silence *s)
{
	size_t n;
	char **v = s->dependents ? silence_names(c->e, s, &n) : NULL;
	jw_key(c->reply, "services");
	jw_array(c->reply);
	for (size_t i = 0; v != NULL && i < n; i++) {
		if (i < SHOWN_MAX)
			jw_str(c->reply, v[i]);
		free(v[i]);
	}
	jw_array_end(c->reply);
	free(v);
}

/* The open alerts that it would mark, by the condition that will mark them. */
static void put_preview(struct command *c, struct silence *s)
{
	int64_t count = 0;
	size_t n;
	struct alert **v = alerts_by_order(c->e, &n);
	jw_key(c->reply, "alerts");
	jw_array(c->reply);
	for (size_t i = 0; i < n; i++) {
		if (v[i]->state != ALERT_OPEN || !silence_fits(c->e, s, v[i]))
			continue;
		if (count++ < SHOWN_MAX)
			put_alert(c->reply, v[i]);
	}
	jw_array_end(c->reply);
	jw_kint(c->reply, "count", count);
	put_services(c, s);
	free(v);
}

static bool preview(struct command *c)
{
	struct silence *s = append(c);
	if (s == NULL)
		return true;
	jw_kbool(c->reply, "ok", true);
	jw_ktime(c->reply, "from", s->from != INSTANT_NONE ? s->from : c->e->now);
	jw_ktime(c->reply, "until", s->until);
	put_preview(c, s);
	take_back(c->e);
	return true;
}

static bool add(struct command *c)
{
	struct silence *s = append(c);
	if (s == NULL)
		return true;
	silences_refresh(c->e, false);
	c->e->silences->dirty = true;
	mutes_settle(c->e); /* so that the answer counts them */
	return accept(c, s);
}

/* By a prefix of four characters at least. NULL: refused. */
static struct silence *find(struct command *c)
{
	const struct silences *ss = c->e->silences;
	struct slice id = json_text(json_get(c->cmd, "id"));
	struct silence *hit = NULL;
	for (size_t i = 0; i < ss->n; i++) {
		struct silence *s = ss->v[i];
		bool whole = slice_is(id, s->id);
		if (!whole && (id.n < 4 || id.n > strlen(s->id) || !slice_ieq(id, slice_of(s->id, id.n))))
			continue;
		if (hit != NULL && !whole) {
			refuse(c, 409, "more than one silence has an id that begins so");
			return NULL;
		}
		hit = s;
		if (whole)
			break;
	}
	if (hit == NULL)
		refuse(c, 404, "no such silence; ids are shown by: carillonctl silence list");
	else if (hit->match_json == NULL)
		refuse(c, 409, "this silence stands in a rule file; change it there and reload");
	return hit != NULL && hit->match_json != NULL ? hit : NULL;
}

static bool expire(struct command *c)
{
	struct silence *s = find(c);
	if (s == NULL)
		return true;
	free(s->during);
	s->during = NULL;
	s->until = c->e->now;
	jw_kbool(c->reply, "ok", true);
	jw_kstr(c->reply, "id", s->id);
	jw_kstr(c->reply, "state", "over");
	struct error err;
	silences_refresh(c->e, false);
	BUG_ON(!silences_compile(c->e, &err)); /* fewer of those that were compiled before */
	return true;
}

static bool extend(struct command *c)
{
	struct silence *s = find(c);
	struct slice length = json_text(json_get(c->body, "for"));
	instant until = INSTANT_NONE;
	duration d = 0;
	if (s == NULL)
		return true;
	if (s->during != NULL)
		return refuse(c, 409, "this silence ends with its calendar");
	if (length.n > 0 && (!duration_parse(length, &d) || d <= 0 || d > YEAR))
		return refuse(c, 400, "expected a duration such as 30m, 2h or 1d for 'for'");
	if (!time_of(c->body, "until", &until) || (length.n > 0) == (until != INSTANT_NONE))
		return refuse(c, 400, "say how long with 'for', or to when with 'until'");
	if (length.n > 0)
		until = s->until + d;
	if (until <= c->e->now || until - c->e->now > YEAR)
		return refuse(c, 400, "'until' is over, or more than 1 year away [E071]");
	s->until = until;
	silences_refresh(c->e, false);
	c->e->silences->dirty = true;
	return accept(c, s);
}

bool silences_command(struct engine *e, const struct json *cmd, struct jw *reply)
{
	static const struct {
		const char *name;
		bool (*run)(struct command *c);
	} commands[] = {{"silence-add", add},
	                {"silence-preview", preview},
	                {"silence-expire", expire},
	                {"silence-extend", extend}};
	struct command c = {.e = e, .cmd = cmd, .body = json_get(cmd, "body"), .reply = reply};
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (slice_is(json_text(json_get(cmd, "do")), commands[i].name))
			return commands[i].run(&c);
	}
	return false;
}

/* ---- rows */

enum { ROW_SILENCE = 8 };

static void row_of(const struct engine *e, const struct silence *s,
                   void (*row)(void *arg, const struct engine_view *v), void *arg)
{
	struct buf json = {0};
	struct jw w = jw_new(&json);
	jw_object(&w);
	put_members(e, s, &w);
	jw_end(&w);
	struct engine_view v = {.kind = ROW_SILENCE,
	                        .id = slice_str(s->id),
	                        .state = slice_str(state_word(e, s)),
	                        .updated = e->now,
	                        .json = buf_slice(&json)};
	row(arg, &v);
	buf_free(&json);
}

static bool still_there(const struct silences *ss, const char *id)
{
	for (size_t i = 0; i < ss->n; i++) {
		if (strcmp(ss->v[i]->id, id) == 0)
			return true;
	}
	return false;
}

static void forget_shown(struct silences *ss, void (*row)(void *arg, const struct engine_view *v), void *arg)
{
	for (size_t i = 0; i < ss->n_shown; i++) {
		if (!still_there(ss, ss->shown[i])) {
			struct engine_view v = {
			    .kind = ROW_SILENCE, .id = slice_str(ss->shown[i]), .updated = INSTANT_NONE};
			row(arg, &v);
		}
		free(ss->shown[i]);
	}
	ss->n_shown = 0;
}

void silences_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v),
                    void *arg)
{
	struct silences *ss = e->silences;
	if (!ss->dirty && !all)
		return;
	ss->dirty = false;
	forget_shown(ss, row, arg);
	for (size_t i = 0; i < ss->n; i++) {
		row_of(e, ss->v[i], row, arg);
		ss->shown = array_reserve(ss->shown, &ss->cap_shown, ss->n_shown + 1, sizeof *ss->shown);
		ss->shown[ss->n_shown++] = xstrdup(ss->v[i]->id);
	}
}
