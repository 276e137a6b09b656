/* Messages that go back: Reports (RFC 3412, section 7.1, step 3) and Responses (step 6), built whole and with
 * shortest lengths. A salt is derived from the key, the time and the text: the same one can only come with
 * the same message. */
#include "usm.h"

#include <openssl/crypto.h>

enum {
	PDU_GET = 0xa0,
	PDU_GETNEXT = 0xa1,
	PDU_SET = 0xa3,
	PDU_BULK = 0xa5,
	PDU_INFORM = 0xa6,
	PDU_REPORT = 0xa8
};

/* ---- a writer of BER */

static void put_head(struct buf *out, int tag, size_t n)
{
	BUG_ON(n > UINT16_MAX * 2u);
	buf_u8(out, (uint8_t)tag);
	if (n >= 0x10000) {
		buf_u8(out, 0x83);
		buf_u8(out, (uint8_t)(n >> 16));
	} else if (n >= 0x100) {
		buf_u8(out, 0x82);
	} else if (n >= 0x80) {
		buf_u8(out, 0x81);
	}
	if (n >= 0x100)
		buf_u8(out, (uint8_t)(n >> 8));
	buf_u8(out, (uint8_t)n);
}

static void put(struct buf *out, int tag, struct slice contents)
{
	put_head(out, tag, contents.n);
	buf_adds(out, contents);
}

static void put_number(struct buf *out, int tag, uint64_t v)
{
	unsigned char b[9];
	size_t n = 0;
	BUG_ON(v > INT64_MAX);
	do {
		b[sizeof b - ++n] = (unsigned char)v;
		v >>= 8;
	} while (v > 0);
	if (b[sizeof b - n] & 0x80)
		b[sizeof b - ++n] = 0;
	put(out, tag, slice_of(b + sizeof b - n, n));
}

/* ---- one message */

struct answer {
	unsigned flags;
	struct slice engine;
	uint32_t boots, time;
	const struct usm_account *account; /* NULL: not authenticated */
};

/* Unique for each text and time under one key, which is all that RFC 3414, section 8.1.1.1 and RFC 3826,
 * section 3.1.2.1 ask of it. */
static bool make_salt(const struct usm *u, const struct usm_account *a, struct slice scoped, instant now,
                      int64_t msg_id, unsigned char salt[USM_SALT])
{
	unsigned char mac[USM_MAC_MAX];
	struct buf text = {0};
	buf_u64(&text, (uint64_t)now);
	buf_u64(&text, (uint64_t)msg_id);
	buf_adds(&text, scoped);
	bool ok = usm_mac(usm_crypto(u), a->auth, &a->auth_key, buf_slice(&text), 0, 0, mac);
	memcpy(salt, mac, USM_SALT);
	buf_free(&text);
	return ok;
}

/* The scopedPDU as it is sent: with its header, or encrypted in octets. */
static bool put_scoped(const struct usm *u, const struct answer *w, struct slice scoped,
                       const unsigned char salt[USM_SALT], struct buf *out)
{
	struct usm_iv iv = {.boots = w->boots, .time = w->time};
	struct buf plain = {0};
	bool ok;
	if (!(w->flags & USM_FLAG_PRIV)) {
		buf_adds(out, scoped);
		return true;
	}
	memcpy(iv.salt, salt, USM_SALT);
	buf_adds(&plain, scoped);
	while (plain.n < usm_padded(w->account->priv, scoped.n))
		buf_u8(&plain, 0);
	put_head(out, BER_OCTETS, plain.n);
	buf_reserve(out, plain.n);
	ok = usm_cipher(usm_crypto(u), w->account->priv, true, &w->account->priv_key, &iv, buf_slice(&plain),
	                (unsigned char *)out->p + out->n);
	out->n += plain.n;
	buf_free(&plain);
	return ok;
}

/* Header, security parameters and data; *mac_at is where the digest goes. */
static bool put_body(const struct usm *u, const struct usm_message *m, const struct answer *w,
                     struct slice scoped, instant now, struct buf *out, size_t *mac_at)
{
	static const unsigned char zeros[USM_MAC_MAX];
	struct buf part = {0}, security = {0};
	unsigned char salt[USM_SALT] = {0}, flags = (unsigned char)w->flags;
	size_t mac_n = w->flags & USM_FLAG_AUTH ? usm_mac_size(w->account->auth) : 0;
	size_t salt_n = w->flags & USM_FLAG_PRIV ? USM_SALT : 0;
	bool ok = salt_n == 0 || make_salt(u, w->account, scoped, now, m->msg_id, salt);
	put_number(out, BER_INTEGER, 3);
	put_number(&part, BER_INTEGER, (uint64_t)m->msg_id);
	put_number(&part, BER_INTEGER, USM_MAX_SIZE);
	put(&part, BER_OCTETS, slice_of(&flags, 1));
	put_number(&part, BER_INTEGER, 3);
	put(out, BER_SEQUENCE, buf_slice(&part));
	buf_clear(&part);
	put(&part, BER_OCTETS, w->engine);
	put_number(&part, BER_INTEGER, w->boots);
	put_number(&part, BER_INTEGER, w->time);
	put(&part, BER_OCTETS, m->user);
	put(&part, BER_OCTETS, slice_of(zeros, mac_n));
	put(&part, BER_OCTETS, slice_of(salt, salt_n));
	put(&security, BER_SEQUENCE, buf_slice(&part));
	put(out, BER_OCTETS, buf_slice(&security));
	*mac_at = out->n - (2 + salt_n) - mac_n;
	buf_free(&part);
	buf_free(&security);
	return put_scoped(u, w, scoped, salt, out) && ok;
}

