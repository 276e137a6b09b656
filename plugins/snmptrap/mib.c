/* See mib.h. A table is lines of "MARK OID NAME [FORM]": '@' begins a module (its name alone), '.' is a node above
 * others, '=' an object, '!' a notification. Plain order of text keeps all that is below an OID right behind it, so one
 * binary search finds the object of any instance. */
#include "mib.h"

#include <stdlib.h>

enum { LINE_MAX_OCTETS = 64 * 1024, LABELS_MAX = 4096, OID_MAX = 1024 };

struct place {
	struct slice oid, name;
};
struct mib {
	struct arena *arena;
	struct mib_object *objects;
	size_t n_objects, cap_objects;
	struct places {
		struct place *v;
		size_t n, cap;
	} notifications, places;
	bool sealed;
};

struct mib *mib_new(void)
{
	struct mib *m = xcalloc(1, sizeof *m);
	m->arena = arena_new(0);
	return m;
}

void mib_free(struct mib *m)
{
	if (m == NULL)
		return;
	free(m->objects);
	free(m->notifications.v);
	free(m->places.v);
	arena_free(m->arena);
	free(m);
}

size_t mib_len(const struct mib *m)
{
	return m->n_objects + m->notifications.n + m->places.n;
}

/* ---- reading */

static bool is_oid(struct slice s)
{
	bool digit = false;
	if (s.n == 0 || s.n > OID_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool d = s.p[i] >= '0' && s.p[i] <= '9';
		if (!d && (s.p[i] != '.' || !digit))
			return false;
		digit = d;
	}
	return digit;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		if (!ok)
			return false;
	}
	return s.n > 0 && s.n <= 128;
}

static bool word_next(struct slice *rest, struct slice *word)
{
	return slice_split(rest, ' ', word) && word->n > 0;
}

/* "up=1,down=2" */
static const char *labels_read(struct mib *m, struct mib_object *o, struct slice list)
{
	struct mib_label *v = NULL;
	struct slice item, name;
	size_t n = 0, cap = 0;
	const char *why = NULL;
	while (why == NULL && slice_split(&list, ',', &item)) {
		int64_t number;
		if (n == LABELS_MAX) {
			why = "more than 4,096 names for one object";
		} else if (!slice_split(&item, '=', &name) || !is_name(name) || !slice_int(item, &number)) {
			why = "expected NAME=NUMBER,…";
		} else {
			v = array_reserve(v, &cap, n + 1, sizeof *v);
			v[n++] = (struct mib_label){number, arena_slice(m->arena, name)};
		}
	}
	if (why == NULL && n > 0) {
		struct mib_label *kept = arena_array(m->arena, n, sizeof *kept);
		memcpy(kept, v, n * sizeof *kept);
		o->labels = kept;
		o->n_labels = n;
	}
	free(v);
	return why;
}

static const char *form_read(struct mib *m, struct mib_object *o, struct slice rest)
{
	static const char *const words[] = {"", "enum", "bits", "mac", "ip", "date"};
	struct slice word;
	if (!word_next(&rest, &word))
		return NULL;
	for (size_t i = MIB_ENUM; i < ARRAY_LEN(words); i++)
		if (slice_is(word, words[i]))
			o->form = (enum mib_form)i;
	switch (o->form) {
	case MIB_PLAIN:
		return "expected one of enum, bits, mac, ip, date";
	case MIB_ENUM:
	case MIB_BITS:
		return labels_read(m, o, rest);
	case MIB_MAC:
	case MIB_IP:
	case MIB_DATE:
		return NULL;
	}
	return NULL;
}

static const char *object_read(struct mib *m, struct slice oid, struct slice name, struct slice rest)
{
	struct mib_object o = {.oid = arena_slice(m->arena, oid), .name = arena_slice(m->arena, name)};
	const char *why = form_read(m, &o, rest);
	if (why != NULL)
		return why;
	o.var = arena_join(m->arena, SLICE("snmp.var."), name);
	o.index = arena_join(m->arena, SLICE("snmp.index."), name);
	m->objects = array_reserve(m->objects, &m->cap_objects, m->n_objects + 1, sizeof *m->objects);
	m->objects[m->n_objects++] = o;
	return NULL;
}

