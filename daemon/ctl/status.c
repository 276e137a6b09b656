/* status and reload. */
#include <stdlib.h>
#include <time.h>

#include "ctl/client.h"
#include "ctl/show.h"
#include "net/loop.h"

#define RELOAD_WAIT (300 * SECOND)

static struct slice when(const struct ctl *c, const struct json *t, struct buf *b)
{
	buf_clear(b);
	show_when(c, json_text(t), b);
	return buf_slice(b);
}

static void fact(const struct ctl *c, const char *label, struct buf *b)
{
	show_fact(c, label, buf_slice(b));
	buf_clear(b);
}

static void put_member(struct buf *b, const struct json *o, const char *key, const char *word)
{
	struct slice v = json_text(json_get(o, key));

	buf_printf(b, "%s" SLICE_FMT " %s", b->n > 0 ? ", " : "", SLICE_ARG(v.n > 0 ? v : SLICE("0")), word);
}

static void show_map(const struct ctl *c, const struct json *map, struct buf *b, struct buf *time)
{
	const struct json *ok = json_get(map, "ok");

	if (map == NULL || map->kind != JSON_OBJECT) {
		show_fact(c, "map", SLICE("nothing heard of it yet"));
		return;
	}
	buf_printf(b, SLICE_FMT " services from " SLICE_FMT ", last good " SLICE_FMT,
	           SLICE_ARG(json_text(json_get(map, "services"))),
	           SLICE_ARG(json_text(json_get(map, "source"))),
	           SLICE_ARG(when(c, json_get(map, "at"), time)));
	if (ok == NULL || !ok->boolean)
		buf_printf(b, "; STALE: " SLICE_FMT, SLICE_ARG(json_text(json_get(map, "error"))));
	fact(c, "map", b);
}

static void show_rates(const struct ctl *c, const struct json *j, struct buf *b)
{
	const struct json *rates = json_get(j, "rates"), *noisy = json_get(j, "noisy_rules");

	if (rates != NULL) {
		put_member(b, rates, "received", "received");
		put_member(b, rates, "accepted", "accepted");
		put_member(b, rates, "unwanted", "unwanted");
		buf_printf(b, " a second, over " SLICE_FMT " s", SLICE_ARG(json_text(json_get(rates, "seconds"))));
		fact(c, "rates", b);
	}
	for (const struct json *r = noisy != NULL ? noisy->first : NULL; r != NULL; r = r->next)
		buf_printf(b, "%s" SLICE_FMT " (" SLICE_FMT " hits)", b->n > 0 ? ", " : "", SLICE_ARG(json_text(json_get(r, "id"))),
		           SLICE_ARG(json_text(json_get(r, "hits"))));
	if (b->n > 0)
		fact(c, "noisiest", b);
}

static void show_incidents(const struct ctl *c, const struct json *j, struct buf *b)
{
	const struct json *i = json_get(j, "incidents");

	for (const struct json *s = i != NULL ? i->first : NULL; s != NULL; s = s->next)
		buf_printf(b, "%s" SLICE_FMT " " SLICE_FMT, b->n > 0 ? ", " : "", SLICE_ARG(json_text(s)),
		           SLICE_ARG(s->key));
	fact(c, "incidents", b);
	put_member(b, j, "alerts_open", "open");
	fact(c, "alerts", b);
}

