/* From octets to one notification: message, PDU, variable bindings. Promises: nothing is believed that was
 * not checked; all slices point into the datagram or the arena. Must not know: MIBs, events. */
#include "trap.h"

#include <math.h>

enum { PDU_TRAP_V1 = 0xa4, PDU_INFORM = 0xa6, PDU_TRAP_V2 = 0xa7 };

static const char SYS_UP_TIME[] = "1.3.6.1.2.1.1.3.0";
static const char SYS_NAME[] = "1.3.6.1.2.1.1.5.0";
static const char SNMP_TRAP_OID[] = "1.3.6.1.6.3.1.1.4.1.0";
static const char SNMP_TRAP_ENTERPRISE[] = "1.3.6.1.6.3.1.1.4.3.0";
static const char SNMP_TRAP_ADDRESS[] = "1.3.6.1.6.3.18.1.3.0";

/* ---- values */

static struct slice address_text(struct arena *a, struct slice octets)
{
	const unsigned char *o = (const unsigned char *)octets.p;
	BUG_ON(octets.n != 4);
	return slice_str(arena_printf(a, "%u.%u.%u.%u", o[0], o[1], o[2], o[3]));
}

static double float_of(struct slice s)
{
	uint32_t bits = 0;
	float f;
	for (size_t i = 0; i < 4; i++)
		bits = bits << 8 | (unsigned char)s.p[i];
	memcpy(&f, &bits, sizeof f);
	return (double)f;
}

static uint64_t word_of(struct slice s)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return v;
}

/* The numbers that net-snmp wraps: 9f78 float, 9f79 double, 9f7a int64, 9f7b uint64. Others stay octets. */
static void read_opaque(struct varbind *v, struct arena *a)
{
	struct slice o = v->value;
	if (o.n < 4 || (unsigned char)o.p[0] != 0x9f || (size_t)(unsigned char)o.p[2] != o.n - 3)
		return;
	struct slice body = slice_sub(o, 3, o.n - 3);
	unsigned kind = (unsigned char)o.p[1];
	double d = NAN;
	if (kind == 0x78 && body.n == 4) {
		d = float_of(body);
	} else if (kind == 0x79 && body.n == 8) {
		uint64_t bits = word_of(body);
		memcpy(&d, &bits, sizeof d);
	} else if (kind == 0x7a && body.n >= 1 && body.n <= 8) {
		struct ber inner = ber_of(body);
		int64_t n;
		if (!ber_signed(&inner, &n))
			return;
		v->value = arena_number(a, n);
		v->is_number = true;
		return;
	} else if (kind == 0x7b && body.n >= 1 && body.n <= 8) {
		v->value = arena_unsigned(a, word_of(body));
		v->is_number = true;
		return;
	}
	if (isfinite(d)) {
		v->value = slice_str(arena_printf(a, "%.17g", d));
		v->is_number = true;
	}
}

static bool read_number(struct varbind *v, struct ber *inner, struct arena *a)
{
	uint64_t u;
	int64_t i;
	v->is_number = true;
	if (v->tag == BER_INTEGER) {
		if (!ber_signed(inner, &i))
			return false;
		v->value = arena_number(a, i);
		return true;
	}
	if (!ber_unsigned(inner, v->tag == BER_COUNTER64 ? 8 : 4, &u))
		return false;
	v->value = arena_unsigned(a, u);
	return true;
}

static bool read_contents(struct varbind *v, struct ber *inner, struct arena *a)
{
	struct oid oid;
	switch (v->tag) {
	case BER_INTEGER:
	case BER_COUNTER32:
	case BER_GAUGE32:
	case BER_TIMETICKS:
	case BER_COUNTER64:
	case BER_UINTEGER32: return read_number(v, inner, a);
	case BER_OID:
		if (!ber_oid_contents(inner, &oid))
			return false;
		v->value = oid_text(a, &oid);
		return true;
	case BER_IPADDRESS:
		if (inner->end - inner->at != 4)
			return ber_fail(inner, "an IP address that is not of four octets");
		v->value = address_text(a, ber_rest(inner));
		return true;
	case BER_OPAQUE:
		v->value = ber_rest(inner);
		read_opaque(v, a);
		return true;
	case BER_OCTETS:
	case BER_NSAP: v->value = ber_rest(inner); return true;
	default: /* Null and the exceptions of RFC 3416 */
		return inner->at == inner->end || ber_fail(inner, "a null with contents");
	}
}

