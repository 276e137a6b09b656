/* Promises the value of a window: how many events or different values, sum, average, extremes, percentiles,
 * in a sliding, aligned or session window, all in bounded memory (language.md section 7a). Must not know
 * alerts.
 *
 * A sliding window is a row of panes. A pane begins with an event and takes what follows within a 64th of the
 * window, and goes when its last event has left: few events are exact, many lag by at most within/64. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "engine/form.h"

enum {
	PANES = 64,
	PANES_MAX = PANES + 2, /* one that has begun to leave, one that has begun to fill */
	VERDICT_MIN = 5,       /* values, for an average or a percentile */
	DISTINCT_MAX = 10000,
	DISTINCT_FEW = 16, /* so many are looked through; beyond, a hash map finds them */
	TEXT_MAX = 512,    /* octets of a value that count */
	SAMPLES_MAX = 512, /* different numbers of a window; beyond, neighbours become one */
	SAMPLES_KEEP = 384
};

struct sample {
	double value;
	uint64_t n;
};
struct samples {
	struct sample *v; /* by value */
	uint32_t n, cap;
};
struct pane {
	instant first, last;
	uint64_t n;
	double sum, min, max;
	struct samples samples; /* percentiles */
};
struct seen {
	struct seen *older, *newer;
	instant last;
	uint32_t n;
	char text[];
};

struct value_form {
	struct form head;
	enum when_of of;
	instant slice; /* aligned: its local begin */
	struct pane *panes;
	uint32_t n_panes, cap_panes;
	struct samples all; /* of all panes */
	unsigned drop;      /* bits of the mantissa that are rounded off, in `all` and in the panes */
	struct seen *oldest, *newest;
	uint32_t n_seen;
	struct hmap *by_text;
};

static bool is_percentile(enum when_of of)
{
	return of >= OF_P50;
}

struct form *value_new(const struct rule *r)
{
	struct value_form *v = xcalloc(1, sizeof *v);
	v->of = r->when.of;
	v->slice = INSTANT_NONE;
	return &v->head;
}

static struct value_form *of_form(struct form *f)
{
	BUG_ON(f->kind != WHEN_VALUE);
	return (struct value_form *)f;
}

static const struct value_form *look_at(const struct form *f)
{
	BUG_ON(f->kind != WHEN_VALUE);
	return (const struct value_form *)f;
}

void value_clear(struct form *f)
{
	struct value_form *v = of_form(f);
	for (uint32_t i = 0; i < v->n_panes; i++)
		free(v->panes[i].samples.v);
	for (struct seen *s = v->oldest, *next; s != NULL; s = next) {
		next = s->newer;
		free(s);
	}
	hmap_free(v->by_text);
	v->by_text = NULL;
	v->oldest = v->newest = NULL;
	v->n_panes = v->all.n = v->n_seen = 0;
	v->drop = 0;
	v->slice = INSTANT_NONE;
}

void value_free(struct form *f)
{
	struct value_form *v = of_form(f);
	value_clear(f);
	free(v->panes);
	free(v->all.v);
	free(v);
}

/* ---- samples */

/* The nearest number with so many fewer bits; rounding what is rounded changes nothing. */
static double rounded(double x, unsigned drop)
{
	const uint64_t infinite = UINT64_C(0x7ff) << 52;
	uint64_t bits, unit = UINT64_C(1) << drop;
	double size = fabs(x);
	if (drop == 0)
		return x;
	memcpy(&bits, &size, sizeof bits);
	bits = MIN((bits + unit / 2) & ~(unit - 1), infinite);
	memcpy(&size, &bits, sizeof size);
	return copysign(size, x);
}

