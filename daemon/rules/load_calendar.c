/* Calendars of rule files (language.md sections 10 and 17.7; E005, E007, E008, E011, E092). Must not read
 * time-zone files itself: the caller of the loader has their bytes. */
#include <stdlib.h>

#include "rules/load.h"

static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
/* For hints only: what is meant by most slips of the pen. */
static const char *const cities[] = {"UTC",
                                     "Africa/Cairo",
                                     "Africa/Johannesburg",
                                     "Africa/Lagos",
                                     "America/Bogota",
                                     "America/Chicago",
                                     "America/Denver",
                                     "America/Halifax",
                                     "America/Los_Angeles",
                                     "America/Mexico_City",
                                     "America/New_York",
                                     "America/Sao_Paulo",
                                     "America/Toronto",
                                     "Asia/Bangkok",
                                     "Asia/Dubai",
                                     "Asia/Hong_Kong",
                                     "Asia/Jakarta",
                                     "Asia/Kolkata",
                                     "Asia/Manila",
                                     "Asia/Seoul",
                                     "Asia/Shanghai",
                                     "Asia/Singapore",
                                     "Asia/Tokyo",
                                     "Australia/Melbourne",
                                     "Australia/Sydney",
                                     "Europe/Amsterdam",
                                     "Europe/Athens",
                                     "Europe/Berlin",
                                     "Europe/Brussels",
                                     "Europe/Dublin",
                                     "Europe/Helsinki",
                                     "Europe/Istanbul",
                                     "Europe/Kyiv",
                                     "Europe/Lisbon",
                                     "Europe/London",
                                     "Europe/Madrid",
                                     "Europe/Moscow",
                                     "Europe/Oslo",
                                     "Europe/Paris",
                                     "Europe/Prague",
                                     "Europe/Rome",
                                     "Europe/Stockholm",
                                     "Europe/Vienna",
                                     "Europe/Warsaw",
                                     "Europe/Zurich",
                                     "Pacific/Auckland"};

/* ---- zones */

/* NULL with err empty: there is no such zone. */
static const struct zone *zone_of(struct loader *ld, struct slice name, struct error *err)
{
	*err = (struct error){""};
	if (slice_is(name, "UTC"))
		return zone_utc();
	const struct zone *z = hmap_get(ld->zones, name);
	if (z != NULL || !zone_name_valid(name) || ld->src->zone == NULL)
		return z;
	struct slice bytes = ld->src->zone(ld->src->arg, arena_str(ld->tmp, name));
	if (bytes.p == NULL)
		return NULL;
	z = zone_parse(ld->a, bytes, err);
	if (z != NULL)
		hmap_put(ld->zones, name, (void *)(uintptr_t)z);
	return z;
}

/* The daemon's; rule tests of single files run in UTC (17.17). */
static const struct zone *zone_default(struct loader *ld)
{
	const struct config *c = ld->src->config;
	struct error err;
	if (ld->zone != NULL)
		return ld->zone;
	ld->zone = zone_utc();
	if (c == NULL || ld->src->partial || c->timezone == NULL)
		return ld->zone;
	const struct zone *z = zone_of(ld, slice_str(c->timezone), &err);
	if (z != NULL)
		ld->zone = z;
	else if (strcmp(c->timezone, "system") != 0) /* a system without a zone has UTC */
		findings_add(ld->f, FINDING_ERROR, "E011", "carillon.yaml", (struct mark){0}, SLICE_NONE,
		             "timezone '%s' must be one of the IANA time zones, such as Europe/Berlin",
		             c->timezone);
	return ld->zone;
}

static const struct zone *zone_load(struct loader *ld, const struct symbol *s)
{
	const struct node *n = node_get(s->node, "timezone");
	struct error err;
	if (n == NULL || n->kind != NODE_SCALAR || node_null(n))
		return zone_default(ld);
	const struct zone *z = zone_of(ld, n->text, &err);
	if (z != NULL)
		return z;
	if (err.text[0] != '\0')
		load_error(ld, s->file, "E092", n->mark, "cannot read '" SLICE_FMT "': %s",
		           SLICE_ARG(n->text), err.text);
	else
		load_error(ld, s->file, "E011", n->mark,
		           "'" SLICE_FMT "' must be one of the IANA time zones, such as Europe/Berlin%s",
		           SLICE_ARG(n->text), load_hint(ld, n->text, cities, ARRAY_LEN(cities)));
	return zone_utc();
}

