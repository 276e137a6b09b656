/* The users of SNMPv3: the file that names them, their keys on each engine, and the clocks of those engines.
 */
#include "usm.h"

#include "base/hmap.h"
#include "base/json.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { FILE_MAX = 1 << 20, ACCOUNTS_MAX = 20000 };

struct usm {
	struct usm_crypto *crypto;
	struct arena *names;   /* users and engine ids */
	struct hmap *engines;  /* id → struct usm_engine */
	struct hmap *accounts; /* id length, id, user → struct usm_account */
	struct slice own;
	uint32_t boots;
	instant base;
	struct usm_key file; /* digest of the users file: tells whether it changed */
	uint64_t stats[USM_STATS];
};

/* One line, until its keys are made. */
struct line {
	size_t number;
	struct slice user, auth_pass, priv_pass;
	enum usm_auth auth;
	enum usm_priv priv;
	enum usm_extension extension;
	const struct json *engines;
	struct usm_key auth_master, priv_master;
};

struct usm *usm_new(struct error *err)
{
	struct usm_crypto *c = usm_crypto_new(err);
	if (c == NULL)
		return NULL;
	struct usm *u = xcalloc(1, sizeof *u);
	u->crypto = c;
	u->names = arena_new(4096);
	u->engines = hmap_new();
	u->accounts = hmap_new();
	return u;
}

static void free_values(struct hmap *m, size_t size)
{
	struct slice key;
	void *value;
	for (size_t i = 0; hmap_next(m, &i, &key, &value);) {
		OPENSSL_cleanse(value, size);
		free(value);
	}
	hmap_free(m);
}

void usm_free(struct usm *u)
{
	if (u == NULL)
		return;
	free_values(u->accounts, sizeof(struct usm_account));
	free_values(u->engines, sizeof(struct usm_engine));
	arena_free(u->names);
	usm_crypto_free(u->crypto);
	free(u);
}

void usm_own_engine(struct usm *u, struct slice id, uint32_t boots, instant base)
{
	BUG_ON(id.n == 0 || id.n > ENGINE_MAX || hmap_len(u->accounts) > 0 || boots > INT32_MAX);
	u->own = arena_slice(u->names, id);
	u->boots = boots;
	u->base = base;
}

/* ---- looking */

static struct slice account_key(char out[1 + ENGINE_MAX + USER_MAX], struct slice engine, struct slice user)
{
	BUG_ON(engine.n > ENGINE_MAX || user.n > USER_MAX);
	out[0] = (char)engine.n;
	memcpy(out + 1, engine.p, engine.n);
	memcpy(out + 1 + engine.n, user.p, user.n);
	return slice_of(out, 1 + engine.n + user.n);
}

const struct usm_account *usm_account(const struct usm *u, struct slice engine, struct slice user)
{
	char key[1 + ENGINE_MAX + USER_MAX];
	if (engine.n > ENGINE_MAX || user.n > USER_MAX)
		return NULL;
	return hmap_get(u->accounts, account_key(key, engine, user));
}

struct usm_engine *usm_engine(const struct usm *u, struct slice id)
{
	return hmap_get(u->engines, id);
}

bool usm_has_own(const struct usm *u)
{
	return u->own.n > 0;
}

bool usm_is_own(const struct usm *u, struct slice engine)
{
	return usm_has_own(u) && slice_eq(u->own, engine);
}

struct slice usm_own_id(const struct usm *u)
{
	return u->own;
}

const struct usm_crypto *usm_crypto(const struct usm *u)
{
	return u->crypto;
}

/* RFC 3414, section 2.2.2: time goes up to 2^31-1, then boots is one more. */
void usm_clock(const struct usm *u, instant now, uint32_t *boots, uint32_t *time)
{
	uint64_t seconds = now > u->base ? (uint64_t)((now - u->base) / SECOND) : 0;
	uint64_t b = u->boots + (seconds >> 31);
	*boots = (uint32_t)MIN(b, (uint64_t)INT32_MAX);
	*time = (uint32_t)(seconds & INT32_MAX);
}

uint64_t usm_count(struct usm *u, enum usm_stat stat)
{
	BUG_ON(stat == USM_STAT_NONE || (unsigned)stat >= USM_STATS);
	return ++u->stats[stat];
}

/* ---- one line of the file */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3411, section 5 asks for 5 to 32 octets; agents with fewer are met. */
static bool engine_of(struct slice text, struct buf *out)
{
	buf_clear(out);
	if (slice_starts(text, SLICE("0x")) || slice_starts(text, SLICE("0X")))
		text = slice_sub(text, 2, text.n);
	if (text.n == 0 || text.n % 2 != 0 || text.n / 2 > ENGINE_MAX)
		return false;
	for (size_t i = 0; i < text.n; i += 2) {
		int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		buf_u8(out, (uint8_t)(high << 4 | low));
	}
	return true;
}

