/* Webhooks of ticket systems, POST /hook/tickets/NAME on any webhook listener: the profile of the connection says how one
 * proves itself and which ticket it names. It is a hint, never the truth: core asks the ticket system then. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "plugins/tickets/adapter.h"
#include "role_intake.h"

#define HOOK_PATH "/hook/tickets/"
enum { HINT_MAX = 64 * 1024 };

/* One connection whose system may call. */
struct intake_ticket {
	const struct ticket_config *config;
	const struct secret_ref *ref; /* its `webhook` secret */
	struct secret secret;
	struct ticket_profile *profile;
};

static const struct secret_ref *hook_secret(const struct ticket_config *t)
{
	for (size_t i = 0; i < t->n_secrets; i++)
		if (strcmp(t->secret_keys[i], "webhook") == 0)
			return &t->secrets[i];
	return NULL;
}

static int ticket_new(struct intake_generation *g, const struct ticket_config *t, const struct bundle *b, struct findings *f)
{
	const struct secret_ref *ref = hook_secret(t);
	const struct bundle_file *file;
	struct intake_ticket *x;

	if (ref == NULL || t->profile == NULL || t->profile[0] == '\0')
		return 0;
	file = bundle_profile(b, BUNDLE_TICKET_PROFILE, t->profile);
	if (file == NULL)
		return 0; /* egress says so */
	x = &g->tickets[g->n_tickets];
	*x = (struct intake_ticket){.config = t, .ref = ref, .profile = ticket_profile_load(file->name, file->text, f)};
	if (x->profile == NULL)
		return -1;
	g->n_tickets++;
	if (ticket_hook_there(x->profile))
		return 0;
	findings_add(f, FINDING_ERROR, "", file->name, (struct mark){0, 0, 0}, SLICE_NONE,
	             "tickets.%s has a secret 'webhook', but the profile '%s' takes no webhooks; take the secret out", t->name, t->profile);
	return -1;
}

int intake_tickets_new(struct intake_generation *g, const struct bundle *b, struct findings *f)
{
	g->tickets = xcalloc(g->config->n_tickets + 1, sizeof *g->tickets);
	for (size_t i = 0; i < g->config->n_tickets; i++)
		if (ticket_new(g, &g->config->tickets[i], b, f) != 0)
			return -1;
	return 0;
}

void intake_tickets_free(struct intake_generation *g)
{
	for (size_t i = 0; i < g->n_tickets; i++) {
		secret_wipe(&g->tickets[i].secret);
		ticket_profile_free(g->tickets[i].profile);
	}
	free(g->tickets);
}

void intake_tickets_secret(struct intake_generation *g, const char *ref, struct slice value)
{
	for (size_t i = 0; i < g->n_tickets; i++)
		if (g->tickets[i].ref->ref != NULL && strcmp(g->tickets[i].ref->ref, ref) == 0)
			secret_take(&g->tickets[i].secret, value);
}

void intake_tickets_keep(const struct intake_generation *from, struct intake_generation *to)
{
	for (size_t i = 0; i < from->n_tickets; i++)
		if (from->tickets[i].secret.p != NULL && from->tickets[i].ref->ref != NULL)
			for (size_t j = 0; j < to->n_tickets; j++)
				if (to->tickets[j].secret.p == NULL && to->tickets[j].ref->ref != NULL &&
				    strcmp(to->tickets[j].ref->ref, from->tickets[i].ref->ref) == 0)
					secret_take(&to->tickets[j].secret, slice_of(from->tickets[i].secret.p, from->tickets[i].secret.n));
}

/* ---- a request */

static struct intake_ticket *ticket_at(const struct intake *in, struct slice path)
{
	struct slice name = slice_sub(path, sizeof HOOK_PATH - 1, SIZE_MAX);

	for (size_t i = 0; i < in->gen->n_tickets; i++)
		if (slice_is(name, in->gen->tickets[i].config->name))
			return &in->gen->tickets[i];
	return NULL;
}

static int check(const struct intake_ticket *x, struct slice headers, struct slice body, struct buf *records, struct error *err)
{
	static const char *const keys[] = {"webhook"};
	const struct slice value = slice_of(x->secret.p, x->secret.n);
	const struct ticket_connection c = {.profile = x->profile,
	                                    .conf_keys = (const char *const *)x->config->conf_keys,
	                                    .conf_values = (const char *const *)x->config->conf_values,
	                                    .n_conf = x->config->n_conf,
	                                    .secret_keys = keys,
	                                    .secret_values = &value,
	                                    .n_secrets = x->secret.p != NULL ? 1 : 0};

	if (ticket_hook_check(&c, headers, body, err) != 0)
		return -1;
	ticket_hook_read(&c, headers, body, records);
	return 0;
}

/* Not kept until it is on disk: a hint that is lost costs one poll. */
static void tell_core(struct intake *in, const struct intake_ticket *x, const struct buf *records)
{
	struct buf frame = {0};

	if (records->n > 0 && records->n <= HINT_MAX && in->core != NULL) {
		buf_lslice(&frame, slice_str(x->config->name));
		buf_adds(&frame, buf_slice(records));
		channel_send(in->core, FRAME_TICKET_HINT, 0, buf_slice(&frame));
	}
	buf_free(&frame);
}

bool intake_ticket_path(struct slice path)
{
	return slice_starts(path, SLICE(HOOK_PATH));
}

void intake_ticket_hook(struct intake *in, struct intake_listener *l, struct http_request *r, struct slice headers)
{
	struct intake_ticket *x = ticket_at(in, http_request_head(r)->path);
	struct buf records = {0};
	struct error err;

	if (x == NULL) {
		http_problem(r, 404, "no ticket connection of this name has a secret 'webhook'");
	} else if (check(x, headers, http_request_body(r), &records, &err) != 0) {
		counter_add(l->acl, 1);
		intake_refusal(in, l, http_request_peer(r), err.text, SLICE_NONE);
		http_problem(r, 401, "%s", err.text);
	} else {
		tell_core(in, x, &records);
		http_reply(r, 202, "application/json", records.n > 0 ? SLICE("{\"accepted\":1}\n") : SLICE("{\"accepted\":0}\n"), NULL);
	}
	buf_free(&records);
}