/* ---- the keys of an interval */

/* NULL: no such key, or a finding has been made. */
static const struct node *items(const struct node *n, const char *key)
{
	const struct node *list = node_get(n, key);
	return list != NULL && list->kind == NODE_LIST ? list->first : NULL;
}

static bool empty_list(struct loader *ld, const struct load_file *file, const struct node *n, const char *key)
{
	const struct node *list = node_get(n, key);
	if (list == NULL || list->kind != NODE_LIST || list->n > 0)
		return false;
	load_error(ld, file, "E027", list->mark, "empty list; write at least one value or remove '%s'", key);
	return true;
}

static size_t word_index(const char *const *words, struct slice s)
{
	size_t i = 0;
	while (words[i] != NULL && !slice_is(s, words[i]))
		i++;
	return i;
}

/* "mon", "mon-fri", "fri-mon": bits of the words. */
static uint16_t words_load(struct loader *ld, const struct load_file *file, const struct node *n,
                           const char *key, const char *const *words, size_t n_words)
{
	uint16_t bits = 0;
	(void)empty_list(ld, file, n, key);
	for (const struct node *i = items(n, key); i != NULL; i = i->next) {
		struct slice to = i->kind == NODE_SCALAR ? i->text : SLICE_NONE, from;
		if (i->kind != NODE_SCALAR || node_null(i) || !slice_split(&to, '-', &from))
			continue; /* the schema has spoken */
		if (to.p == NULL)
			to = from;
		struct mark at = value_mark(file, i, 0, from.n);
		struct mark second = value_mark(file, i, i->text.n - to.n, to.n);
		if (!load_word(ld, file, at, from, words) || !load_word(ld, file, second, to, words))
			continue;
		size_t k = word_index(words, from), end = word_index(words, to);
		for (;; k = (k + 1) % n_words) {
			bits = (uint16_t)(bits | 1u << k);
			if (k == end)
				break;
		}
	}
	return bits;
}

/* -?d+ and, behind a '-', another one. */
static bool month_days_parse(struct slice s, struct day_range *out)
{
	size_t dash = 1;
	while (dash < s.n && s.p[dash] != '-')
		dash++;
	if (!slice_int(slice_sub(s, 0, dash), &out->from) || (s.n > 0 && s.p[0] == '+'))
		return false;
	out->to = out->from;
	return dash >= s.n || (slice_int(slice_sub(s, dash + 1, s.n), &out->to) && s.p[dash + 1] != '+');
}

static bool month_day(int64_t d)
{
	return (d >= 1 && d <= 31) || (d <= -1 && d >= -31);
}

static void month_days_load(struct loader *ld, const struct load_file *file, const struct node *n,
                            struct calendar_interval *out)
{
	const struct node *list = node_get(n, "month_days");
	if (empty_list(ld, file, n, "month_days") || items(n, "month_days") == NULL)
		return;
	struct day_range *v = arena_array(ld->a, list->n + 1, sizeof *v);
	for (const struct node *i = list->first; i != NULL; i = i->next) {
		struct day_range r;
		if (i->kind != NODE_SCALAR || node_null(i))
			continue;
		if (!month_days_parse(i->text, &r))
			load_error(ld, file, "E007", i->mark,
			           "expected a day of the month such as 1, -1 or 8-14, got '" SLICE_FMT "'",
			           SLICE_ARG(i->text));
		else if (!month_day(r.from) || !month_day(r.to) ||
		         ((r.from > 0) == (r.to > 0) && r.from > r.to))
			load_error(ld, file, "E008", i->mark,
			           "'month_days' must be between 1 and 31, or between -1 and -31 from the "
			           "end, the first not "
			           "behind the second");
		else
			v[out->n_month_days++] = r;
	}
	out->month_days = v;
}

static bool date_parse(struct slice s, int64_t *day)
{
	instant t;
	struct buf b = {0};
	buf_adds(&b, s);
	buf_str(&b, "T00:00:00Z");
	bool ok = s.n == 10 && instant_parse(buf_slice(&b), &t);
	*day = ok ? t / DAY - (t % DAY < 0) : 0;
	buf_free(&b);
	return ok;
}

