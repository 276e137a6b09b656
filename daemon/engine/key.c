/* Promises the dedup key that a ticket system sees (tickets.md "Delivery"): from replayable state only, never
 * the same for two incidents, fixed once given. Must not know ticket systems. */
#include "engine/correlate.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { GENERATIONS_MAX = 200000 };

void generation_put(struct correlation *c, const char *pair, uint32_t n)
{
	uintptr_t at = (uintptr_t)hmap_get(c->generation_by, slice_str(pair));
	if (at > 0) {
		BUG_ON(at > c->n_generations);
		c->generations[at - 1].n = n;
		return;
	}
	c->generations =
	    array_reserve(c->generations, &c->cap_generations, c->n_generations + 1, sizeof *c->generations);
	c->generations[c->n_generations++] = (struct generation){.pair = xstrdup(pair), .n = n};
	hmap_put(c->generation_by, slice_str(pair), (void *)(uintptr_t)c->n_generations);
}

/* The older half goes; numbers of pairs that come back start above all that were dropped. */
static void forget_half(struct correlation *c)
{
	size_t half = c->n_generations / 2;
	for (size_t i = 0; i < half; i++) {
		c->generation_base = MAX(c->generation_base, c->generations[i].n);
		free(c->generations[i].pair);
	}
	memmove(c->generations, c->generations + half, (c->n_generations - half) * sizeof *c->generations);
	c->n_generations -= half;
	hmap_clear(c->generation_by);
	for (size_t i = 0; i < c->n_generations; i++)
		hmap_put(c->generation_by, slice_str(c->generations[i].pair), (void *)(uintptr_t)(i + 1));
}

static uint32_t next_generation(struct correlation *c, const char *pair)
{
	if (c->n_generations >= GENERATIONS_MAX)
		forget_half(c);
	uintptr_t at = (uintptr_t)hmap_get(c->generation_by, slice_str(pair));
	uint32_t n = (at > 0 ? c->generations[at - 1].n : c->generation_base) + 1;
	generation_put(c, pair, n);
	return n;
}

static void base32(const unsigned char *p, size_t n, char *out, size_t chars)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 section 6 */
	uint32_t bits = 0;
	unsigned have = 0;
	size_t at = 0;
	for (size_t i = 0; i < chars; i++) {
		if (have < 5) {
			BUG_ON(at >= n);
			bits = (bits << 8 | p[at++]) & 0xffff;
			have += 8;
		}
		out[i] = digits[bits >> (have - 5) & 31];
		have -= 5;
	}
	out[chars] = '\0';
}

void key_of_text(const char *text, char out[KEY_TEXT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int ok = EVP_Digest(text, strlen(text), digest, &n, EVP_sha256(), NULL);
	BUG_ON(ok != 1 || n < 20);
	memcpy(out, "car:", 4);
	base32(digest, n, out + 4, KEY_TEXT - 5);
}

void incident_key(struct engine *e, struct incident *i)
{
	BUG_ON(i->key != NULL || i->root_id == NULL);
	const char *root = i->group_key != NULL ? i->group_key : i->root_id;
	char *pair = xasprintf("%s\n%s%s", i->class_id != NULL ? i->class_id : "",
	                       incident_is_risk(i) ? "risk " : "", root);
	i->generation = next_generation(e->correlation, pair);
	char *text = xasprintf("%s\n%s\n%u", e->setup.config->instance, pair, i->generation);
	char key[KEY_TEXT];
	key_of_text(text, key);
	i->key = xstrdup(key);
	free(text);
	free(pair);
}
