/* The SNMP decoder: one datagram is one notification or a counted refusal. Informs get their Response PDU
 * (RFC 3416, section 4.2.7), to be sent when the event is on disk; version 3 gets its Reports (usm.h). */
#include "trap.h"
#include "usm.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hmap.h"

struct snmptrap_settings {
	char **communities;
	size_t n;
	const struct mib *mib;
	struct usm *usm; /* NULL: no users. Its clocks and counters change while messages are decoded. */
	struct slice engine;
	uint32_t boots;
	instant base;
	char engine_octets[ENGINE_MAX];
};

/* ---- settings */

struct snmptrap_settings *snmptrap_settings_new(const char *const *communities, size_t n)
{
	struct snmptrap_settings *s = xcalloc(1, sizeof *s);
	s->communities = xcalloc(n + 1, sizeof *s->communities);
	for (; s->n < n; s->n++)
		s->communities[s->n] = xstrdup(communities[s->n]);
	return s;
}

void snmptrap_settings_free(struct snmptrap_settings *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->communities[i]);
	free(s->communities);
	usm_free(s->usm);
	free(s);
}

void snmptrap_settings_mib(struct snmptrap_settings *s, const struct mib *m)
{
	s->mib = m;
}

void snmptrap_settings_engine(struct snmptrap_settings *s, struct slice id, uint32_t boots, instant base)
{
	BUG_ON(id.n < 5 || id.n > sizeof s->engine_octets || s->usm != NULL);
	memcpy(s->engine_octets, id.p, id.n);
	s->engine = slice_of(s->engine_octets, id.n);
	s->boots = boots;
	s->base = base;
}

/* As snmptrapd's `engineID TEXT` makes it: net-snmp's enterprise, for there is none of our own, and the text
 * form. */
size_t snmptrap_engine_id(const char *instance, unsigned char out[32])
{
	static const unsigned char prefix[] = {0x80, 0x00, 0x1f, 0x88, 0x04};
	enum { TEXT_MAX = 27, KEPT = 18 };
	char text[TEXT_MAX + 1];
	size_t n = strlen(instance);
	if (n > TEXT_MAX || n == 0)
		n = (size_t)snprintf(text, sizeof text, "%.*s-%08x", KEPT, instance,
		                     (unsigned)(hash_stable(slice_str(instance)) & UINT32_MAX));
	else
		memcpy(text, instance, n);
	BUG_ON(n > TEXT_MAX);
	memcpy(out, prefix, sizeof prefix);
	memcpy(out + sizeof prefix, text, n);
	return sizeof prefix + n;
}

int snmptrap_settings_users(struct snmptrap_settings *s, struct slice json_lines, struct error *err)
{
	if (s->usm != NULL && usm_same_users(s->usm, json_lines))
		return 0;
	struct usm *u = usm_new(err);
	if (u == NULL)
		return -1;
	if (s->engine.n > 0)
		usm_own_engine(u, s->engine, s->boots, s->base);
	if (usm_users(u, json_lines, err) != 0) {
		usm_free(u);
		return -1;
	}
	if (s->usm != NULL)
		usm_take_over(u, s->usm);
	usm_free(s->usm);
	s->usm = u;
	return 0;
}

void snmptrap_settings_adopt(struct snmptrap_settings *s, struct snmptrap_settings *from)
{
	if (s->usm != NULL || !slice_eq(s->engine, from->engine))
		return;
	s->usm = from->usm;
	from->usm = NULL;
}

/* ---- versions 1 and 2c */

static bool community_known(const struct snmptrap_settings *s, struct slice community)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (slice_is(community, s->communities[i]))
			return true;
	return s == NULL || s->n == 0;
}