static const char *type_name(int tag)
{
	switch (tag) {
	case BER_INTEGER: return "Integer32";
	case BER_OCTETS: return "OctetString";
	case BER_NULL: return "Null";
	case BER_OID: return "ObjectIdentifier";
	case BER_IPADDRESS: return "IpAddress";
	case BER_COUNTER32: return "Counter32";
	case BER_GAUGE32: return "Gauge32";
	case BER_TIMETICKS: return "TimeTicks";
	case BER_OPAQUE: return "Opaque";
	case BER_NSAP: return "NsapAddress";
	case BER_COUNTER64: return "Counter64";
	case BER_UINTEGER32: return "UInteger32";
	case BER_NO_OBJECT: return "noSuchObject";
	case BER_NO_INSTANCE: return "noSuchInstance";
	case BER_END_OF_VIEW: return "endOfMibView";
	default: return NULL;
	}
}

static bool adopt(struct ber *b, const struct ber *inner)
{
	if (b->why == NULL) {
		b->why = inner->why;
		b->fault_at = inner->fault_at;
	}
	return false;
}

static bool read_varbind(struct ber *list, struct varbind *v, struct arena *a)
{
	struct ber pair, value;
	struct oid name;
	if (!ber_enter(list, BER_SEQUENCE, &pair))
		return false;
	if (!ber_oid(&pair, &name) || !ber_next(&pair, &v->tag, &value))
		return adopt(list, &pair);
	v->type = type_name(v->tag);
	if (v->type == NULL) {
		value.at = value.end;
		return ber_fail(list, "a value of a type that SNMP does not have");
	}
	if (!read_contents(v, &value, a))
		return adopt(list, &value);
	v->oid = oid_text(a, &name);
	return pair.at == pair.end || ber_fail(list, "octets behind the value of a variable");
}

static size_t count_values(struct ber list)
{
	size_t n = 0;
	int tag;
	struct ber inner;
	while (list.at < list.end && ber_next(&list, &tag, &inner))
		n++;
	return n;
}

static bool read_varbinds(struct trap *t, struct ber *pdu, struct arena *a)
{
	struct ber list;
	if (!ber_enter(pdu, BER_SEQUENCE, &list))
		return false;
	size_t n = count_values(list);
	if (n > VARBINDS_MAX)
		return ber_fail(pdu, "more than 1000 variables");
	t->vars = arena_array(a, n + 1, sizeof *t->vars);
	while (list.at < list.end) {
		if (t->n_vars >= n)
			return ber_fail(pdu, "the list of variables ends too early");
		if (!read_varbind(&list, &t->vars[t->n_vars], a))
			return adopt(pdu, &list);
		t->n_vars++;
	}
	return true;
}

/* ---- what the variables say about the notification itself */

static void learn(struct trap *t, const struct varbind *v)
{
	int64_t ticks;
	if (v->tag == BER_TIMETICKS && !t->has_uptime && slice_is(v->oid, SYS_UP_TIME) &&
	    slice_int(v->value, &ticks)) {
		t->has_uptime = true;
		t->uptime = (uint64_t)ticks;
	} else if (v->tag == BER_OID && t->oid.p == NULL && slice_is(v->oid, SNMP_TRAP_OID)) {
		t->oid = v->value;
	} else if (v->tag == BER_OID && t->enterprise.p == NULL && slice_is(v->oid, SNMP_TRAP_ENTERPRISE)) {
		t->enterprise = v->value;
	} else if (v->tag == BER_IPADDRESS && t->agent.p == NULL && slice_is(v->oid, SNMP_TRAP_ADDRESS)) {
		t->agent = v->value;
	} else if (v->tag == BER_OCTETS && slice_is(v->oid, SYS_NAME)) {
		t->sys_name = v->value;
	}
}

static void learn_all(struct trap *t)
{
	for (size_t i = 0; i < t->n_vars; i++)
		learn(t, &t->vars[i]);
}

