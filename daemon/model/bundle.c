/* The bundle of sources: encode, decode, hash. Knows nothing of what the files mean. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "model/bundle.h"

#define BUNDLE_MAGIC 0x31646e62u /* "bnd1" */

void bundle_add(struct bundle *b, enum bundle_kind kind, const char *name, struct slice text)
{
	struct bundle_file *f;

	b->v = array_reserve(b->v, &b->cap, b->n + 1, sizeof *b->v);
	f = &b->v[b->n++];
	f->kind = kind;
	f->name = xstrdup(name);
	f->text = (struct slice){slice_dup(text.p != NULL ? text : SLICE("")), text.n};
}

const struct bundle_file *bundle_find(const struct bundle *b, enum bundle_kind kind, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == kind && strcmp(b->v[i].name, name) == 0)
			return &b->v[i];
	return NULL;
}

const struct bundle_file *bundle_profile(const struct bundle *b, enum bundle_kind kind, const char *profile)
{
	char *tail = xasprintf("/%s.yaml", profile);
	const struct bundle_file *found = NULL;

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == kind && slice_ends(slice_str(b->v[i].name), slice_str(tail)))
			found = &b->v[i];
	free(tail);
	return found;
}

void bundle_encode(const struct bundle *b, struct buf *out)
{
	buf_u32(out, BUNDLE_MAGIC);
	buf_lslice(out, slice_str(b->hostname != NULL ? b->hostname : ""));
	buf_u32(out, (uint32_t)b->n);
	for (size_t i = 0; i < b->n; i++) {
		buf_u8(out, (uint8_t)b->v[i].kind);
		buf_lslice(out, slice_str(b->v[i].name));
		buf_lslice(out, b->v[i].text);
	}
}

int bundle_decode(struct slice bytes, struct bundle *b, struct error *err)
{
	struct reader r = reader_of(bytes);
	struct slice host;
	uint32_t n;

	*b = (struct bundle){0};
	if (read_u32(&r) != BUNDLE_MAGIC)
		return error_set(err, "these are not carillon's sources; the file is damaged");
	host = read_lslice(&r);
	n = read_u32(&r);
	if (r.ok)
		b->hostname = slice_dup(host);
	for (uint32_t i = 0; r.ok && i < n; i++) {
		uint8_t kind = read_u8(&r);
		struct slice name = read_lslice(&r), text = read_lslice(&r);

		if (!r.ok || kind < BUNDLE_CONFIG || kind > BUNDLE_ZONE)
			break;
		char *copy = slice_dup(name);
		bundle_add(b, (enum bundle_kind)kind, copy, text);
		free(copy);
	}
	if (!r.ok || b->n != n) {
		bundle_free(b);
		return error_set(err, "the sources end too early; the file is damaged");
	}
	return 0;
}

void bundle_hash(const struct bundle *b, char out[65])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	struct buf bytes = {0};
	unsigned n = 0;

	bundle_encode(b, &bytes);
	BUG_ON(EVP_Digest(bytes.p, bytes.n, md, &n, EVP_sha256(), NULL) != 1 || n != 32);
	for (unsigned i = 0; i < n; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", md[i]);
	buf_free(&bytes);
}

uint32_t bundle_generation(const struct bundle *b)
{
	char hash[65];
	uint32_t n;

	bundle_hash(b, hash);
	hash[8] = '\0';
	n = (uint32_t)strtoul(hash, NULL, 16);
	return n != 0 ? n : 1;
}

void bundle_free(struct bundle *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].name);
		free((void *)(uintptr_t)b->v[i].text.p);
	}
	free(b->v);
	free(b->hostname);
	*b = (struct bundle){0};
}
