/* The event of a notification: fields of language.md section 3, names by the MIB tables. In raw mode the
 * variables stay as sent, as JSON text in one field. */
#include "trap.h"

enum { MAX_MESSAGE = 1024 };

/* ---- variables as fields */

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return false;
	}
	return slice_utf8(s);
}

/* Octets that are no text (addresses, dates, bits) as 00:1b:2c. */
static struct slice hex_text(struct arena *a, struct slice s)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_alloc(a, s.n * 3 + 1), *p = out;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (i > 0)
			*p++ = ':';
		*p++ = digits[c >> 4];
		*p++ = digits[c & 15];
	}
	return (struct slice){out, (size_t)(p - out)};
}

static struct slice readable(struct arena *a, struct slice s)
{
	while (s.n > 0 && s.p[s.n - 1] == '\0')
		s.n--; /* C strings, sent with their end */
	return is_printable(s) ? s : hex_text(a, s);
}

/* Octets as what their object says they are; absent: it says nothing, or they are not that. */
static struct slice octets_by_form(struct arena *a, const struct mib_object *o, struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	switch (o->form) {
	case MIB_PLAIN:
	case MIB_ENUM:
		return SLICE_NONE;
	case MIB_BITS:
		return mib_bits(o, s, a);
	case MIB_MAC:
		return s.n > 0 ? hex_text(a, s) : s; /* six octets may look like text */
	case MIB_IP:
		if (s.n != 4)
			return SLICE_NONE;
		return slice_str(arena_printf(a, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]));
	case MIB_DATE:
		return mib_date(s, a);
	}
	return SLICE_NONE;
}

/* The value for people. `named`: a number was replaced by its name. */
static struct slice value_text(struct arena *a, const struct varbind *v, const struct mib *m, const struct mib_object *o,
                               bool *named)
{
	bool octets = v->tag == BER_OCTETS || v->tag == BER_NSAP || (v->tag == BER_OPAQUE && !v->is_number);
	struct slice text = SLICE_NONE;
	int64_t number;
	*named = false;
	if (o != NULL && octets && v->value.n > 0)
		text = octets_by_form(a, o, v->value);
	else if (o != NULL && o->form == MIB_ENUM && v->is_number && slice_int(v->value, &number))
		text = mib_label(o, number);
	else if (o != NULL && v->tag == BER_OID)
		text = mib_place(m, v->value);
	*named = text.p != NULL;
	return *named ? text : octets ? readable(a, v->value) : v->value;
}

/* A variable with what its object says of it: asked once, used for the message and for the fields. */
struct told {
	const struct mib_object *object; /* NULL: unknown */
	struct slice index, value;
	bool named; /* the value was a number and is now its name */
};

static struct told *tell_all(const struct trap *t, struct arena *a, const struct mib *m)
{
	struct told *all = arena_array(a, t->n_vars + 1, sizeof *all);
	for (size_t i = 0; i < t->n_vars; i++) {
		struct told *x = &all[i];
		x->object = mib_object(m, t->vars[i].oid, &x->index);
		x->value = value_text(a, &t->vars[i], m, x->object, &x->named);
	}
	return all;
}

static void set_variable(struct fields *f, const struct varbind *v, const struct told *x)
{
	enum value_type type = v->is_number && !x->named ? VALUE_NUMBER
	                       : v->tag == BER_IPADDRESS  ? VALUE_IP
	                                                  : VALUE_TEXT;
	if (x->object == NULL) {
		(void)fields_set_named(f, arena_join(f->arena, SLICE("snmp.var."), v->oid), x->value, type);
		return;
	}
	/* a repeated name keeps its index (intake.md section 4) */
	struct slice full = x->object->var;
	if (fields_get_name(f, full).p != NULL)
		full = x->index.n > 0 ? arena_join(f->arena, full, arena_join(f->arena, SLICE("."), x->index)) : full;
	else if (!slice_is(x->index, "0"))
		(void)fields_set_named(f, x->object->index, x->index, VALUE_TEXT);
	(void)fields_set_named(f, full, x->value, type);
}

/* Said elsewhere, or a secret: snmpTrapOID, sysUpTime, snmpTrapCommunity. */
static bool is_own(struct slice oid)
{
	return slice_is(oid, "1.3.6.1.6.3.1.1.4.1.0") || slice_is(oid, "1.3.6.1.2.1.1.3.0") ||
	       slice_starts(oid, SLICE("1.3.6.1.6.3.18.1.4"));
}