static void place_add(struct mib *m, struct places *to, struct slice oid, struct slice name)
{
	to->v = array_reserve(to->v, &to->cap, to->n + 1, sizeof *to->v);
	to->v[to->n++] = (struct place){arena_slice(m->arena, oid), name};
}

/* What is wrong with a line, or NULL. */
static const char *line_read(struct mib *m, struct slice line, struct slice *module)
{
	struct slice mark, oid, name;
	if (line.n > LINE_MAX_OCTETS)
		return "a line of more than 64 KiB";
	if (!word_next(&line, &mark) || mark.n != 1 || strchr("@.=!", mark.p[0]) == NULL)
		return "expected '@', '.', '=' or '!' and a space";
	if (mark.p[0] == '@') {
		*module = slice_trim(line);
		return is_name(*module) ? NULL : "expected the name of a module";
	}
	if (!word_next(&line, &oid) || !is_oid(oid))
		return "expected an object identifier such as 1.3.6.1.2.1.1.5";
	if (!word_next(&line, &name) || !is_name(name))
		return "expected a name behind the object identifier";
	if (mark.p[0] == '=')
		return object_read(m, oid, name, line);
	if (mark.p[0] == '!' && module->n == 0)
		return "a notification before the first '@ MODULE'";
	if (mark.p[0] == '!')
		place_add(m, &m->notifications, oid,
		          slice_str(arena_printf(m->arena, SLICE_FMT "::" SLICE_FMT, SLICE_ARG(*module), SLICE_ARG(name))));
	if (mark.p[0] == '.')
		place_add(m, &m->places, oid, arena_slice(m->arena, name));
	return NULL;
}

int mib_add(struct mib *m, const char *file, struct slice text, struct findings *f)
{
	struct slice rest = text, line, module = SLICE_NONE;
	BUG_ON(m->sealed);
	for (uint32_t n = 1; slice_split(&rest, '\n', &line); n++) {
		line = slice_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		const char *why = line_read(m, line, &module);
		if (why == NULL)
			continue;
		findings_add(f, FINDING_ERROR, "", file, (struct mark){n, 1, 1}, text, "%s; make the table again with 'carillonctl mibs compile'", why);
		return -1;
	}
	return 0;
}

int mib_add_bundle(struct mib *m, const struct bundle *b, struct findings *f)
{
	int rc = 0;
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == BUNDLE_MIB && mib_add(m, b->v[i].name, b->v[i].text, f) != 0)
			rc = -1;
	return rc;
}

/* ---- order */

/* Of two for one OID the better stands first: the one with more named numbers, then the lesser name. */
static int object_order(const void *a, const void *b)
{
	const struct mib_object *x = a, *y = b;
	int d = slice_cmp(x->oid, y->oid);
	if (d == 0)
		d = (x->n_labels < y->n_labels) - (x->n_labels > y->n_labels);
	return d != 0 ? d : slice_cmp(x->name, y->name);
}

static int place_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int d = slice_cmp(x->oid, y->oid);
	return d != 0 ? d : slice_cmp(x->name, y->name);
}

static void places_seal(struct places *p)
{
	size_t n = 0;
	if (p->n > 1)
		qsort(p->v, p->n, sizeof *p->v, place_order);
	for (size_t i = 0; i < p->n; i++)
		if (n == 0 || !slice_eq(p->v[n - 1].oid, p->v[i].oid))
			p->v[n++] = p->v[i];
	p->n = n;
}

void mib_seal(struct mib *m)
{
	size_t n = 0;
	BUG_ON(m->sealed);
	m->sealed = true;
	if (m->n_objects > 1)
		qsort(m->objects, m->n_objects, sizeof *m->objects, object_order);
	for (size_t i = 0; i < m->n_objects; i++)
		if (n == 0 || !slice_eq(m->objects[n - 1].oid, m->objects[i].oid))
			m->objects[n++] = m->objects[i];
	m->n_objects = n;
	places_seal(&m->notifications);
	places_seal(&m->places);
}

/* ---- questions */

static int place_is(const void *key, const void *place)
{
	return slice_cmp(*(const struct slice *)key, ((const struct place *)place)->oid);
}

static struct slice place_exact(const struct places *p, struct slice oid)
{
	const struct place *found = p->n > 0 ? bsearch(&oid, p->v, p->n, sizeof *p->v, place_is) : NULL;
	return found != NULL ? found->name : SLICE_NONE;
}