/* The same octets with the Response tag and without an error. `end`: how many of them. */
static void write_response(const struct trap *t, struct slice octets, size_t end, struct buf *out)
{
	enum { PDU_RESPONSE = 0xa2 };
	size_t from = out->n;
	BUG_ON(end > octets.n || t->pdu_at >= end || t->index_at + t->index_n > end);
	buf_add(out, octets.p, end);
	out->p[from + t->pdu_at] = (char)PDU_RESPONSE;
	memset(out->p + from + t->status_at, 0, t->status_n);
	memset(out->p + from + t->index_at, 0, t->index_n);
}

static bool add_event(const struct snmptrap_settings *s, const struct trap *t, const struct decode_env *env,
                      struct slice datagram, struct evt_batch *out)
{
	struct fields *f = evt_batch_add(out);
	if (f == NULL)
		return false;
	trap_fields(t, env, s != NULL ? s->mib : NULL, f);
	if (t->oid.p == NULL) {
		fields_add_tag(f, "no-trap-oid");
		evt_batch_note(out, t->version == 3 ? SIZE_MAX : t->pdu_at,
		               "no snmpTrapOID.0 among the variables");
	}
	if (t->end < datagram.n) {
		fields_add_tag(f, "trailing");
		evt_batch_note(out, t->end, "octets behind the message");
	}
	return true;
}

static enum decode_result decode_community(const struct snmptrap_settings *s, const struct decode_env *env,
                                           struct slice datagram, struct evt_batch *out, struct buf *reply)
{
	struct trap t;
	const char *why;
	size_t at;
	if (trap_read(&t, datagram, out->arena, &why, &at) != TRAP_OK) {
		evt_batch_note(out, at, "%s", why);
		return DECODE_REFUSED;
	}
	if (!community_known(s, t.community)) {
		evt_batch_note(out, SIZE_MAX, "unknown community");
		return DECODE_DENIED;
	}
	if (!add_event(s, &t, env, datagram, out))
		return DECODE_REFUSED;
	if (t.is_inform && reply != NULL)
		write_response(&t, datagram, t.end, reply);
	return DECODE_OK;
}

/* ---- version 3 */

/* The notification in an opened message, or why there is none. */
static struct usm_verdict notification(const struct usm *u, struct usm_message *m, struct trap *t,
                                       struct arena *a)
{
	struct usm_verdict v = {.ok = true};
	*t = (struct trap){.version = 3, .end = m->whole.n};
	v.ok = trap_read_pdu(t, &m->pdu, a, &v.why, &v.at) == TRAP_OK;
	v.at = m->is_encrypted ? m->scoped_at : m->scoped_at + v.at;
	/* RFC 3414, section 1.5.1: the receiver of an inform is the authority, and its engine the one that
	 * counts */
	if (v.ok && t->is_inform && usm_has_own(u) && !usm_is_own(u, m->engine))
		v = (struct usm_verdict){.stat = USM_UNKNOWN_ENGINES,
		                         .at = m->scoped_at,
		                         .why = "an inform for another engine than this one"};
	t->user = m->user;
	t->engine = m->context_engine.n > 0 ? m->context_engine : m->engine;
	t->context = m->context;
	return v;
}

static enum decode_result decode_v3(const struct snmptrap_settings *s, const struct decode_env *env,
                                    struct slice datagram, struct evt_batch *out, struct buf *reply)
{
	struct usm_message m;
	struct trap t;
	struct usm_verdict v = {.ok = false};
	if (s == NULL || s->usm == NULL) {
		evt_batch_note(out, SIZE_MAX, "SNMPv3, but no users are configured");
		return DECODE_REFUSED;
	}
	if (!usm_read(&m, datagram, &v.why, &v.at)) {
		evt_batch_note(out, v.at, "%s", v.why);
		return DECODE_REFUSED;
	}
	v = usm_open(s->usm, &m, env->received, !env->raw_mode, true, out->arena);
	if (v.ok)
		v = notification(s->usm, &m, &t, out->arena);
	if (!v.ok) {
		evt_batch_note(out, v.at, "%s", v.why);
		if (reply != NULL)
			usm_report(s->usm, &m, v.stat, env->received, reply);
		return v.discovery && reply != NULL && reply->n > 0 ? DECODE_OK : DECODE_REFUSED;
	}
	if (!add_event(s, &t, env, datagram, out))
		return DECODE_REFUSED;
	if (t.is_inform && reply != NULL && usm_is_own(s->usm, m.engine)) {
		struct buf scoped = {0};
		write_response(&t, m.scoped, m.scoped.n, &scoped);
		usm_response(s->usm, &m, buf_slice(&scoped), env->received, reply);
		buf_free(&scoped);
	}
	return DECODE_OK;
}