/* One line for people: the notification and what it carries, as long as whole variables fit. */
static void set_message(const struct trap *t, struct fields *f, const struct told *all, struct slice trap_name)
{
	char *out = arena_alloc(f->arena, MAX_MESSAGE);
	struct slice head = trap_name.n > 0 ? trap_name : SLICE("notification");
	size_t n = MIN(head.n, MAX_MESSAGE - 1);
	memcpy(out, head.p, n);
	for (size_t i = 0; i < t->n_vars; i++) {
		struct slice name = all[i].object != NULL ? all[i].object->name : t->vars[i].oid;
		if (is_own(t->vars[i].oid))
			continue;
		if (n + name.n + all[i].value.n + 3 > MAX_MESSAGE)
			break;
		out[n++] = ' ';
		memcpy(out + n, name.p, name.n);
		n += name.n;
		out[n++] = '=';
		if (all[i].value.n > 0)
			memcpy(out + n, all[i].value.p, all[i].value.n);
		n += all[i].value.n;
	}
	BUG_ON(n > MAX_MESSAGE);
	fields_set(f, FIELD_MESSAGE, (struct slice){out, n});
}

/* ---- variables as JSON */

static void json_value(struct jw *w, const struct varbind *v)
{
	jw_key(w, "value");
	if (v->value.p == NULL)
		jw_null(w);
	else if (v->is_number)
		jw_raw(w, v->value);
	else if (v->tag == BER_OPAQUE)
		decode_json_octets(w, v->value);
	else
		decode_json_text(w, v->value);
}

static void set_vars_tree(const struct trap *t, struct fields *f)
{
	struct buf out = {0};
	struct jw w = jw_new(&out);
	jw_array(&w);
	for (size_t i = 0; i < t->n_vars; i++) {
		jw_object(&w);
		jw_kslice(&w, "oid", t->vars[i].oid);
		jw_kstr(&w, "type", t->vars[i].type);
		json_value(&w, &t->vars[i]);
		jw_end(&w);
	}
	jw_array_end(&w);
	(void)fields_set_named(f, SLICE("snmp.vars"), arena_slice(f->arena, buf_slice(&out)), VALUE_TEXT);
	buf_free(&out);
}

/* ---- all */

/* Decision 9 of intake.md: the agent's address or snmpTrapAddress.0, else sysName.0, else the sender. */
static struct slice host_of(const struct trap *t, const struct decode_env *env)
{
	if (t->agent.n > 0 && !slice_is(t->agent, "0.0.0.0"))
		return t->agent;
	if (t->sys_name.n > 0 && is_printable(t->sys_name))
		return t->sys_name;
	return env->raw_mode ? SLICE_NONE : env->sender;
}

/* RFC 2863, section 6; whatever tables there are. */
static void set_state(struct fields *f, struct slice oid)
{
	if (slice_is(oid, "1.3.6.1.6.3.1.1.5.3"))
		fields_set(f, FIELD_STATE, SLICE("problem"));
	else if (slice_is(oid, "1.3.6.1.6.3.1.1.5.4"))
		fields_set(f, FIELD_STATE, SLICE("clear"));
}

/* Who sent it as SNMPv3 says: proven, unlike a community. */
static void set_user(const struct trap *t, struct fields *f)
{
	(void)fields_set_named(f, SLICE("snmp.user"), t->user, VALUE_TEXT);
	(void)fields_set_named(f, SLICE("snmp.context"), t->context, VALUE_TEXT);
	if (t->engine.n > 0)
		(void)fields_set_named(f, SLICE("snmp.engine"), hex_text(f->arena, t->engine), VALUE_TEXT);
}

static void set_head(const struct trap *t, struct fields *f, struct slice trap_name)
{
	struct slice version = t->version == 0 ? SLICE("v1") : t->version == 1 ? SLICE("v2c") : SLICE("v3");
	(void)fields_set_named(f, SLICE("snmp.version"), version, VALUE_TEXT);
	(void)fields_set_named(f, SLICE("snmp.trap"), trap_name, VALUE_TEXT);
	(void)fields_set_named(f, SLICE("snmp.enterprise"), t->enterprise, VALUE_TEXT);
	(void)fields_set_named(f, SLICE("snmp.agent"), t->agent, VALUE_IP);
	(void)fields_set_named(f, SLICE("snmp.community"), t->community, VALUE_TEXT);
	if (t->version == 3)
		set_user(t, f);
	if (t->has_uptime)
		(void)fields_set_named(f, SLICE("snmp.uptime"), arena_unsigned(f->arena, t->uptime), VALUE_NUMBER);
}

void trap_fields(const struct trap *t, const struct decode_env *env, const struct mib *m, struct fields *f)
{
	struct slice name = mib_notification(m, t->oid);
	fields_set(f, FIELD_TYPE, SLICE("snmp"));
	fields_set_lower(f, FIELD_HOST, host_of(t, env));
	set_state(f, t->oid);
	set_head(t, f, env->raw_mode || name.p == NULL ? t->oid : name);
	if (env->raw_mode) {
		set_vars_tree(t, f);
		return;
	}
	fields_set(f, FIELD_SOURCE, slice_str(env->source));
	fields_set_type(f, FIELD_SENDER, env->sender, VALUE_IP);
	const struct told *all = tell_all(t, f->arena, m);
	set_message(t, f, all, name.p != NULL ? name : t->oid);
	for (size_t i = 0; i < t->n_vars; i++)
		set_variable(f, &t->vars[i], &all[i]);
}
