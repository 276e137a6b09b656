/* Promises which services are in maintenance: those that a silence with include_dependents names, while it is
 * in force and for correlation.maint_grace after its end. Must not know who asks. */
#include <stdlib.h>

#include "engine/silence.h"

struct found {
	struct maintained *v;
	size_t n, cap;
};

void maintained_free(struct maintained *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].service);
		free(v[i].silence);
	}
	free(v);
}

static void found_add(struct found *to, struct slice service, const char *silence, bool running,
                      instant until)
{
	to->v = array_reserve(to->v, &to->cap, to->n + 1, sizeof *to->v);
	to->v[to->n++] = (struct maintained){slice_dup(service), xstrdup(silence), running, until};
}

/* ---- the names in a condition */

struct names {
	struct atom_name {
		struct slice text;
		bool host;
	} * v;
	size_t n, cap;
};

static void name_add(struct names *to, struct slice text, bool host)
{
	to->v = array_reserve(to->v, &to->cap, to->n + 1, sizeof *to->v);
	to->v[to->n++] = (struct atom_name){text, host};
}

static bool atom_names(const struct silence *s, const struct atom *a, struct names *to,
                       const struct rule_set *rs)
{
	size_t n_lists;
	const struct value_list *lists = rule_set_lists(rs, &n_lists);
	bool host = a->field.core == FIELD_HOST;
	if (!host && a->field.core != FIELD_SERVICE)
		return false;
	if (a->op == OP_EQ) {
		for (size_t i = 0; i < a->n_texts; i++)
			name_add(to, a->texts[i], host);
		return true;
	}
	if (a->op != OP_LIST || s->match_json != NULL)
		return false;
	for (size_t i = 0; i < a->n_lists; i++) {
		const struct value_list *l = &lists[a->lists[i]];
		for (size_t k = 0; k < l->n; k++)
			name_add(to, l->values[k], host);
	}
	return true;
}

/* True: whatever fits the condition bears one of the names. */
static bool cond_names(const struct silence *s, const struct cond *c, struct names *to,
                       const struct rule_set *rs)
{
	size_t before = to->n;
	switch (c->kind) {
	case COND_ATOM: return atom_names(s, c->atom, to, rs);
	case COND_NOT: return false;
	case COND_ALL:
		for (size_t i = 0; i < c->n; i++) {
			if (cond_names(s, c->kids[i], to, rs))
				return true;
			to->n = before;
		}
		return false;
	case COND_ANY:
		for (size_t i = 0; i < c->n; i++) {
			if (!cond_names(s, c->kids[i], to, rs))
				return false;
		}
		return true;
	}
	return false;
}

/* ---- the services that a silence names */

static bool test(struct engine *e, const struct silence *s, struct slice service, struct slice host,
                 struct fields *f)
{
	fields_reset(f);
	fields_set(f, FIELD_SERVICE, service);
	fields_set(f, FIELD_HOST, host);
	matcher_resolve(s->matcher, e->setup.map, f); /* service.* */
	if (service.n > 0)
		fields_set(f, FIELD_SERVICE, service); /* as it is written, not as it is called */
	return matcher_test(s->matcher, s->match, f);
}

static void by_name(struct engine *e, const struct silence *s, const struct names *names, struct fields *f,
                    struct found *to)
{
	for (size_t i = 0; i < names->n; i++) {
		struct slice name = names->v[i].text, none = SLICE_NONE;
		bool host = names->v[i].host;
		if (!test(e, s, host ? none : name, host ? name : none, f))
			continue;
		uint32_t n = resolve_event(e->setup.map, host ? none : name, host ? name : none, none, NULL);
		if (n == SERVICE_NONE)
			n = service_find(e->setup.map, name);
		found_add(to, n != SERVICE_NONE ? service_id(e->setup.map, n) : name, s->id, true,
		          s->during != NULL ? s->edge : s->until);
	}
}

static void by_scan(struct engine *e, const struct silence *s, struct fields *f, struct found *to)
{
	const struct service_map *m = e->setup.map;
	for (uint32_t i = 0; i < service_map_len(m); i++) {
		struct slice id = service_id(m, i);
		if (test(e, s, id, id, f))
			found_add(to, id, s->id, true, s->during != NULL ? s->edge : s->until);
	}
}