static uint32_t place_of(const struct samples *s, double x)
{
	uint32_t low = 0;
	for (uint32_t n = s->n; n > 0;) {
		uint32_t half = n / 2;
		if (s->v[low + half].value < x) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

static void samples_add(struct samples *s, double x, uint64_t n)
{
	uint32_t at = place_of(s, x);
	if (at < s->n && s->v[at].value == x) {
		s->v[at].n += n;
		return;
	}
	if (s->n == s->cap) {
		s->cap = MAX(s->cap * 2, 4);
		s->v = xreallocarray(s->v, s->cap, sizeof *s->v);
	}
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof *s->v);
	s->v[at] = (struct sample){x, n};
	s->n++;
}

static void samples_take(struct samples *s, const struct samples *away)
{
	for (uint32_t i = 0; i < away->n; i++) {
		uint32_t at = place_of(s, away->v[i].value);
		BUG_ON(at >= s->n || s->v[at].n < away->v[i].n);
		s->v[at].n -= away->v[i].n;
	}
	uint32_t kept = 0;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->v[i].n > 0)
			s->v[kept++] = s->v[i];
	s->n = kept;
}

static void samples_round(struct samples *s, unsigned drop)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		double x = rounded(s->v[i].value, drop);
		if (kept > 0 && s->v[kept - 1].value == x)
			s->v[kept - 1].n += s->v[i].n;
		else
			s->v[kept++] = (struct sample){x, s->v[i].n};
	}
	s->n = kept;
}

/* First to steps of 0.4 %, then coarser; at the very end (numbers over hundreds of powers) exponents go too.
 */
static void make_coarser(struct value_form *v)
{
	while (v->all.n > SAMPLES_KEEP && v->drop < 62) {
		v->drop = v->drop == 0 ? 45 : v->drop + 1;
		samples_round(&v->all, v->drop);
	}
	for (uint32_t i = 0; i < v->n_panes; i++)
		samples_round(&v->panes[i].samples, v->drop);
}

static double percentile(const struct samples *s, uint64_t total, unsigned p)
{
	uint64_t rank = (total * p + 99) / 100, below = 0; /* nearest rank, from 1 */
	for (uint32_t i = 0; i < s->n; i++) {
		below += s->v[i].n;
		if (below >= rank)
			return s->v[i].value;
	}
	return s->n > 0 ? s->v[s->n - 1].value : 0;
}

/* ---- panes */

static void panes_drop(struct value_form *v, uint32_t n)
{
	if (n == 0)
		return;
	for (uint32_t i = 0; i < n; i++) {
		samples_take(&v->all, &v->panes[i].samples);
		free(v->panes[i].samples.v);
	}
	memmove(v->panes, v->panes + n, (v->n_panes - n) * sizeof *v->panes);
	v->n_panes -= n;
	if (v->n_panes == 0)
		v->drop = 0;
}

static struct pane *pane_add(struct value_form *v, instant now)
{
	if (v->n_panes == v->cap_panes) {
		v->cap_panes = MAX(v->cap_panes * 2, 1);
		v->panes = xreallocarray(v->panes, v->cap_panes, sizeof *v->panes);
	}
	v->panes[v->n_panes] = (struct pane){.first = now, .last = now};
	return &v->panes[v->n_panes++];
}

static struct pane *pane_of(struct value_form *v, const struct rule *r, instant now)
{
	struct pane *p = v->n_panes > 0 ? &v->panes[v->n_panes - 1] : NULL;
	duration width = (r->within + PANES - 1) / PANES;
	if (p != NULL && (r->when.window != WINDOW_SLIDING || now - p->first < width))
		return p;
	BUG_ON(v->n_panes >= PANES_MAX);
	return pane_add(v, now);
}

static void pane_count(struct value_form *v, struct pane *p, instant now, double x)
{
	p->last = now;
	p->min = p->n == 0 ? x : MIN(p->min, x);
	p->max = p->n == 0 ? x : MAX(p->max, x);
	p->sum += x;
	p->n++;
	if (!is_percentile(v->of))
		return;
	x = rounded(x, v->drop);
	samples_add(&p->samples, x, 1);
	samples_add(&v->all, x, 1);
	if (v->all.n > SAMPLES_MAX)
		make_coarser(v);
}

/* ---- different values */

static void seen_unlink(struct value_form *v, struct seen *s)
{
	*(s->older != NULL ? &s->older->newer : &v->oldest) = s->newer;
	*(s->newer != NULL ? &s->newer->older : &v->newest) = s->older;
}