static void show_status(const struct ctl *c, const struct json *j)
{
	struct buf b = {0}, time = {0};
	const struct json *ready = json_get(j, "ready"), *reload = json_get(j, "last_reload"),
	                  *ok = json_get(reload, "ok");
	struct slice at = json_text(json_get(reload, "at"));

	buf_printf(&b, "carillond " SLICE_FMT ", %s, started " SLICE_FMT ", generation " SLICE_FMT,
	           SLICE_ARG(json_text(json_get(j, "version"))),
	           ready != NULL && ready->boolean ? "ready" : "NOT READY",
	           SLICE_ARG(when(c, json_get(j, "started"), &time)),
	           SLICE_ARG(json_text(json_get(j, "generation"))));
	fact(c, "daemon", &b);
	show_fact(c, "instance", json_text(json_get(j, "instance")));
	put_member(&b, j, "events_received", "received");
	put_member(&b, j, "events_accepted", "accepted");
	put_member(&b, j, "events_unwanted", "unwanted");
	put_member(&b, j, "events_dropped", "dropped");
	put_member(&b, j, "journal_backlog", "waiting for the journal");
	fact(c, "events", &b);
	show_rates(c, j, &b);
	show_incidents(c, j, &b);
	put_member(&b, j, "outbox", "on their way");
	put_member(&b, j, "outbox_parked", "parked");
	fact(c, "tickets", &b);
	show_map(c, json_get(j, "map"), &b, &time);
	if (at.n > 0)
		buf_printf(&b, "%s " SLICE_FMT, ok != NULL && ok->boolean ? "good" : "REFUSED",
		           SLICE_ARG(when(c, json_get(reload, "at"), &time)));
	else
		buf_str(&b, "none since the start");
	fact(c, "last reload", &b);
	put_member(&b, j, "role_restarts", "restarts");
	fact(c, "roles", &b);
	buf_free(&b);
	buf_free(&time);
}

int status_show(struct ctl *c, const struct args *args)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	int rc = client_json(c, "GET", "/api/v1/status", SLICE_NONE, a, &r, &j);

	(void)args;
	if (rc == 0 && c->json)
		fwrite(r.body.p, 1, r.body.n, c->out);
	else if (rc == 0 && !c->quiet)
		show_status(c, j);
	client_free(&r);
	arena_free(a);
	return rc;
}

/* ---- reload */

/* The answer took longer than the daemon holds a request: has a reload ended since `asked`? -1: not yet. */
static int ended(struct ctl *c, instant asked)
{
	struct arena *a = arena_new(0);
	struct client_reply r = {0};
	struct json *j;
	const struct json *reload, *ok;
	instant at;
	int rc = client_json(c, "GET", "/api/v1/status", SLICE_NONE, a, &r, &j);

	if (rc == 0) {
		reload = json_get(j, "last_reload");
		ok = json_get(reload, "ok");
		rc = -1;
		/* the daemon keeps whole seconds */
		if (instant_parse(json_text(json_get(reload, "at")), &at) && at / SECOND >= asked / SECOND)
			rc = ok != NULL && ok->boolean
			         ? CTL_DONE
			         : ctl_fail(
			               c, CTL_FOUND,
			               "the reload was refused; the daemon's log says where it is broken");
	}
	client_free(&r);
	arena_free(a);
	return rc;
}

static int wait_for_end(struct ctl *c, instant asked)
{
	const struct timespec pause = {.tv_nsec = 250 * 1000 * 1000};
	instant until = loop_mono() + RELOAD_WAIT;
	int rc;

	while ((rc = ended(c, asked)) == -1) {
		if (loop_mono() > until)
			return ctl_fail(c, CTL_TRY_AGAIN, "the reload has not ended within 5 minutes");
		nanosleep(&pause, NULL);
	}
	return rc;
}

static void say_reloaded(const struct ctl *c, const struct client_reply *r)
{
	struct arena *a = arena_new(0);
	struct error err;
	struct json *j = json_parse(a, buf_slice(&r->body), JSON_LIMITS, NULL, &err);
	struct slice note = json_text(json_get(j, "note"));

	fprintf(c->out, "reloaded, generation " SLICE_FMT "\n",
	        SLICE_ARG(json_text(json_get(j, "generation"))));
	if (note.n > 0)
		fprintf(c->out, "these settings need a restart: " SLICE_FMT "\n", SLICE_ARG(note));
	arena_free(a);
}

int status_reload(struct ctl *c, const struct args *args)
{
	struct client_reply r = {0};
	instant asked = loop_wall();
	int rc = client_call(c, "POST", "/api/v1/reload", SLICE("{}"), &r);

	if (rc == 0 && r.status == 504 && args_flag(args, "wait"))
		rc = wait_for_end(c, asked);
	else if (rc == 0) {
		rc = client_verdict(c, &r);
		if (c->json)
			fwrite(r.body.p, 1, r.body.n, c->out);
		else if (rc == 0 && !c->quiet)
			say_reloaded(c, &r);
	}
	if (c->json && r.body.n > 0 && r.body.p[r.body.n - 1] != '\n')
		fputc('\n', c->out);
	client_free(&r);
	return rc;
}