static void named_by(struct engine *e, const struct silence *s, struct found *to)
{
	struct names names = {0};
	struct fields f;
	fields_init(&f, e->scratch);
	if (cond_names(s, s->match, &names, e->setup.rules))
		by_name(e, s, &names, &f, to);
	else
		by_scan(e, s, &f, to);
	fields_free(&f);
	free(names.v);
}

/* ---- the set */

/* Of one service: running ones first, then the later end; an unknown end is the latest. */
static int by_service(const void *x, const void *y)
{
	const struct maintained *a = x, *b = y;
	int c = strcmp(a->service, b->service);
	if (c != 0)
		return c;
	if (a->running != b->running)
		return a->running ? -1 : 1;
	if (a->until != b->until)
		return a->until == INSTANT_NONE || (b->until != INSTANT_NONE && a->until > b->until) ? -1 : 1;
	return strcmp(a->silence, b->silence);
}

static void sort_unique(struct found *s)
{
	size_t kept = 0;
	if (s->n > 1)
		qsort(s->v, s->n, sizeof *s->v, by_service);
	for (size_t i = 0; i < s->n; i++) {
		if (kept > 0 && strcmp(s->v[kept - 1].service, s->v[i].service) == 0) {
			free(s->v[i].service);
			free(s->v[i].silence);
			continue;
		}
		s->v[kept++] = s->v[i];
	}
	s->n = kept;
}

static bool same(const struct silences *ss, const struct found *s)
{
	if (ss->n_services != s->n)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const struct maintained *a = &ss->services[i], *b = &s->v[i];
		if (a->running != b->running || a->until != b->until || strcmp(a->service, b->service) != 0 ||
		    strcmp(a->silence, b->silence) != 0)
			return false;
	}
	return true;
}

void maintained_update(struct engine *e)
{
	struct silences *ss = e->silences;
	struct found now = {0};
	duration grace = e->setup.config->correlation.maint_grace;
	for (size_t i = 0; i < ss->n; i++) {
		if (ss->v[i]->active && ss->v[i]->dependents)
			named_by(e, ss->v[i], &now);
	}
	for (size_t i = 0; i < ss->n_services; i++) {
		const struct maintained *m = &ss->services[i];
		instant end = m->running ? e->now : m->until;
		if (e->now - end < grace)
			found_add(&now, slice_str(m->service), m->silence, false, end);
	}
	sort_unique(&now);
	if (same(ss, &now)) {
		maintained_free(now.v, now.n);
		return;
	}
	maintained_free(ss->services, ss->n_services);
	ss->services = now.v;
	ss->n_services = now.n;
	ss->changed = true;
}

char **silence_names(struct engine *e, const struct silence *s, size_t *n)
{
	struct found found = {0};
	named_by(e, s, &found);
	sort_unique(&found);
	char **v = xcalloc(found.n + 1, sizeof *v);
	for (*n = 0; *n < found.n; (*n)++)
		v[*n] = xstrdup(found.v[*n].service);
	maintained_free(found.v, found.n);
	return v;
}

instant maintained_edge(const struct engine *e)
{
	const struct silences *ss = e->silences;
	instant first = INSTANT_NONE;
	for (size_t i = 0; i < ss->n_services; i++) {
		instant end = ss->services[i].until + e->setup.config->correlation.maint_grace;
		if (!ss->services[i].running && (first == INSTANT_NONE || end < first))
			first = end;
	}
	return first;
}

const struct maintained *silence_services(const struct engine *e, size_t *n)
{
	*n = e->silences->n_services;
	return e->silences->services;
}

bool silence_maintains(const struct engine *e, const char *service, instant *until)
{
	const struct silences *ss = e->silences;
	size_t low = 0, n = ss->n_services;
	while (n > 0) {
		size_t half = n / 2;
		if (strcmp(ss->services[low + half].service, service) < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	if (low >= ss->n_services || strcmp(ss->services[low].service, service) != 0)
		return false;
	if (until != NULL)
		*until = ss->services[low].until;
	return true;
}