static void seen_link(struct value_form *v, struct seen *s)
{
	s->older = v->newest;
	s->newer = NULL;
	*(v->newest != NULL ? &v->newest->newer : &v->oldest) = s;
	v->newest = s;
}

static void seen_drop(struct value_form *v)
{
	struct seen *s = v->oldest;
	seen_unlink(v, s);
	if (v->by_text != NULL)
		hmap_del(v->by_text, slice_of(s->text, s->n));
	v->n_seen--;
	free(s);
}

static struct seen *seen_find(const struct value_form *v, struct slice text)
{
	if (v->by_text != NULL)
		return hmap_get(v->by_text, text);
	struct seen *s = v->newest;
	while (s != NULL && !slice_eq(slice_of(s->text, s->n), text))
		s = s->older;
	return s;
}

static void seen_index(struct value_form *v)
{
	v->by_text = hmap_new();
	for (struct seen *s = v->oldest; s != NULL; s = s->newer)
		hmap_put(v->by_text, slice_of(s->text, s->n), s);
}

static void seen_add(struct value_form *v, struct slice text, instant now)
{
	text = slice_sub(text, 0, TEXT_MAX);
	struct seen *s = seen_find(v, text);
	if (s != NULL) {
		s->last = now;
		seen_unlink(v, s);
		seen_link(v, s);
		return;
	}
	if (v->n_seen == DISTINCT_MAX)
		seen_drop(v);
	s = xcalloc(1, sizeof *s + text.n + 1);
	s->last = now;
	s->n = (uint32_t)text.n;
	if (text.n > 0)
		memcpy(s->text, text.p, text.n);
	seen_link(v, s);
	v->n_seen++;
	if (v->by_text != NULL)
		hmap_put(v->by_text, text, s);
	else if (v->n_seen > DISTINCT_FEW)
		seen_index(v);
}

/* ---- one event */

/* Slices of up to a day begin at midnight, the day's last one may be shorter; longer ones are counted from a
 * Monday. */
static instant slice_begin(instant now, duration offset, duration within)
{
	instant local = now + offset, monday = 4 * DAY, into;
	if (within <= DAY) {
		into = ((local % DAY) + DAY) % DAY;
		return local - into + into / within * within;
	}
	into = (((local - monday) % within) + within) % within;
	return local - into;
}

/* What has left the window goes. */
static void roll(struct value_form *v, const struct rule *r, instant now, duration offset)
{
	uint32_t gone = 0;
	instant begin = INSTANT_NONE;
	switch (r->when.window) {
	case WINDOW_SLIDING:
		while (gone < v->n_panes && v->panes[gone].last <= now - r->within)
			gone++;
		panes_drop(v, gone);
		while (v->oldest != NULL && v->oldest->last <= now - r->within)
			seen_drop(v);
		return;
	case WINDOW_ALIGNED:
		begin = slice_begin(now, offset, r->within);
		if (v->slice != begin)
			value_clear(&v->head);
		v->slice = begin;
		return;
	case WINDOW_SESSION:
		if (v->head.last != INSTANT_NONE && now - v->head.last > r->within)
			value_clear(&v->head);
		return;
	}
}

bool value_add(struct form *f, const struct rule *r, instant now, struct slice text, duration offset)
{
	struct value_form *v = of_form(f);
	double x = 0;
	if (v->of != OF_COUNT && text.n == 0)
		return false;
	if (v->of > OF_DISTINCT && (!slice_num(text, &x) || !isfinite(x)))
		return false;
	if (x == 0)
		x = 0; /* no negative zero: equal numbers have equal bits */
	roll(v, r, now, offset);
	f->last = now;
	pane_count(v, pane_of(v, r, now), now, x);
	if (v->of == OF_DISTINCT)
		seen_add(v, text, now);
	return true;
}

uint64_t value_count(const struct form *f)
{
	const struct value_form *v = look_at(f);
	uint64_t n = 0;
	for (uint32_t i = 0; i < v->n_panes; i++)
		n += v->panes[i].n;
	return n;
}

instant value_first(const struct form *f)
{
	const struct value_form *v = look_at(f);
	return v->n_panes > 0 ? v->panes[0].first : INSTANT_NONE;
}