/* ---- all versions */

/* -1: not even that can be read. */
static int64_t version_of(struct slice datagram)
{
	struct ber outer = ber_of(datagram), message;
	int64_t version;
	return ber_enter(&outer, BER_SEQUENCE, &message) && ber_int(&message, &version) ? version : -1;
}

static enum decode_result snmptrap_decode(const void *settings, const struct decode_env *env,
                                          struct slice datagram, struct evt_batch *out, struct buf *reply)
{
	if (version_of(datagram) == 3)
		return decode_v3(settings, env, datagram, out, reply);
	return decode_community(settings, env, datagram, out, reply);
}

enum { PDU_INFORM = 0xa6 };

static bool inform_of(struct ber *at_pdu, int64_t *request_id)
{
	struct ber pdu;
	return ber_enter(at_pdu, PDU_INFORM, &pdu) && ber_int(&pdu, request_id);
}

static bool inform_v3(struct slice datagram, int64_t *request_id)
{
	struct usm_message m;
	struct slice engine, name;
	struct ber outer, scoped;
	const char *why;
	size_t at;
	if (!usm_read(&m, datagram, &why, &at) || m.is_encrypted)
		return false;
	outer = ber_of(m.scoped);
	return ber_enter(&outer, BER_SEQUENCE, &scoped) && ber_octets(&scoped, &engine) &&
	       ber_octets(&scoped, &name) && inform_of(&scoped, request_id);
}

bool snmptrap_inform_id(struct slice datagram, int64_t *request_id)
{
	struct ber outer = ber_of(datagram), message;
	struct slice community;
	int64_t version;
	*request_id = 0;
	if (!ber_enter(&outer, BER_SEQUENCE, &message) || !ber_int(&message, &version))
		return false;
	if (version == 3)
		return inform_v3(datagram, request_id);
	return version == 1 && ber_octets(&message, &community) && inform_of(&message, request_id);
}

static bool inform_key_v3(const struct snmptrap_settings *s, const struct decode_env *env,
                          struct slice datagram, int64_t *request_id)
{
	struct usm_message m;
	const char *why;
	size_t at;
	/* only informs name our engine: traps, which are many, are not decrypted twice */
	if (s == NULL || s->usm == NULL || !usm_read(&m, datagram, &why, &at) ||
	    !usm_is_own(s->usm, m.engine))
		return false;
	struct arena *a = arena_new(4096);
	bool is =
	    usm_open(s->usm, &m, env->received, !env->raw_mode, false, a).ok && inform_of(&m.pdu, request_id);
	arena_free(a);
	return is;
}

bool snmptrap_inform_key(const void *settings, const struct decode_env *env, struct slice datagram,
                         int64_t *request_id)
{
	struct ber outer = ber_of(datagram), message;
	struct slice community;
	int64_t version;
	*request_id = 0;
	if (!ber_enter(&outer, BER_SEQUENCE, &message) || !ber_int(&message, &version))
		return false;
	if (version == 3)
		return inform_key_v3(settings, env, datagram, request_id);
	return version == 1 && ber_octets(&message, &community) && community_known(settings, community) &&
	       inform_of(&message, request_id);
}

const struct decoder snmptrap_decoder = {PLUGIN_ABI, "snmptrap", "snmp", snmptrap_decode};