struct slice mib_notification(const struct mib *m, struct slice oid)
{
	char other[OID_MAX + 4];
	size_t dot = oid.n;
	if (m == NULL || m->notifications.n == 0 || oid.n == 0 || oid.n > OID_MAX)
		return SLICE_NONE;
	BUG_ON(!m->sealed);
	struct slice name = place_exact(&m->notifications, oid);
	while (name.p == NULL && dot > 0 && oid.p[dot - 1] != '.')
		dot--;
	if (name.p != NULL || dot < 3)
		return name;
	size_t head = dot - 1; /* without the last dot */
	if (slice_ends(slice_sub(oid, 0, head), SLICE(".0")))
		head -= 2;
	struct buf text = {.p = other, .n = 0, .cap = sizeof other};
	memcpy(other, oid.p, head);
	text.n = head;
	if (head == dot - 1) {
		memcpy(other + text.n, ".0", 2);
		text.n += 2;
	}
	other[text.n++] = '.';
	BUG_ON(text.n + (oid.n - dot) > sizeof other);
	memcpy(other + text.n, oid.p + dot, oid.n - dot);
	return place_exact(&m->notifications, slice_of(other, text.n + oid.n - dot));
}

const struct mib_object *mib_object(const struct mib *m, struct slice oid, struct slice *index)
{
	*index = SLICE_NONE;
	if (m == NULL || oid.n == 0)
		return NULL;
	BUG_ON(!m->sealed);
	size_t low = 0, high = m->n_objects; /* the first one behind oid */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(m->objects[middle].oid, oid) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	const struct mib_object *o = &m->objects[low - 1];
	if (!slice_starts(oid, o->oid) || (oid.n > o->oid.n && oid.p[o->oid.n] != '.'))
		return NULL;
	if (oid.n > o->oid.n + 1)
		*index = slice_sub(oid, o->oid.n + 1, oid.n - o->oid.n - 1);
	return o;
}

struct slice mib_place(const struct mib *m, struct slice oid)
{
	struct slice index, name = m != NULL ? place_exact(&m->notifications, oid) : SLICE_NONE;
	if (m != NULL && name.p == NULL)
		name = place_exact(&m->places, oid);
	if (name.p != NULL)
		return name;
	const struct mib_object *o = mib_object(m, oid, &index);
	return o != NULL && index.n == 0 ? o->name : SLICE_NONE;
}

struct slice mib_label(const struct mib_object *o, int64_t number)
{
	for (size_t i = 0; i < o->n_labels; i++)
		if (o->labels[i].number == number)
			return o->labels[i].name;
	return SLICE_NONE;
}

struct slice mib_bits(const struct mib_object *o, struct slice octets, struct arena *a)
{
	struct slice out = SLICE("");
	for (size_t i = 0; i < octets.n * 8; i++) {
		if (((unsigned char)octets.p[i / 8] & (0x80u >> (i % 8))) == 0)
			continue;
		struct slice name = mib_label(o, (int64_t)i);
		if (name.p == NULL)
			return SLICE_NONE; /* not what the module says: better as sent */
		out = slice_str(arena_printf(a, SLICE_FMT "%s" SLICE_FMT, SLICE_ARG(out), out.n > 0 ? "," : "", SLICE_ARG(name)));
	}
	return out;
}

struct slice mib_date(struct slice s, struct arena *a)
{
	const unsigned char *o = (const unsigned char *)s.p;
	if (s.n != 8 && s.n != 11)
		return SLICE_NONE;
	unsigned year = (unsigned)o[0] << 8 | o[1];
	if (o[2] < 1 || o[2] > 12 || o[3] < 1 || o[3] > 31 || o[4] > 23 || o[5] > 59 || o[6] > 60 || o[7] > 9 || year > 9999)
		return SLICE_NONE;
	char *text = arena_printf(a, "%04u-%02u-%02uT%02u:%02u:%02u.%u", year, o[2], o[3], o[4], o[5], o[6], o[7]);
	if (s.n == 8)
		return slice_str(text); /* the sender's own time, whatever its zone */
	if ((o[8] != '+' && o[8] != '-') || o[9] > 14 || o[10] > 59)
		return SLICE_NONE;
	return slice_str(arena_printf(a, "%s%c%02u:%02u", text, (char)o[8], o[9], o[10]));
}