static void put_message(const struct usm *u, const struct usm_message *m, const struct answer *w,
                        struct slice scoped, instant now, struct buf *out)
{
	struct buf body = {0}, whole = {0};
	unsigned char mac[USM_MAC_MAX];
	size_t mac_at;
	BUG_ON((w->flags & USM_FLAG_AUTH) && (w->account == NULL || w->account->auth == USM_AUTH_NONE));
	bool ok = put_body(u, m, w, scoped, now, &body, &mac_at);
	put(&whole, BER_SEQUENCE, buf_slice(&body));
	if (ok && (w->flags & USM_FLAG_AUTH)) {
		size_t n = usm_mac_size(w->account->auth);
		mac_at += whole.n - body.n;
		ok = usm_mac(usm_crypto(u), w->account->auth, &w->account->auth_key, buf_slice(&whole),
		             mac_at, n, mac);
		memcpy(whole.p + mac_at, mac, n);
	}
	if (ok && whole.n <= USM_MAX_SIZE)
		buf_adds(out, buf_slice(&whole));
	buf_free(&body);
	buf_free(&whole);
}

/* ---- reports */

/* RFC 3412, section 7.2, step 4 b: by the PDU if it can be read, and never to what wants no answer. */
static bool wants_report(const struct usm_message *m, int64_t *request_id)
{
	struct ber outer = ber_of(m->scoped), scoped, pdu;
	struct slice engine, name;
	int tag;
	*request_id = 0;
	if (!(m->flags & USM_FLAG_REPORTABLE))
		return false;
	/* still encrypted, or decrypted to nonsense: the flag alone decides */
	if (!ber_enter(&outer, BER_SEQUENCE, &scoped) || !ber_octets(&scoped, &engine) ||
	    !ber_octets(&scoped, &name) || !ber_next(&scoped, &tag, &pdu))
		return m->is_encrypted;
	if (ber_int(&pdu, request_id) && (*request_id < 0 || *request_id > INT32_MAX))
		*request_id = 0;
	return tag == PDU_GET || tag == PDU_GETNEXT || tag == PDU_SET || tag == PDU_BULK ||
	       tag == PDU_INFORM || m->is_encrypted;
}

/* The scopedPDU of a Report with usmStats.stat.0 as its one variable. */
static void put_report(const struct usm *u, enum usm_stat stat, uint64_t count, int64_t request_id,
                       struct buf *out)
{
	char oid[] = "\x2b\x06\x01\x06\x03\x0f\x01\x01\x01\x00"; /* 1.3.6.1.6.3.15.1.1.N.0 */
	struct buf pair = {0}, list = {0}, pdu = {0}, scoped = {0};
	oid[8] = (char)stat;
	put(&pair, BER_OID, slice_of(oid, sizeof oid - 1));
	put_number(&pair, BER_COUNTER32, count & UINT32_MAX);
	put(&list, BER_SEQUENCE, buf_slice(&pair));
	put_number(&pdu, BER_INTEGER, (uint64_t)request_id);
	put_number(&pdu, BER_INTEGER, 0);
	put_number(&pdu, BER_INTEGER, 0);
	put(&pdu, BER_SEQUENCE, buf_slice(&list));
	put(&scoped, BER_OCTETS, usm_own_id(u));
	put(&scoped, BER_OCTETS, SLICE(""));
	put(&scoped, PDU_REPORT, buf_slice(&pdu));
	put(out, BER_SEQUENCE, buf_slice(&scoped));
	buf_free(&pair);
	buf_free(&list);
	buf_free(&pdu);
	buf_free(&scoped);
}

void usm_report(struct usm *u, const struct usm_message *m, enum usm_stat stat, instant now, struct buf *out)
{
	struct answer w = {.engine = usm_own_id(u)};
	struct buf scoped = {0};
	int64_t request_id;
	if (stat == USM_STAT_NONE)
		return;
	uint64_t count = usm_count(u, stat);
	/* who is no receiver of informs answers nobody */
	if (!usm_has_own(u) || !wants_report(m, &request_id))
		return;
	usm_clock(u, now, &w.boots, &w.time);
	/* the time is only believed if it is proven: section 3.2, step 7 a */
	if (stat == USM_NOT_IN_WINDOW && m->account != NULL && m->account->engine == NULL) {
		w.flags = USM_FLAG_AUTH;
		w.account = m->account;
	}
	put_report(u, stat, count, request_id, &scoped);
	put_message(u, m, &w, buf_slice(&scoped), now, out);
	buf_free(&scoped);
}

void usm_response(const struct usm *u, const struct usm_message *m, struct slice scoped, instant now,
                  struct buf *out)
{
	struct answer w = {
	    .flags = m->flags & (USM_FLAG_AUTH | USM_FLAG_PRIV), .engine = m->engine, .account = m->account};
	BUG_ON(m->account == NULL || m->account->engine != NULL);
	usm_clock(u, now, &w.boots, &w.time);
	put_message(u, m, &w, scoped, now, out);
}
