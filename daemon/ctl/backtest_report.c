/* The report of a backtest: what was read, tickets and alerts by rule and day, and what is different from
 * another rule set. */
#include <stdlib.h>
#include <string.h>

#include "ctl/backtest.h"
#include "ctl/show.h"

/* ---- by rule and day */

struct tally_row {
	int64_t day; /* since 1970 */
	const char *rule;
	size_t alerts, tickets;
};
struct tally_list {
	struct tally_row *v;
	size_t n, cap;
};

static void count(struct tally_list *t, instant at, const char *rule, size_t alerts, size_t tickets)
{
	t->v = array_reserve(t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n++] = (struct tally_row){at / DAY, rule != NULL ? rule : "?", alerts, tickets};
}

static int by_day_and_rule(const void *x, const void *y)
{
	const struct tally_row *a = x, *b = y;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return strcmp(a->rule, b->rule);
}

static void tally(const struct bt_run *r, struct tally_list *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->trace.n_alerts; i++)
		if (r->trace.alerts[i]->opened != INSTANT_NONE)
			count(t, r->trace.alerts[i]->opened, r->trace.alerts[i]->rule, 1, 0);
	for (size_t i = 0; i < r->tickets.n; i++)
		if (r->tickets.v[i]->final != NULL)
			count(t, r->tickets.v[i]->opened, r->tickets.v[i]->final->rule, 0, 1);
	if (t->n > 0)
		qsort(t->v, t->n, sizeof *t->v, by_day_and_rule);
	for (size_t i = 0; i < t->n; i++) {
		struct tally_row *last = kept > 0 ? &t->v[kept - 1] : NULL;

		if (last != NULL && by_day_and_rule(last, &t->v[i]) == 0) {
			last->alerts += t->v[i].alerts;
			last->tickets += t->v[i].tickets;
		} else {
			t->v[kept++] = t->v[i];
		}
	}
	t->n = kept;
}

static void day_text(int64_t day, struct buf *b)
{
	int y, m, d;

	instant_split(day * DAY, &y, &m, &d, NULL, NULL, NULL);
	buf_printf(b, "%04d-%02d-%02d", y, m, d);
}

/* ---- for people */

static void time_text(instant t, struct buf *b)
{
	buf_clear(b);
	instant_format(t / SECOND * SECOND, b);
}

static void put_recording(struct ctl *c, const struct bt_run *r)
{
	struct buf b = {0}, from = {0}, to = {0};

	time_text(r->first, &from);
	time_text(r->last, &to);
	duration_format((r->last - r->first) / SECOND * SECOND, &b);
	fprintf(c->out, "recording   %llu payloads from %s to %s (%s), %zu events, %llu of them wanted\n",
	        (unsigned long long)r->payloads, buf_cstr(&from), buf_cstr(&to), buf_cstr(&b),
	        r->trace.n_events, (unsigned long long)r->wanted);
	buf_free(&b);
	buf_free(&from);
	buf_free(&to);
}

static void put_sum(struct ctl *c, const struct bt_run *r)
{
	size_t of[6] = {0}, resolved = 0, merged = 0;

	for (size_t i = 0; i < r->tickets.n; i++) {
		const struct bt_ticket *k = r->tickets.v[i];

		resolved += !k->open;
		if (k->final == NULL)
			continue;
		merged += k->final->merged_into != NULL;
		of[k->final->priority >= 1 && k->final->priority <= 5 ? k->final->priority : 0]++;
	}
	fprintf(c->out, "tickets     %zu", r->tickets.n);
	for (int p = 1; p <= 5; p++)
		if (of[p] > 0)
			fprintf(c->out, ", P%d: %zu", p, of[p]);
	fprintf(c->out, "; %zu resolved, %zu merged into others\n", resolved, merged);
}

static void put_tally(struct ctl *c, const struct tally_list *t)
{
	static const struct show_column columns[] = {{.title = "DAY"},
	                                             {.title = "RULE", .flexible = true},
	                                             {.title = "ALERTS", .right = true},
	                                             {.title = "TICKETS", .right = true}};
	struct show_table *table = show_table_new(columns, ARRAY_LEN(columns));
	struct buf b = {0};

	for (size_t i = 0; i < t->n; i++) {
		buf_clear(&b);
		day_text(t->v[i].day, &b);
		show_cell(table, SHOW_PLAIN, buf_slice(&b));
		show_cell(table, SHOW_PLAIN, slice_str(t->v[i].rule));
		show_cellf(table, "%zu", t->v[i].alerts);
		show_cellf(table, "%zu", t->v[i].tickets);
	}
	fputc('\n', c->out);
	show_table_end(c, table, "no alerts");
	buf_free(&b);
}

static void put_tickets(struct ctl *c, const struct bt_run *r)
{
	static const struct show_column columns[] = {{.title = "TICKET", .right = true},
	                                             {.title = "OPENED"},
	                                             {.title = "PRIO"},
	                                             {.title = "LASTED"},
	                                             {.title = "EVENTS", .right = true},
	                                             {.title = "TITLE", .flexible = true}};
	struct show_table *table = show_table_new(columns, ARRAY_LEN(columns));
	struct buf b = {0};

	for (size_t i = 0; i < r->tickets.n; i++) {
		const struct bt_ticket *k = r->tickets.v[i];

		show_cell(table, SHOW_PLAIN, slice_str(k->number));
		time_text(k->opened, &b);
		show_cell(table, SHOW_PLAIN, buf_slice(&b));
		show_cellf(table, "P%d", k->final != NULL ? k->final->priority : 0);
		buf_clear(&b);
		if (!k->open && k->resolves.n > 0)
			duration_format((k->resolves.v[k->resolves.n - 1] - k->opened) / SECOND * SECOND, &b);
		show_cell(table, SHOW_PLAIN, k->open ? SLICE("open") : buf_slice(&b));
		show_cellf(table, "%zu", k->n_events);
		show_cell(table, SHOW_PLAIN, slice_str(k->final != NULL ? k->final->title : NULL));
	}
	fputc('\n', c->out);
	show_table_end(c, table, "no tickets");
	buf_free(&b);
}

