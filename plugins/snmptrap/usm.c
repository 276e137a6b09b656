/* The frame of an SNMPv3 message and what RFC 3414, section 3.2 does with it, step by step. Must not know:
 * what a notification is; only whether the PDU wants an answer. */
#include "usm.h"

#include <openssl/crypto.h>

enum { SNMP_V3 = 3, USM_MODEL = 3, WINDOW = 150 };

/* ---- the frame: RFC 3412 section 6, RFC 3414 section 2.4 */

static bool number(struct ber *b, int64_t *out)
{
	return ber_int(b, out) &&
	       ((*out >= 0 && *out <= INT32_MAX) || ber_fail(b, "a number that is not between 0 and 2^31-1"));
}

static bool clock_of(struct ber *b, uint32_t *out)
{
	int64_t v;
	if (!number(b, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool read_header(struct usm_message *m, struct ber *b)
{
	struct slice flags;
	if (!number(b, &m->msg_id) || !number(b, &m->max_size) || !ber_octets(b, &flags) ||
	    !number(b, &m->model))
		return false;
	if (flags.n != 1)
		return ber_fail(b, "flags that are not one octet");
	m->flags = (unsigned char)flags.p[0] & 7;
	return true;
}

static bool read_security(struct usm_message *m, struct ber *b)
{
	if (!ber_octets(b, &m->engine) || !clock_of(b, &m->boots) || !clock_of(b, &m->time) ||
	    !ber_octets(b, &m->user) || !ber_octets(b, &m->auth) || !ber_octets(b, &m->salt))
		return false;
	if (m->engine.n > ENGINE_MAX || m->user.n > USER_MAX)
		return ber_fail(b, "an engine or user of more than 32 octets");
	return b->at == b->end || ber_fail(b, "octets behind the security parameters");
}

static bool broken(const struct ber *b, const char **why, size_t *at)
{
	*why = b->why != NULL ? b->why : "broken BER";
	*at = b->fault_at;
	return false;
}

bool usm_read(struct usm_message *m, struct slice datagram, const char **why, size_t *at)
{
	struct ber outer = ber_of(datagram), message, header, octets, security, scoped;
	int64_t version;
	*m = (struct usm_message){0};
	if (!ber_enter(&outer, BER_SEQUENCE, &message))
		return broken(&outer, why, at);
	m->whole = slice_sub(datagram, 0, outer.at);
	if (!ber_int(&message, &version) || !ber_enter(&message, BER_SEQUENCE, &header))
		return broken(&message, why, at);
	if (version != SNMP_V3 && !ber_fail(&message, "not version 3"))
		return broken(&message, why, at);
	if (!read_header(m, &header))
		return broken(&header, why, at);
	if (m->model != USM_MODEL && !ber_fail(&header, "another security model than the user-based one"))
		return broken(&header, why, at);
	if (!ber_enter(&message, BER_OCTETS, &octets))
		return broken(&message, why, at);
	if (!ber_enter(&octets, BER_SEQUENCE, &security))
		return broken(&octets, why, at);
	if (!read_security(m, &security))
		return broken(&security, why, at);
	m->auth_at = (size_t)(m->auth.p - datagram.p);
	m->is_encrypted = m->flags & USM_FLAG_PRIV;
	m->scoped_at = message.at;
	if (!ber_enter(&message, m->is_encrypted ? BER_OCTETS : BER_SEQUENCE, &scoped))
		return broken(&message, why, at);
	/* in the clear the header belongs to it: the offsets of the PDU count from there */
	m->scoped = m->is_encrypted ? ber_rest(&scoped)
	                            : slice_sub(datagram, m->scoped_at, message.at - m->scoped_at);
	BUG_ON(m->auth_at > m->whole.n || m->auth.n > m->whole.n - m->auth_at);
	return true;
}

static bool read_scoped(struct usm_message *m, const char **why, size_t *at)
{
	struct ber outer = ber_of(m->scoped), inner;
	if (!ber_enter(&outer, BER_SEQUENCE, &inner))
		return broken(&outer, why, at);
	/* behind it there is only the padding of DES */
	m->scoped = slice_sub(m->scoped, 0, outer.at);
	if (!ber_octets(&inner, &m->context_engine) || !ber_octets(&inner, &m->context))
		return broken(&inner, why, at);
	if (ber_peek(&inner) < 0 && !ber_fail(&inner, "no PDU"))
		return broken(&inner, why, at);
	m->pdu = inner;
	return true;
}

/* ---- the steps; each gives the reason of a refusal or NULL */

static struct usm_verdict refuse(enum usm_stat stat, const char *why, size_t at)
{
	return (struct usm_verdict){.stat = stat, .why = why, .at = at};
}

static enum usm_stat check_level(const struct usm_message *m, const char **why)
{
	const struct usm_account *a = m->account;
	bool auth = m->flags & USM_FLAG_AUTH, priv = m->flags & USM_FLAG_PRIV;
	*why = NULL;
	if ((auth && a->auth == USM_AUTH_NONE) || (priv && a->priv == USM_PRIV_NONE))
		*why = "a higher security level than the user has keys for";
	else if ((!auth && a->auth != USM_AUTH_NONE) || (!priv && a->priv != USM_PRIV_NONE))
		*why = "a lower security level than the user's";
	return *why != NULL ? USM_UNSUPPORTED_LEVELS : USM_STAT_NONE;
}

static bool digest_is_right(const struct usm *u, const struct usm_message *m)
{
	const struct usm_account *a = m->account;
	unsigned char mac[USM_MAC_MAX];
	size_t n = usm_mac_size(a->auth);
	return m->auth.n == n &&
	       usm_mac(usm_crypto(u), a->auth, &a->auth_key, m->whole, m->auth_at, n, mac) &&
	       CRYPTO_memcmp(mac, m->auth.p, n) == 0;
}

/* Step 7 a: by our own clock. */
static bool in_own_window(const struct usm *u, const struct usm_message *m, instant now)
{
	uint32_t boots, time;
	usm_clock(u, now, &boots, &time);
	uint32_t apart = time > m->time ? time - m->time : m->time - time;
	return boots != INT32_MAX && m->boots == boots && apart <= WINDOW;
}

/* Step 7 b: by the clock that the sender has proven so far; `learn`: this message moves it. */
static bool in_their_window(struct usm_engine *e, const struct usm_message *m, instant now, bool learn)
{
	if (m->boots == INT32_MAX)
		return false;
	if (e->at == 0 || m->boots > e->boots || (m->boots == e->boots && m->time > e->time)) {
		if (learn) {
			e->boots = m->boots;
			e->time = m->time;
			e->at = now;
		}
		return true;
	}
	int64_t theirs = e->time + (now > e->at ? (now - e->at) / SECOND : 0);
	return m->boots == e->boots && (int64_t)m->time + WINDOW >= theirs;
}

static bool decrypt(const struct usm *u, struct usm_message *m, struct arena *a)
{
	struct usm_iv iv = {.boots = m->boots, .time = m->time};
	struct slice in = m->scoped;
	if (m->salt.n != USM_SALT || in.n == 0 || usm_padded(m->account->priv, in.n) != in.n)
		return false;
	memcpy(iv.salt, m->salt.p, USM_SALT);
	unsigned char *out = arena_alloc(a, in.n);
	m->scoped = slice_of(out, in.n);
	return usm_cipher(usm_crypto(u), m->account->priv, false, &m->account->priv_key, &iv, in, out);
}

/* Steps 3 to 6: who it is, and whether that is proven. */
static struct usm_verdict check_sender(const struct usm *u, struct usm_message *m)
{
	const char *why;
	bool own = usm_is_own(u, m->engine);
	if (!own && usm_engine(u, m->engine) == NULL) {
		struct usm_verdict v =
		    refuse(USM_UNKNOWN_ENGINES, "an engine that no user has", m->scoped_at);
		/* section 4: discovery begins with an empty engine id */
		v.discovery = m->engine.n == 0 && (m->flags & USM_FLAG_REPORTABLE);
		if (m->engine.n == 0)
			v.why = v.discovery ? "a search for this engine" : "a message without an engine id";
		return v;
	}
	m->account = usm_account(u, m->engine, m->user);
	if (m->account == NULL)
		return refuse(USM_UNKNOWN_USERS, "a user that is unknown on this engine", m->scoped_at);
	enum usm_stat stat = check_level(m, &why);
	if (stat != USM_STAT_NONE)
		return refuse(stat, why, m->scoped_at);
	if ((m->flags & USM_FLAG_AUTH) && !digest_is_right(u, m))
		return refuse(USM_WRONG_DIGESTS, "a wrong digest: another password or a forged message",
		              m->auth_at);
	return (struct usm_verdict){.ok = true};
}

static struct usm_verdict check_window(const struct usm *u, const struct usm_message *m, instant now,
                                       bool learn)
{
	struct usm_engine *e = m->account->engine;
	bool in = e == NULL ? in_own_window(u, m, now) : in_their_window(e, m, now, learn);
	if (in)
		return (struct usm_verdict){.ok = true};
	struct usm_verdict v = refuse(
	    USM_NOT_IN_WINDOW, "outside the time window: repeated, or a clock went back", m->scoped_at);
	/* section 4: the second step of discovery */
	v.discovery = e == NULL && m->boots == 0 && m->time == 0;
	if (v.discovery)
		v.why = "a search for the time of this engine";
	return v;
}

static struct usm_verdict steps(struct usm *u, struct usm_message *m, instant now, bool check_time,
                                bool learn, struct arena *a)
{
	struct usm_verdict v;
	const char *why;
	size_t at;
	if ((m->flags & (USM_FLAG_AUTH | USM_FLAG_PRIV)) == USM_FLAG_PRIV)
		return refuse(USM_STAT_NONE, "privacy without authentication", m->scoped_at);
	v = check_sender(u, m);
	if (!v.ok)
		return v;
	if (check_time && (m->flags & USM_FLAG_AUTH))
		v = check_window(u, m, now, learn);
	if (!v.ok)
		return v;
	if (m->is_encrypted && !decrypt(u, m, a))
		return refuse(USM_DECRYPTION_ERRORS, "it cannot be decrypted", m->scoped_at);
	if (read_scoped(m, &why, &at))
		return v;
	if (m->is_encrypted)
		return refuse(USM_DECRYPTION_ERRORS, "no PDU after decryption: another privacy password",
		              m->scoped_at);
	return refuse(USM_STAT_NONE, why, m->scoped_at + at);
}

struct usm_verdict usm_open(struct usm *u, struct usm_message *m, instant now, bool check_time, bool learn,
                            struct arena *a)
{
	struct usm_verdict v = steps(u, m, now, check_time, learn, a);
	BUG_ON(v.ok && m->account == NULL);
	BUG_ON(!v.ok && v.why == NULL);
	return v;
}