static int read_engines(const struct line *l, struct error *err)
{
	struct buf id = {0};
	int rc = 0;
	if (l->engines != NULL && l->engines->kind != JSON_ARRAY)
		return error_set(err, "'engines' must be a list of engine ids");
	for (const struct json *e = l->engines != NULL ? l->engines->first : NULL; e != NULL && rc == 0;
	     e = e->next)
		if (e->kind != JSON_STRING || !engine_of(e->text, &id))
			rc = error_set(err,
			               "'" SLICE_FMT "' is no engine id; write 1 to 32 octets in hexadecimal",
			               SLICE_ARG(json_text(e)));
	buf_free(&id);
	return rc;
}

/* What may stand in a line; the names of config.md section 2. */
static int check_keys(const struct json *o, struct error *err)
{
	static const char *const keys[] = {"user", "engines",   "auth",         "auth_pass",
	                                   "priv", "priv_pass", "key_extension"};
	for (const struct json *m = o->first; m != NULL; m = m->next) {
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			known = known || slice_is(m->key, keys[i]);
		if (!known)
			return error_set(err,
			                 "unknown key '" SLICE_FMT
			                 "'; known are user, engines, auth, auth_pass, "
			                 "priv, priv_pass and key_extension",
			                 SLICE_ARG(slice_sub(m->key, 0, 40)));
		if (!slice_is(m->key, "engines") && m->kind != JSON_STRING)
			return error_set(err, "'" SLICE_FMT "' must be text", SLICE_ARG(m->key));
	}
	return 0;
}

static int check_password(const char *what, struct slice password, struct error *err)
{
	/* RFC 3414, section 11.2 */
	if (password.n < USM_PASSWORD_MIN || password.n > USM_PASSWORD_MAX)
		return error_set(err, "'%s' must have %d to %d octets", what, USM_PASSWORD_MIN,
		                 USM_PASSWORD_MAX);
	return 0;
}

static int read_protocols(struct line *l, const struct json *o, struct error *err)
{
	struct slice auth = json_text(json_get(o, "auth")), priv = json_text(json_get(o, "priv"));
	struct slice how = json_text(json_get(o, "key_extension"));
	l->auth_pass = json_text(json_get(o, "auth_pass"));
	l->priv_pass = json_text(json_get(o, "priv_pass"));
	if (auth.p != NULL && !usm_auth_parse(auth, &l->auth))
		return error_set(err, "'auth' must be MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512");
	if (priv.p != NULL && !usm_priv_parse(priv, &l->priv))
		return error_set(err, "'priv' must be DES, AES, AES-192 or AES-256");
	if ((auth.p == NULL) != (l->auth_pass.p == NULL))
		return error_set(err, "'auth' and 'auth_pass' belong together; give both or neither");
	if ((priv.p == NULL) != (l->priv_pass.p == NULL))
		return error_set(err, "'priv' and 'priv_pass' belong together; give both or neither");
	if (priv.p != NULL && auth.p == NULL)
		return error_set(err, "privacy needs authentication; give 'auth' and 'auth_pass'");
	if (how.p != NULL && !slice_is(how, "blumenthal") && !slice_is(how, "reeder"))
		return error_set(err, "'key_extension' must be blumenthal or reeder");
	l->extension = slice_is(how, "reeder") ? USM_REEDER : USM_BLUMENTHAL;
	if (auth.p != NULL && check_password("auth_pass", l->auth_pass, err) != 0)
		return -1;
	return priv.p != NULL ? check_password("priv_pass", l->priv_pass, err) : 0;
}

static int read_line(struct line *l, struct slice text, struct arena *a, struct error *err)
{
	const struct json *o = json_parse(a, text, JSON_LIMITS, NULL, err);
	if (o == NULL)
		return -1;
	if (o->kind != JSON_OBJECT)
		return error_set(err, "a user is a JSON object such as {\"user\": \"ops\"}");
	if (check_keys(o, err) != 0)
		return -1;
	l->user = json_text(json_get(o, "user"));
	l->engines = json_get(o, "engines");
	if (l->user.p == NULL || l->user.n > USER_MAX)
		return error_set(err, "'user' must be a name of at most %d octets", USER_MAX);
	return read_engines(l, err) != 0 || read_protocols(l, o, err) != 0 ? -1 : 0;
}

/* ---- keys */

/* Many lines with one password (one user per device) cost one mebioctet of digest, not many. */
static bool masters(const struct usm *u, struct line *l, const struct line *former)
{
	bool same_auth =
	    former != NULL && former->auth == l->auth && slice_eq(former->auth_pass, l->auth_pass);
	bool same_priv =
	    same_auth && former->priv != USM_PRIV_NONE && slice_eq(former->priv_pass, l->priv_pass);
	if (l->auth == USM_AUTH_NONE)
		return true;
	if (same_auth)
		l->auth_master = former->auth_master;
	else if (!usm_password_key(u->crypto, l->auth, l->auth_pass, &l->auth_master))
		return false;
	if (l->priv == USM_PRIV_NONE)
		return true;
	if (same_priv)
		l->priv_master = former->priv_master;
	else if (!usm_password_key(u->crypto, l->auth, l->priv_pass, &l->priv_master))
		return false;
	return true;
}