static void put_headline(FILE *to, const struct bt_diff *d, const char *against)
{
	fprintf(to,
	        "difference  to %s: %zu tickets instead of %zu, %zu lost, %zu at lower priority, %zu at "
	        "higher priority, %zu new\n",
	        against, d->now, d->before, d->count[BT_LOST], d->count[BT_LOWER], d->count[BT_HIGHER],
	        d->count[BT_NEW]);
}

static void put_difference(struct ctl *c, const struct bt_difference *x)
{
	const struct bt_ticket *k = x->now != NULL ? x->now : x->before;
	struct buf b = {0}, title = {0};

	time_text(k->opened, &b);
	show_clean(&title, slice_str(k->final->title != NULL ? k->final->title : ""));
	fprintf(c->out, "  %-15s %s ", bt_change_word(x->change), buf_cstr(&b));
	if (x->before != NULL && x->now != NULL)
		fprintf(c->out, "P%d instead of P%d  ", x->now->final->priority, x->before->final->priority);
	else
		fprintf(c->out, "P%d  ", k->final->priority);
	fprintf(c->out, SLICE_FMT "\n  %15s %s%s\n", SLICE_ARG(buf_slice(&title)), "",
	        x->change == BT_NEW ? "before: " : "", x->why);
	buf_free(&b);
	buf_free(&title);
}

/* ---- for scripts */

static void json_ticket(struct jw *w, const char *key, const struct bt_ticket *k)
{
	if (k == NULL)
		return;
	jw_key(w, key);
	jw_object(w);
	jw_kstr(w, "ticket", k->number);
	jw_ktime(w, "opened_at", k->opened);
	jw_kint(w, "priority", k->final->priority);
	jw_kstr(w, "root", k->final->root);
	jw_kstr(w, "rule", k->final->rule);
	jw_kstr(w, "title", k->final->title);
	jw_kint(w, "events", (int64_t)k->n_events);
	jw_end(w);
}

static void json_difference(struct jw *w, const struct bt_diff *d, const char *against)
{
	jw_key(w, "difference");
	jw_object(w);
	jw_kstr(w, "against", against);
	jw_kint(w, "tickets", (int64_t)d->now);
	jw_kint(w, "tickets_before", (int64_t)d->before);
	jw_kint(w, "lost", (int64_t)d->count[BT_LOST]);
	jw_kint(w, "lower_priority", (int64_t)d->count[BT_LOWER]);
	jw_kint(w, "higher_priority", (int64_t)d->count[BT_HIGHER]);
	jw_kint(w, "new", (int64_t)d->count[BT_NEW]);
	jw_key(w, "changes");
	jw_array(w);
	for (size_t i = 0; i < d->n; i++) {
		jw_object(w);
		jw_kstr(w, "change", bt_change_word(d->v[i].change));
		json_ticket(w, "before", d->v[i].before);
		json_ticket(w, "now", d->v[i].now);
		jw_kstr(w, "why", d->v[i].why);
		jw_end(w);
	}
	jw_array_end(w);
	jw_end(w);
}

static void json_report(struct ctl *c, const struct bt_run *r, const struct tally_list *t,
                        const struct bt_diff *d, const char *against)
{
	struct buf out = {0}, day = {0};
	struct jw w = jw_new(&out);

	jw_object(&w);
	jw_kint(&w, "payloads", (int64_t)r->payloads);
	jw_kint(&w, "refused", (int64_t)r->refused);
	jw_kint(&w, "events", (int64_t)r->trace.n_events);
	jw_kint(&w, "wanted", (int64_t)r->wanted);
	jw_ktime(&w, "from", r->first);
	jw_ktime(&w, "until", r->last);
	jw_kint(&w, "tickets", (int64_t)r->tickets.n);
	jw_key(&w, "rules");
	jw_array(&w);
	for (size_t i = 0; i < t->n; i++) {
		buf_clear(&day);
		day_text(t->v[i].day, &day);
		jw_object(&w);
		jw_kslice(&w, "day", buf_slice(&day));
		jw_kstr(&w, "rule", t->v[i].rule);
		jw_kint(&w, "alerts", (int64_t)t->v[i].alerts);
		jw_kint(&w, "tickets", (int64_t)t->v[i].tickets);
		jw_end(&w);
	}
	jw_array_end(&w);
	if (d != NULL)
		json_difference(&w, d, against);
	jw_end(&w);
	fprintf(c->out, SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
	buf_free(&out);
	buf_free(&day);
}

void bt_report(struct ctl *c, const struct bt_run *r, const struct bt_diff *d, const char *against)
{
	struct tally_list t = {0};

	tally(r, &t);
	if (c->json) {
		json_report(c, r, &t, d, against);
	} else if (!c->quiet) {
		put_recording(c, r);
		put_sum(c, r);
		if (d != NULL)
			put_headline(c->out, d, against);
		for (size_t i = 0; d != NULL && i < d->n; i++)
			put_difference(c, &d->v[i]);
		put_tally(c, &t);
		put_tickets(c, r);
	}
	free(t.v);
}
