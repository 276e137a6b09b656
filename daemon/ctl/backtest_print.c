/* What a run's tickets look like to scripts (cli.md section 7). */
#include "ctl/backtest.h"

static void put_times(struct jw *w, const char *key, const struct bt_times *t)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < t->n; i++)
		jw_time(w, t->v[i]);
	jw_array_end(w);
}

static void put_list(struct jw *w, const char *key, char *const *v, size_t n)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_str(w, v[i]);
	jw_array_end(w);
}

static void put_events(struct jw *w, const struct bt_run *r, const struct bt_ticket *k)
{
	jw_key(w, "events");
	jw_array(w);
	for (size_t i = 0; i < k->n_events; i++) {
		const struct trace_event *e = &r->trace.events[k->events[i]];

		jw_array(w);
		jw_int(w, e->line);
		jw_int(w, e->part);
		jw_array_end(w);
	}
	jw_array_end(w);
}

static void put_final(struct jw *w, const struct bt_run *r, const struct trace_incident *i)
{
	const struct bt_ticket *into =
	    i->merged_into != NULL ? bt_ticket_of(&r->tickets, i->merged_into) : NULL;
	char priority[4] = {'P', (char)('0' + i->priority), '\0'};

	jw_kstr(w, "root", i->root);
	put_list(w, "roots", i->roots, i->n_roots);
	put_list(w, "services", i->services, i->n_services);
	jw_kstr(w, "priority", i->priority >= 1 && i->priority <= 5 ? priority : NULL);
	jw_kstr(w, "merged_into", into != NULL ? into->number : NULL);
}

static void put_ticket(struct jw *w, const struct bt_run *r, const struct bt_ticket *k)
{
	jw_object(w);
	jw_kstr(w, "ticket", k->number);
	jw_ktime(w, "opened_at", k->opened);
	jw_ktime(w, "resolved_at",
	         k->open || k->resolves.n == 0 ? INSTANT_NONE : k->resolves.v[k->resolves.n - 1]);
	if (k->final != NULL)
		put_final(w, r, k->final);
	put_times(w, "resolves", &k->resolves);
	put_times(w, "reopens", &k->reopens);
	put_events(w, r, k);
	jw_end(w);
}

void bt_print_tickets(const struct bt_run *r, FILE *to)
{
	struct buf b = {0};

	for (size_t i = 0; i < r->tickets.n; i++) {
		struct jw w = jw_new(&b);

		put_ticket(&w, r, r->tickets.v[i]);
		buf_char(&b, '\n');
		fwrite(b.p, 1, b.n, to);
		buf_clear(&b);
	}
	buf_free(&b);
}
