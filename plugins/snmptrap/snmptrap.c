/* The SNMP decoder: one datagram is one notification or a counted refusal. Informs get their Response PDU
 * (RFC 3416, section 4.2.7), to be sent when the event is on disk. */
#include "trap.h"

#include <stdlib.h>

struct snmptrap_settings {
	char **communities;
	size_t n;
};

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
	free(s);
}

static bool community_known(const struct snmptrap_settings *s, struct slice community)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (slice_is(community, s->communities[i]))
			return true;
	return s == NULL || s->n == 0;
}

/* The same message with the Response tag and without an error. */
static void write_response(const struct trap *t, struct slice datagram, struct buf *reply)
{
	enum { PDU_RESPONSE = 0xa2 };
	size_t from = reply->n;
	BUG_ON(t->end > datagram.n || t->pdu_at >= t->end);
	buf_add(reply, datagram.p, t->end);
	reply->p[from + t->pdu_at] = (char)PDU_RESPONSE;
	memset(reply->p + from + t->status_at, 0, t->status_n);
	memset(reply->p + from + t->index_at, 0, t->index_n);
}

static enum decode_result snmptrap_decode(const void *settings, const struct decode_env *env,
                                          struct slice datagram, struct evt_batch *out, struct buf *reply)
{
	struct trap t;
	const char *why;
	size_t at;
	if (trap_read(&t, datagram, out->arena, &why, &at) != TRAP_OK) {
		evt_batch_note(out, at, "%s", why);
		return DECODE_REFUSED;
	}
	if (!community_known(settings, t.community)) {
		evt_batch_note(out, SIZE_MAX, "unknown community");
		return DECODE_REFUSED;
	}
	struct fields *f = evt_batch_add(out);
	if (f == NULL)
		return DECODE_REFUSED;
	trap_fields(&t, env, f);
	if (t.oid.p == NULL) {
		fields_add_tag(f, "no-trap-oid");
		evt_batch_note(out, t.pdu_at, "no snmpTrapOID.0 among the variables");
	}
	if (t.end < datagram.n) {
		fields_add_tag(f, "trailing");
		evt_batch_note(out, t.end, "octets behind the message");
	}
	if (t.is_inform && reply != NULL)
		write_response(&t, datagram, reply);
	return DECODE_OK;
}

bool snmptrap_inform_id(struct slice datagram, int64_t *request_id)
{
	struct ber outer = ber_of(datagram), message, pdu;
	struct slice community;
	int64_t version;
	*request_id = 0;
	return ber_enter(&outer, BER_SEQUENCE, &message) && ber_int(&message, &version) && version == 1 &&
	       ber_octets(&message, &community) && ber_enter(&message, 0xa6, &pdu) &&
	       ber_int(&pdu, request_id);
}

const struct decoder snmptrap_decoder = {PLUGIN_ABI, "snmptrap", "snmp", snmptrap_decode};
