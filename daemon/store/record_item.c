/* See record_item.h. */
#include "store/record_item.h"

#include "base/base64.h"
#include "base/json.h"

static bool truth(const struct json *j)
{
	return j != NULL && j->kind == JSON_BOOL && j->boolean;
}

/* As the HTTP server hands them over: "name: value\n", names in lower case; a line end inside a value is a
 * space. */
static struct slice header_lines(struct arena *a, const struct json *headers)
{
	struct buf b = {0};
	struct slice s;

	for (const struct json *h = headers != NULL ? headers->first : NULL; h != NULL; h = h->next) {
		struct slice v = json_text(h);

		for (size_t i = 0; i < h->key.n; i++)
			buf_char(&b, h->key.p[i] >= 'A' && h->key.p[i] <= 'Z' ? (char)(h->key.p[i] + 32)
			                                                      : h->key.p[i]);
		buf_str(&b, ": ");
		for (size_t i = 0; i < v.n; i++)
			buf_char(&b, v.p[i] == '\n' || v.p[i] == '\r' ? ' ' : v.p[i]);
		buf_char(&b, '\n');
	}
	s = b.n > 0 ? arena_slice(a, buf_slice(&b)) : SLICE_NONE;
	buf_free(&b);
	return s;
}

static int take_raw(struct arena *a, const struct json *j, struct record_item *out, struct error *err)
{
	struct buf raw = {0};
	int rc = 0;

	if (j == NULL || j->kind != JSON_STRING || !base64_decode(j->text, &raw))
		rc = error_set(err, "'raw' is not base64");
	else
		out->raw = arena_slice(a, raw.n > 0 ? buf_slice(&raw) : SLICE(""));
	buf_free(&raw);
	return rc;
}

int record_item_parse(struct arena *a, struct slice line, struct record_item *out, struct error *err)
{
	const struct json *j = json_parse(a, line, JSON_LIMITS, NULL, err);

	*out = (struct record_item){0};
	if (j == NULL)
		return -1;
	if (j->kind != JSON_OBJECT)
		return error_set(err, "it is not a JSON object");
	if (!instant_parse(json_text(json_get(j, "received")), &out->received))
		return error_set(err, "'received' is not a time in RFC 3339");
	out->end = truth(json_get(j, "end"));
	out->gap = truth(json_get(j, "gap"));
	if (out->end || out->gap)
		return 0;
	out->listener = json_text(json_get(j, "listener"));
	out->transport = json_text(json_get(j, "transport"));
	out->peer = json_text(json_get(j, "peer"));
	out->path = json_text(json_get(j, "path"));
	out->headers = header_lines(a, json_get(j, "headers"));
	return take_raw(a, json_get(j, "raw"), out, err);
}

static void write_headers(struct slice lines, struct jw *w)
{
	struct slice line;

	jw_key(w, "headers");
	jw_object(w);
	while (slice_split(&lines, '\n', &line)) {
		const char *colon = memchr(line.p, ':', line.n);
		size_t n = colon != NULL ? (size_t)(colon - line.p) : 0;

		if (n == 0)
			continue;
		jw_keyn(w, slice_sub(line, 0, n));
		jw_slice(w, slice_trim(slice_sub(line, n + 1, SIZE_MAX)));
	}
	jw_end(w);
}

void record_item_write(const struct record_item *it, struct buf *out)
{
	struct jw w = jw_new(out);
	struct buf raw = {0};

	jw_object(&w);
	jw_ktime(&w, "received", it->received);
	if (it->end || it->gap) {
		jw_kbool(&w, it->end ? "end" : "gap", true);
	} else {
		jw_kslice(&w, "listener", it->listener);
		jw_kslice(&w, "transport", it->transport);
		jw_kslice(&w, "peer", it->peer);
		if (it->path.n > 0)
			jw_kslice(&w, "path", it->path);
		if (it->headers.n > 0)
			write_headers(it->headers, &w);
		base64_encode(it->raw, &raw);
		jw_kslice(&w, "raw", raw.n > 0 ? buf_slice(&raw) : SLICE(""));
	}
	jw_end(&w);
	buf_char(out, '\n');
	buf_free(&raw);
}