/* ---- PDUs */

/* RFC 3584, section 3.1: generic g is snmpTraps.(g+1), enterprise-specific is enterprise.0.specific. */
static struct slice trap_oid(struct arena *a, struct slice enterprise, int64_t generic, int64_t specific)
{
	if (generic >= 0 && generic <= 5)
		return slice_str(arena_printf(a, "1.3.6.1.6.3.1.1.5.%d", (int)generic + 1));
	return slice_str(arena_printf(a, SLICE_FMT ".0.%u", SLICE_ARG(enterprise), (unsigned)specific));
}

static bool read_trap_v1(struct trap *t, struct ber *pdu, struct arena *a)
{
	struct oid enterprise;
	struct ber value;
	int64_t generic, specific;
	if (!ber_oid(pdu, &enterprise) || !ber_enter(pdu, BER_IPADDRESS, &value))
		return false;
	if (value.end - value.at != 4)
		return ber_fail(pdu, "an agent address that is not of four octets");
	t->agent = address_text(a, ber_rest(&value));
	if (!ber_int(pdu, &generic) || !ber_int(pdu, &specific) || !ber_enter(pdu, BER_TIMETICKS, &value))
		return false;
	if (!ber_unsigned(&value, 4, &t->uptime))
		return adopt(pdu, &value);
	t->has_uptime = true;
	t->enterprise = oid_text(a, &enterprise);
	t->oid = trap_oid(a, t->enterprise, generic, specific);
	return read_varbinds(t, pdu, a);
}

static bool read_trap_v2(struct trap *t, struct ber *pdu, struct arena *a)
{
	struct ber status, index;
	if (!ber_int(pdu, &t->request_id) || !ber_enter(pdu, BER_INTEGER, &status) ||
	    !ber_enter(pdu, BER_INTEGER, &index))
		return false;
	t->status_at = status.at;
	t->status_n = status.end - status.at;
	t->index_at = index.at;
	t->index_n = index.end - index.at;
	return read_varbinds(t, pdu, a);
}

static const char *not_for_us(int64_t version, int tag)
{
	if (tag < 0xa0 || tag > 0xa8)
		return "no PDU";
	if (tag != PDU_TRAP_V1 && tag != PDU_TRAP_V2 && tag != PDU_INFORM)
		return "a PDU that is no notification";
	if ((tag == PDU_TRAP_V1) != (version == 0))
		return "a PDU of another version than the message";
	return NULL;
}

static enum trap_read broken(const struct ber *b, const char **why, size_t *at)
{
	*why = b->why != NULL ? b->why : "broken BER";
	*at = b->fault_at;
	return TRAP_BROKEN;
}

enum trap_read trap_read_pdu(struct trap *t, struct ber *in, struct arena *a, const char **why, size_t *at)
{
	struct ber pdu;
	int tag;
	t->pdu_at = in->at;
	if (!ber_next(in, &tag, &pdu))
		return broken(in, why, at);
	*why = not_for_us(t->version, tag);
	*at = t->pdu_at;
	if (*why != NULL)
		return TRAP_NOT_ONE;
	t->is_inform = tag == PDU_INFORM;
	if (!(tag == PDU_TRAP_V1 ? read_trap_v1(t, &pdu, a) : read_trap_v2(t, &pdu, a)))
		return broken(&pdu, why, at);
	BUG_ON(t->pdu_at >= in->end || t->n_vars > VARBINDS_MAX);
	learn_all(t);
	return TRAP_OK;
}

enum trap_read trap_read(struct trap *t, struct slice datagram, struct arena *a, const char **why, size_t *at)
{
	struct ber outer = ber_of(datagram), message;
	*t = (struct trap){0};
	if (!ber_enter(&outer, BER_SEQUENCE, &message))
		return broken(&outer, why, at);
	t->end = outer.at;
	if (!ber_int(&message, &t->version))
		return broken(&message, why, at);
	if (t->version != 0 && t->version != 1) {
		*why = "not a version of SNMP";
		*at = message.at;
		return TRAP_NOT_ONE;
	}
	if (!ber_octets(&message, &t->community))
		return broken(&message, why, at);
	return trap_read_pdu(t, &message, a, why, at);
}