static void dates_load(struct loader *ld, const struct load_file *file, const struct node *n,
                       struct calendar_interval *out)
{
	const struct node *list = node_get(n, "dates");
	if (empty_list(ld, file, n, "dates") || items(n, "dates") == NULL)
		return;
	struct day_range *v = arena_array(ld->a, list->n + 1, sizeof *v);
	for (const struct node *i = list->first; i != NULL; i = i->next) {
		struct day_range r;
		bool range =
		    i->kind == NODE_SCALAR && i->text.n == 22 && memcmp(i->text.p + 10, "..", 2) == 0;
		if (i->kind != NODE_SCALAR || node_null(i))
			continue;
		if (!date_parse(slice_sub(i->text, 0, range ? 10 : i->text.n), &r.from) ||
		    !date_parse(slice_sub(i->text, range ? 12 : 0, i->text.n), &r.to))
			load_error(
			    ld, file, "E007", i->mark,
			    "expected a date such as 2026-12-24 or 2026-12-24..2026-12-26, got '" SLICE_FMT
			    "'",
			    SLICE_ARG(i->text));
		else if (r.to < r.from)
			load_error(ld, file, "E008", i->mark,
			           "the first date of 'dates' must not be behind the second");
		else
			v[out->n_dates++] = r;
	}
	out->dates = v;
}

static bool clock_parse(struct slice s, int *minutes)
{
	int64_t h, m;
	if (s.n != 5 || s.p[2] != ':' || s.p[0] < '0' || s.p[0] > '9' || s.p[3] < '0' || s.p[3] > '9' ||
	    !slice_int(slice_sub(s, 0, 2), &h) || !slice_int(slice_sub(s, 3, 2), &m))
		return false;
	*minutes = (int)(h * 60 + m);
	return m <= 59 && *minutes <= 24 * 60;
}

static bool clock_load(struct loader *ld, const struct load_file *file, const struct node *n, int max,
                       int *out)
{
	if (n == NULL || n->kind != NODE_SCALAR || node_null(n))
		return false;
	if (clock_parse(n->text, out) && *out <= max)
		return true;
	load_error(ld, file, "E007", n->mark,
	           "expected a time of day such as 08:00 for '" SLICE_FMT "', got '" SLICE_FMT "'",
	           SLICE_ARG(n->key), SLICE_ARG(n->text));
	return false;
}

static void clocks_load(struct loader *ld, const struct load_file *file, const struct node *n,
                        struct calendar_interval *out)
{
	const struct node *from = node_get(n, "from"), *to = node_get(n, "to");
	int a = 0, b = 0;
	out->from = out->to = CALENDAR_ALL_DAY;
	if ((from == NULL) != (to == NULL)) {
		const struct node *one = from != NULL ? from : to;
		load_error(ld, file, "E005", one->key_mark, "'" SLICE_FMT "' needs '%s'", SLICE_ARG(one->key),
		           from != NULL ? "to" : "from");
		return;
	}
	bool begins = clock_load(ld, file, from, 24 * 60 - 1, &a), ends = clock_load(ld, file, to, 24 * 60, &b);
	if (!begins || !ends)
		return;
	if (a == b) {
		load_error(ld, file, "E008", to->mark,
		           "'to' must differ from 'from'; for the whole day leave both out");
		return;
	}
	out->from = a;
	out->to = b;
}

static void interval_load(struct loader *ld, const struct load_file *file, const struct node *n,
                          struct calendar_interval *out)
{
	*out = (struct calendar_interval){.from = CALENDAR_ALL_DAY, .to = CALENDAR_ALL_DAY};
	if (!schema_check(ld, file, n, &schema_interval, "the interval", n->mark))
		return;
	if (n->n == 0) {
		load_error(ld, file, "E027", n->mark,
		           "empty interval; write weekdays, dates, from and to, or remove it");
		return;
	}
	out->weekdays = (uint8_t)words_load(ld, file, n, "weekdays", weekdays, 7);
	out->months = words_load(ld, file, n, "months", months, 12);
	month_days_load(ld, file, n, out);
	dates_load(ld, file, n, out);
	clocks_load(ld, file, n, out);
}

