/* The event of a message: fields of language.md section 3. In raw mode (carillonctl decode) structured data
 * stay a tree, as JSON text in one field, and nothing is derived from the sender. */
#include "message.h"

static const char *const numbers[24] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                        "8",  "9",  "10", "11", "12", "13", "14", "15",
                                        "16", "17", "18", "19", "20", "21", "22", "23"};

static void set_number(struct fields *f, struct slice name, int v)
{
	BUG_ON(v < 0 || v >= (int)ARRAY_LEN(numbers));
	(void)fields_add_named(f, name, slice_of(numbers[v], v < 10 ? 1 : 2), VALUE_NUMBER);
}

/* language.md section 3: 0-2 critical, 3 major, 4 warning, the rest info. */
static enum severity severity_of(int n)
{
	return n <= 2   ? SEVERITY_CRITICAL
	       : n == 3 ? SEVERITY_MAJOR
	       : n == 4 ? SEVERITY_WARNING
	                : SEVERITY_INFO;
}

/* ---- structured data as fields syslog.sd.ID.PARAM */

static char *put_name(char *p, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool ok = scan_is_alpha(c) || scan_is_digit(c) || c == '_' || c == '-';
		ok = ok || (c == '.' && i > 0 && i + 1 < s.n && s.p[i - 1] != '.');
		*p++ = ok ? c : '_';
	}
	return p;
}

static void set_param(const struct message *m, struct fields *f, const struct sd_param *param)
{
	char *name = arena_alloc(m->arena, 10 + param->id.n + 1 + param->name.n + 8);
	char *p = name;
	memcpy(p, "syslog.sd.", 10);
	p = put_name(p + 10, param->id);
	if (param->name.n > 0) {
		*p++ = '.';
		p = put_name(p, param->name);
	}
	struct slice full = {name, (size_t)(p - name)};
	struct slice value = param->name.n > 0 ? param->value : SLICE("true");
	/* a repeated name keeps all its values: name, name.2, name.3 */
	for (char k = '2'; k <= '9' && fields_get_name(f, full).p != NULL; k++) {
		p[0] = '.';
		p[1] = k;
		full.n = (size_t)(p - name) + 2;
	}
	(void)fields_set_named(f, full, value, VALUE_TEXT);
}

/* ---- structured data as JSON: {id: {name: value or [values]}} */

static bool seen_before(const struct sd_param *first, const struct sd_param *p, bool names)
{
	for (; first != p; first = first->next)
		if (slice_eq(first->id, p->id) && (!names || slice_eq(first->name, p->name)))
			return true;
	return false;
}

static void json_values(struct jw *w, const struct sd_param *p)
{
	size_t n = 0;
	for (const struct sd_param *q = p; q != NULL; q = q->next)
		n += slice_eq(q->id, p->id) && slice_eq(q->name, p->name);
	jw_keyn(w, p->name);
	if (n > 1)
		jw_array(w);
	for (const struct sd_param *q = p; q != NULL; q = q->next)
		if (slice_eq(q->id, p->id) && slice_eq(q->name, p->name))
			decode_json_text(w, q->value);
	if (n > 1)
		jw_array_end(w);
}

static void set_sd_tree(const struct message *m, struct fields *f)
{
	struct buf out = {0};
	struct jw w = jw_new(&out);
	jw_object(&w);
	for (const struct sd_param *p = m->sd; p != NULL; p = p->next) {
		if (seen_before(m->sd, p, false))
			continue;
		jw_keyn(&w, p->id);
		jw_object(&w);
		for (const struct sd_param *q = p; q != NULL; q = q->next)
			if (slice_eq(q->id, p->id) && q->name.n > 0 && !seen_before(m->sd, q, true))
				json_values(&w, q);
		jw_end(&w);
	}
	jw_end(&w);
	(void)fields_set_named(f, SLICE("syslog.sd"), arena_slice(m->arena, buf_slice(&out)), VALUE_TEXT);
	buf_free(&out);
}

static void set_sd(const struct message *m, struct fields *f)
{
	BUG_ON((m->sd == NULL) != (m->n_sd == 0));
	if (m->sd == NULL)
		return;
	if (m->env->raw_mode) {
		set_sd_tree(m, f);
		return;
	}
	for (const struct sd_param *p = m->sd; p != NULL; p = p->next)
		set_param(m, f, p);
}

/* ---- all */

/* The header's names come first, each once. */
static void set_header(const struct message *m, struct fields *f)
{
	BUG_ON(m->pri > 191 || f->n_named != 0);
	int pri = m->pri < 0 ? 13 : m->pri; /* RFC 3164, section 4.3.3: user.notice */
	set_number(f, SLICE("syslog.facility"), pri / 8);
	set_number(f, SLICE("syslog.severity"), pri % 8);
	(void)fields_add_named(f, SLICE("syslog.pid"), m->pid, VALUE_TEXT);
	(void)fields_add_named(f, SLICE("syslog.msgid"), m->msgid, VALUE_TEXT);
	if (m->version > 0)
		(void)fields_add_named(f, SLICE("syslog.version"),
		                       m->version == 1 ? SLICE("1")
		                                       : slice_str(arena_printf(m->arena, "%d", m->version)),
		                       VALUE_NUMBER);
	(void)fields_add_named(f, SLICE("syslog.time_quality"),
	                       slice_str(stamp_quality_word(m->stamp.quality)), VALUE_TEXT);
}

static void set_text(struct fields *f, enum field_id id, struct slice v)
{
	fields_set_type(f, id, v, VALUE_TEXT);
}

void message_fields(const struct message *m, struct fields *f)
{
	set_text(f, FIELD_TYPE, SLICE("syslog"));
	if (!m->env->raw_mode) {
		set_text(f, FIELD_SOURCE, slice_str(m->env->source));
		fields_set_type(f, FIELD_SENDER, m->env->sender, VALUE_IP);
	}
	if (m->stamp.at != INSTANT_NONE)
		fields_set_type(f, FIELD_TIME, stamp_text(m->arena, m->stamp.at), VALUE_TIME);
	fields_set_lower(f, FIELD_HOST, m->host.n > 0 || m->env->raw_mode ? m->host : m->env->sender);
	set_text(f, FIELD_APP, m->app);
	set_text(f, FIELD_CODE, m->code);
	set_text(f, FIELD_SUMMARY, m->summary);
	set_text(f, FIELD_MESSAGE, m->text);
	set_text(f, FIELD_SEVERITY, slice_str(severity_word(severity_of(m->severity < 0 ? 5 : m->severity))));
	for (size_t i = 0; i < m->n_tags; i++)
		fields_add_tag(f, m->tags[i]);
	set_header(m, f);
	set_sd(m, f);
}