static double fold(const struct value_form *v)
{
	double sum = 0, low = v->panes[0].min, high = v->panes[0].max;
	for (uint32_t i = 0; i < v->n_panes; i++) {
		sum += v->panes[i].sum;
		low = MIN(low, v->panes[i].min);
		high = MAX(high, v->panes[i].max);
	}
	return v->of == OF_MIN ? low : v->of == OF_MAX ? high : sum;
}

bool value_verdict(const struct form *f, double *value)
{
	const struct value_form *v = look_at(f);
	uint64_t n = value_count(f);
	if (n == 0 || (n < VERDICT_MIN && (v->of == OF_AVG || is_percentile(v->of))))
		return false;
	switch (v->of) {
	case OF_COUNT: *value = (double)n; break;
	case OF_DISTINCT: *value = v->n_seen; break;
	case OF_SUM:
	case OF_MIN:
	case OF_MAX: *value = fold(v); break;
	case OF_AVG: *value = fold(v) / (double)n; break;
	case OF_P50: *value = percentile(&v->all, n, 50); break;
	case OF_P90: *value = percentile(&v->all, n, 90); break;
	case OF_P95: *value = percentile(&v->all, n, 95); break;
	case OF_P99: *value = percentile(&v->all, n, 99); break;
	}
	return true;
}

/* ---- to bytes and back */

static void put_pane(const struct pane *p, struct buf *out)
{
	buf_u64(out, (uint64_t)p->first);
	buf_u64(out, (uint64_t)p->last);
	buf_u64(out, p->n);
	buf_f64(out, p->sum);
	buf_f64(out, p->min);
	buf_f64(out, p->max);
	buf_u32(out, p->samples.n);
	for (uint32_t i = 0; i < p->samples.n; i++) {
		buf_f64(out, p->samples.v[i].value);
		buf_u64(out, p->samples.v[i].n);
	}
}

void value_save(const struct form *f, struct buf *out)
{
	const struct value_form *v = look_at(f);
	buf_u64(out, (uint64_t)v->slice);
	buf_u8(out, (uint8_t)v->drop);
	buf_u32(out, v->n_panes);
	for (uint32_t i = 0; i < v->n_panes; i++)
		put_pane(&v->panes[i], out);
	buf_u32(out, v->n_seen);
	for (const struct seen *s = v->oldest; s != NULL; s = s->newer) {
		buf_u64(out, (uint64_t)s->last);
		buf_lslice(out, slice_of(s->text, s->n));
	}
}

static bool get_pane(struct value_form *v, struct reader *r)
{
	struct pane *p = pane_add(v, 0);
	p->first = (instant)read_u64(r);
	p->last = (instant)read_u64(r);
	p->n = read_u64(r);
	p->sum = read_f64(r);
	p->min = read_f64(r);
	p->max = read_f64(r);
	uint32_t n = read_u32(r);
	if (!r->ok || n > SAMPLES_MAX || p->n == 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		double x = read_f64(r);
		uint64_t count = read_u64(r);
		if (!r->ok || count == 0 || isnan(x) || (i > 0 && p->samples.v[i - 1].value >= x))
			return false;
		samples_add(&p->samples, x, count);
		samples_add(&v->all, x, count);
	}
	return v->all.n <= SAMPLES_MAX;
}

bool value_load(struct form *f, struct reader *r)
{
	struct value_form *v = of_form(f);
	v->slice = (instant)read_u64(r);
	v->drop = read_u8(r);
	uint32_t n = read_u32(r);
	if (!r->ok || n > PANES_MAX || v->drop > 62)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!get_pane(v, r))
			return false;
	n = read_u32(r);
	for (uint32_t i = 0; r->ok && i < n && n <= DISTINCT_MAX; i++) {
		instant last = (instant)read_u64(r);
		struct slice text = read_lslice(r);
		if (!r->ok || text.p == NULL || text.n > TEXT_MAX || seen_find(v, text) != NULL)
			return false;
		seen_add(v, text, last);
	}
	return r->ok && v->n_seen == n;
}
