/* See secrets_check.h. */
#include "ctl/secrets_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/files.h"
#include "net/loop.h"
#include "net/tls.h"
#include "plugin.h"

struct checking {
	const struct bundle *b;
	const struct config *c;
	struct findings *f;
};

static void say(const struct checking *k, bool fatal, struct mark at, const char *what,
                const struct error *err)
{
	const char *file = k->b->n > 0 ? k->b->v[0].name : "defaults";

	findings_add(k->f, fatal ? FINDING_ERROR : FINDING_WARNING, "", file, at, SLICE_NONE, "%s: %s", what,
	             err->text);
}

/* Whether it is ours to judge: elsewhere the daemon may well be able to read it. */
static bool out_of_reach(const char *ref)
{
	const char *path = strncmp(ref, "file:", 5) == 0 ? ref + 5 : ref;

	if (strncmp(ref, "cred:", 5) == 0)
		return getenv("CREDENTIALS_DIRECTORY") == NULL;
	return access(path, R_OK) != 0 && errno == EACCES;
}

static void wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

static void check_tls(const struct checking *k, const struct listener_config *l)
{
	bool far = out_of_reach(l->tls_cert) || out_of_reach(l->tls_key.ref);
	struct buf b = {0}, said = {0};
	struct tls_context *t = NULL;
	struct reader r;
	struct slice cert, key, ca;
	struct error err;

	if (files_tls(l, &b, &err) == 0) {
		r = reader_of(buf_slice(&b));
		cert = read_lslice(&r);
		key = read_lslice(&r);
		ca = read_lslice(&r);
		t = tls_context_new(cert, key, ca, &err);
		if (t == NULL)
			error_wrap(&err, "tls (cert '%s', key '%s')", l->tls_cert, l->tls_key.ref);
	}
	if (t == NULL) {
		say(k, !far, l->mark, l->name, &err);
	} else if (tls_context_expires(t) < loop_wall()) {
		instant_format(tls_context_expires(t), &said);
		error_set(&err, "the certificate '%s' has expired (%s); renew it and reload", l->tls_cert,
		          buf_cstr(&said));
		say(k, false, l->mark, l->name, &err);
	}
	tls_context_unref(t);
	buf_free(&said);
	wipe(&b);
}

/* The value, empty if it cannot be had; then that is said. */
static struct buf read_value(const struct checking *k, bool fatal, struct mark at, const char *what,
                             const struct secret_ref *s)
{
	struct buf b = {0};
	struct error err;

	if (s->ref != NULL && files_secret(s->ref, &b, &err) != 0) {
		say(k, fatal && !out_of_reach(s->ref), at, what, &err);
		buf_clear(&b);
	}
	return b;
}

static void check_users(const struct checking *k, const struct listener_config *l)
{
	struct buf text = read_value(k, true, l->mark, l->name, &l->users);
	struct snmptrap_settings *s = snmptrap_settings_new(NULL, 0);
	struct error err;

	if (text.n > 0 && snmptrap_settings_users(s, buf_slice(&text), &err) != 0) {
		error_wrap(&err, "users '%s'", l->users.ref);
		say(k, true, l->mark, l->name, &err);
	}
	snmptrap_settings_free(s);
	wipe(&text);
}

static bool is_secure(const struct listener_config *l)
{
	for (size_t i = 0; i < l->n_bind; i++)
		if (bind_secure(l->bind[i].kind))
			return true;
	return false;
}

bool secrets_check(const struct bundle *b, const struct config *c, struct findings *f)
{
	const struct checking k = {b, c, f};
	const struct mark nowhere = {0, 0, 0};
	size_t before = f->errors;
	struct buf v;

	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct listener_config *l = &c->listeners[i];

		if (!l->enabled)
			continue;
		v = read_value(&k, true, l->mark, l->name, &l->bearer);
		wipe(&v);
		v = read_value(&k, true, l->mark, l->name, &l->hmac);
		wipe(&v);
		if (l->type == LISTENER_SNMPTRAP)
			check_users(&k, l);
		if (is_secure(l))
			check_tls(&k, l);
	}
	for (size_t i = 0; i < c->n_tickets; i++)
		for (size_t s = 0; s < c->tickets[i].n_secrets; s++) {
			v = read_value(&k, false, nowhere, c->tickets[i].name, &c->tickets[i].secrets[s]);
			wipe(&v);
		}
	return f->errors == before;
}