static const struct calendar_interval *intervals_load(struct loader *ld, const struct symbol *s,
                                                      const char *key, size_t *n)
{
	const struct node *list = node_get(s->node, key);
	*n = 0;
	if (list == NULL || list->kind != NODE_LIST || empty_list(ld, s->file, s->node, key))
		return NULL;
	struct calendar_interval *v = arena_array(ld->a, list->n + 1, sizeof *v);
	for (const struct node *i = list->first; i != NULL; i = i->next)
		interval_load(ld, s->file, i, &v[(*n)++]);
	return v;
}

/* ---- iCalendar */

static const struct zone *ical_zone(void *arg, struct slice name)
{
	struct error err;
	return zone_of(arg, name, &err);
}

static void ical_load(struct loader *ld, const struct symbol *s, struct calendar *out)
{
	const struct node *n = node_get(s->node, "ical");
	const struct ical_zones zones = {ical_zone, ld, out->zone};
	struct slice text = SLICE_NONE;
	struct error err;
	uint32_t line;
	if (n == NULL || n->kind != NODE_SCALAR || node_null(n))
		return;
	if (ld->src->read != NULL)
		text = ld->src->read(ld->src->arg, s->file->name, arena_str(ld->tmp, n->text));
	if (text.p == NULL)
		load_error(ld, s->file, "E092", n->mark,
		           "cannot read '" SLICE_FMT "': the file is missing or not readable",
		           SLICE_ARG(n->text));
	else if (ical_parse(ld->a, text, &zones, &out->events, &out->n_events, &line, &err) != 0)
		load_error(ld, s->file, "E092", n->mark, "cannot read '" SLICE_FMT "': line %u: %s",
		           SLICE_ARG(n->text), line, err.text);
}

/* ---- the whole */

static void calendar_load(struct loader *ld, const struct symbol *s, struct calendar *out)
{
	const char *thing = arena_printf(ld->tmp, "calendar '" SLICE_FMT "'", SLICE_ARG(s->name));
	out->id = s->id;
	out->zone = zone_utc();
	if (!schema_check(ld, s->file, s->node, &schema_calendar, thing, s->node->key_mark))
		return;
	if (node_get(s->node, "times") == NULL && node_get(s->node, "ical") == NULL)
		load_error(ld, s->file, "E005", s->node->key_mark, "%s needs 'times' or 'ical'", thing);
	out->zone = zone_load(ld, s);
	out->times = intervals_load(ld, s, "times", &out->n_times);
	out->except = intervals_load(ld, s, "except", &out->n_except);
	ical_load(ld, s, out);
}

static int by_id(const void *a, const void *b)
{
	const struct symbol *const *x = a, *const *y = b;
	return slice_cmp((*x)->id, (*y)->id);
}

void calendars_load(struct loader *ld)
{
	struct rule_set *rs = ld->rs;
	size_t n = ld->n_symbols[SYMBOL_CALENDAR];
	if (n > 1)
		qsort(ld->symbols[SYMBOL_CALENDAR], n, sizeof *ld->symbols[SYMBOL_CALENDAR], by_id);
	rs->calendars = arena_array(ld->a, n + 1, sizeof *rs->calendars);
	rs->n_calendars = n;
	rs->zone = zone_default(ld);
	for (size_t i = 0; i < n; i++) {
		ld->symbols[SYMBOL_CALENDAR][i]->number = (uint32_t)i;
		calendar_load(ld, ld->symbols[SYMBOL_CALENDAR][i], &rs->calendars[i]);
	}
}

void rule_during_load(struct loader *ld, const struct symbol *s, struct rule *r)
{
	const struct node *n = node_get(s->node, "only_during"), *ref = n;
	r->only_during = CALENDAR_NONE;
	if (n != NULL && n->kind == NODE_MAP) {
		const char *thing =
		    arena_printf(ld->tmp, "'only_during' of rule '" SLICE_FMT "'", SLICE_ARG(s->name));
		ref = schema_check(ld, s->file, n, &schema_only_during, thing, n->key_mark)
		          ? node_get(n, "not")
		          : NULL;
		r->only_outside = true;
	}
	if (ref == NULL || ref->kind != NODE_SCALAR || node_null(ref))
		return;
	const struct symbol *c = symbol_ref(ld, s->file, SYMBOL_CALENDAR, ref);
	if (c != NULL)
		r->only_during = c->number;
}
