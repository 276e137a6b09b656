/* The event of a notification: fields of language.md section 3, names by the built-in table. In raw mode the
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

static struct slice value_text(struct arena *a, const struct varbind *v)
{
	bool octets = v->tag == BER_OCTETS || v->tag == BER_NSAP || (v->tag == BER_OPAQUE && !v->is_number);
	return octets ? readable(a, v->value) : v->value;
}

static struct slice joined(struct arena *a, const char *prefix, struct slice name, struct slice index)
{
	return slice_str(arena_printf(a, "%s" SLICE_FMT "%s" SLICE_FMT, prefix, SLICE_ARG(name),
	                              index.n > 0 ? "." : "", SLICE_ARG(index)));
}

static void set_variable(struct fields *f, const struct varbind *v)
{
	struct slice index, name = mib_object(v->oid, &index);
	struct slice value = value_text(f->arena, v);
	enum value_type type = v->is_number ? VALUE_NUMBER : v->tag == BER_IPADDRESS ? VALUE_IP : VALUE_TEXT;
	if (name.p == NULL) {
		(void)fields_set_named(f, joined(f->arena, "snmp.var.", v->oid, SLICE_NONE), value, type);
		return;
	}
	/* a repeated name keeps its index (intake.md section 4) */
	struct slice full = joined(f->arena, "snmp.var.", name, SLICE_NONE);
	if (fields_get_name(f, full).p != NULL)
		full = joined(f->arena, "snmp.var.", name, index);
	else if (!slice_is(index, "0"))
		(void)fields_set_named(f, joined(f->arena, "snmp.index.", name, SLICE_NONE), index,
		                       VALUE_TEXT);
	(void)fields_set_named(f, full, value, type);
}

/* One line for people: the notification and what it carries. */
static void set_message(const struct trap *t, struct fields *f, struct slice trap_name)
{
	char *out = arena_alloc(f->arena, MAX_MESSAGE);
	size_t n = 0;
	struct slice line = trap_name.n > 0 ? trap_name : SLICE("notification");
	for (size_t i = 0; n + line.n + 1 < MAX_MESSAGE; i++) {
		if (line.n > 0) {
			if (n > 0)
				out[n++] = ' ';
			memcpy(out + n, line.p, line.n);
			n += line.n;
		}
		if (i >= t->n_vars)
			break;
		const struct varbind *v = &t->vars[i];
		struct slice index, name = mib_object(v->oid, &index);
		bool own = slice_is(name, "snmpTrapOID") || slice_is(name, "sysUpTime") ||
		           slice_is(name, "snmpTrapCommunity"); /* said elsewhere, or a secret */
		struct slice value = value_text(f->arena, v);
		line = own ? SLICE_NONE
		           : slice_str(arena_printf(f->arena, SLICE_FMT "=" SLICE_FMT,
		                                    SLICE_ARG(name.n > 0 ? name : v->oid), SLICE_ARG(value)));
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

static void set_state(struct fields *f, struct slice trap_name)
{
	if (slice_is(trap_name, "IF-MIB::linkDown"))
		fields_set(f, FIELD_STATE, SLICE("problem"));
	else if (slice_is(trap_name, "IF-MIB::linkUp"))
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
		(void)fields_set_named(
		    f, SLICE("snmp.uptime"),
		    slice_str(arena_printf(f->arena, "%llu", (unsigned long long)t->uptime)), VALUE_NUMBER);
}

void trap_fields(const struct trap *t, const struct decode_env *env, struct fields *f)
{
	struct slice name = mib_notification(t->oid);
	fields_set(f, FIELD_TYPE, SLICE("snmp"));
	fields_set_lower(f, FIELD_HOST, host_of(t, env));
	set_state(f, name);
	set_head(t, f, env->raw_mode || name.p == NULL ? t->oid : name);
	if (env->raw_mode) {
		set_vars_tree(t, f);
		return;
	}
	fields_set(f, FIELD_SOURCE, slice_str(env->source));
	fields_set_type(f, FIELD_SENDER, env->sender, VALUE_IP);
	set_message(t, f, name.p != NULL ? name : t->oid);
	for (size_t i = 0; i < t->n_vars; i++)
		set_variable(f, &t->vars[i]);
}