static struct usm_engine *engine_named(struct usm *u, struct slice id)
{
	struct usm_engine *e = hmap_get(u->engines, id);
	if (e != NULL || usm_is_own(u, id))
		return e;
	e = xcalloc(1, sizeof *e);
	e->id = arena_slice(u->names, id);
	hmap_put(u->engines, e->id, e);
	return e;
}

/* One user on one engine. `or_leave`: a line that names the engine itself comes first. */
static int add_account(struct usm *u, const struct line *l, struct slice engine, bool or_leave,
                       struct error *err)
{
	char key[1 + ENGINE_MAX + USER_MAX];
	if (usm_account(u, engine, l->user) != NULL)
		return or_leave ? 0
		                : error_set(err,
		                            "user '" SLICE_FMT "' is already there on this engine; "
		                            "remove one of the two",
		                            SLICE_ARG(l->user));
	if (hmap_len(u->accounts) >= ACCOUNTS_MAX)
		return error_set(err, "more than %d pairs of user and engine", ACCOUNTS_MAX);
	struct usm_account *n = xcalloc(1, sizeof *n);
	n->user = arena_slice(u->names, l->user);
	n->engine = engine_named(u, engine);
	n->auth = l->auth;
	n->priv = l->priv;
	hmap_put(u->accounts, account_key(key, engine, l->user), n);
	bool ok = l->auth == USM_AUTH_NONE ||
	          usm_localise(u->crypto, l->auth, &l->auth_master, engine, &n->auth_key);
	if (ok && l->priv != USM_PRIV_NONE)
		ok = usm_localise(u->crypto, l->auth, &l->priv_master, engine, &n->priv_key) &&
		     usm_extend(u->crypto, l->auth, l->extension, engine, l->priv, &n->priv_key);
	return ok ? 0 : error_set(err, "OpenSSL cannot make the keys of this user");
}

static int add_line(struct usm *u, const struct line *l, struct error *err)
{
	struct buf id = {0};
	int rc = 0;
	for (const struct json *e = l->engines != NULL ? l->engines->first : NULL; e != NULL && rc == 0;
	     e = e->next)
		if (engine_of(e->text, &id))
			rc = add_account(u, l, buf_slice(&id), false, err);
	buf_free(&id);
	return rc;
}

static bool file_digest(const struct usm *u, struct slice text, struct usm_key *out)
{
	static const struct usm_key none = {.n = 1};
	struct slice all = text.p != NULL ? text : SLICE("");
	return usm_localise(u->crypto, USM_SHA_256, &none, all, out);
}

bool usm_same_users(const struct usm *u, struct slice json_lines)
{
	struct usm_key digest;
	return u->file.n > 0 && file_digest(u, json_lines, &digest) && digest.n == u->file.n &&
	       memcmp(digest.v, u->file.v, digest.n) == 0;
}

/* Keys first; then the engines that lines name; at last our own engine for whoever is not on it yet. */
static int add_all(struct usm *u, struct line *v, size_t n, size_t *number, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		*number = v[i].number;
		if (!masters(u, &v[i], i > 0 ? &v[i - 1] : NULL))
			return error_set(err, "OpenSSL cannot make the keys of this user");
		if (add_line(u, &v[i], err) != 0)
			return -1;
	}
	for (size_t i = 0; usm_has_own(u) && i < n; i++) {
		*number = v[i].number;
		if (add_account(u, &v[i], u->own, true, err) != 0)
			return -1;
	}
	return 0;
}

static size_t count_lines(struct slice text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

int usm_users(struct usm *u, struct slice json_lines, struct error *err)
{
	size_t n = 0, number = 0, lines = count_lines(json_lines);
	int rc = 0;
	BUG_ON(hmap_len(u->accounts) > 0);
	if (json_lines.n > FILE_MAX || lines > ACCOUNTS_MAX)
		return error_set(err, "the users file has more than 1 MiB or %d lines", ACCOUNTS_MAX);
	struct arena *a = arena_new(0);
	struct line *v = xcalloc(lines + 1, sizeof *v);
	for (struct slice rest = json_lines, text; rc == 0 && slice_split(&rest, '\n', &text);) {
		number++;
		text = slice_trim(text);
		if (text.n == 0)
			continue;
		BUG_ON(n >= lines);
		v[n].number = number;
		rc = read_line(&v[n++], text, a, err);
	}
	if (rc == 0)
		rc = add_all(u, v, n, &number, err);
	if (rc == 0 && !file_digest(u, json_lines, &u->file))
		rc = error_set(err, "OpenSSL cannot make a digest");
	else if (rc != 0)
		error_wrap(err, "line %zu of the users", number);
	OPENSSL_cleanse(v, n * sizeof *v);
	free(v);
	arena_free(a);
	return rc;
}

void usm_take_over(struct usm *u, const struct usm *former)
{
	struct slice key;
	void *value;
	memcpy(u->stats, former->stats, sizeof u->stats);
	for (size_t i = 0; hmap_next(former->engines, &i, &key, &value);) {
		const struct usm_engine *was = value;
		struct usm_engine *e = hmap_get(u->engines, key);
		if (e == NULL)
			continue;
		e->boots = was->boots;
		e->time = was->time;
		e->at = was->at;
	}
}
