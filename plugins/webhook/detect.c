/* Which product sent a body: the profile whose `detect` fits with the most weight. Pure; must not know
 * fields. */
#include "profile.h"

uint64_t detect_bit(struct slice name)
{
	if (name.n == 0)
		return 0;
	size_t h = name.n * 7 + (unsigned char)name.p[0] * 31U + (unsigned char)name.p[name.n - 1] * 13U +
	           (unsigned char)name.p[name.n / 2] * 5U;
	return UINT64_C(1) << (h & 63);
}

struct slice detect_first_key(struct slice path)
{
	size_t n = 0;
	while (n < path.n && path.p[n] != '.' && path.p[n] != '[')
		n++;
	return n > 0 ? slice_sub(path, 0, n) : SLICE_NONE;
}

bool detect_word(struct slice word, struct slice text)
{
	bool open_front = word.n > 0 && word.p[0] == '*', open_end = word.n > 0 && word.p[word.n - 1] == '*';
	if (!open_front && !open_end)
		return slice_ieq(word, text);
	if (word.n == 1)
		return true;
	struct slice core = slice_sub(word, open_front, word.n - open_front - open_end);
	if (core.n > text.n)
		return false;
	if (!open_front)
		return slice_ieq(core, slice_sub(text, 0, core.n));
	if (!open_end)
		return slice_ieq(core, slice_sub(text, text.n - core.n, core.n));
	for (size_t i = 0; i + core.n <= text.n; i++)
		if (slice_ieq(core, slice_sub(text, i, core.n)))
			return true;
	return false;
}

bool detect_words(const struct path_list *words, struct slice text)
{
	for (const struct path_list *w = words; w != NULL; w = w->next)
		if (detect_word(w->path, text))
			return true;
	return false;
}

bool detect_holds(const struct condition *c, const struct json *j, struct slice headers)
{
	BUG_ON(j == NULL);
	for (; c != NULL; c = c->next) {
		if (c->header) {
			struct slice v = header_value(headers, c->path);
			if (v.p == NULL || (c->words != NULL && !detect_words(c->words, v)))
				return false;
			continue;
		}
		const struct json *v = json_path(j, c->path);
		if (v == NULL)
			return false;
		if (c->words == NULL)
			continue;
		struct slice text = json_text(v);
		if (text.p == NULL || !detect_words(c->words, text))
			return false;
	}
	return true;
}

static uint64_t member_bits(const struct json *j)
{
	uint64_t bits = 0;
	for (const struct json *m = j->kind == JSON_OBJECT ? j->first : NULL; m != NULL; m = m->next)
		bits |= detect_bit(m->key);
	return bits;
}

static uint64_t name_bits(struct slice headers)
{
	struct slice line, name;
	uint64_t bits = 0;
	while (slice_split(&headers, '\n', &line))
		if (slice_split(&line, ':', &name))
			bits |= detect_bit(name);
	return bits;
}

const struct profile *detect_product(const struct webhook_profiles *all, const struct json *body,
                                     struct slice headers)
{
	const struct json *probe = body->kind == JSON_ARRAY && body->first != NULL ? body->first : body;
	const struct profile *best = NULL;
	uint64_t keys = member_bits(probe), names = name_bits(headers);
	size_t most = 0;
	BUG_ON(all == NULL);
	for (const struct profile *p = all->first; p != NULL; p = p->next) {
		for (const struct alternative *a = p->detect; a != NULL; a = a->next) {
			if (a->weight <= most || (a->keys & ~keys) != 0 || (a->names & ~names) != 0 ||
			    !detect_holds(a->conditions, probe, headers))
				continue;
			most = a->weight;
			best = p;
		}
	}
	return best;
}
