/* One setting: text to value and back. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/address.h"
#include "model/config_table.h"

bool setting_is_list(enum setting_type t)
{
	return t == SETTING_LIST || t == SETTING_CIDRS || t == SETTING_BINDS;
}

const char *setting_expects(enum setting_type t)
{
	switch (t) {
	case SETTING_TEXT: return "text";
	case SETTING_BOOL: return "true or false";
	case SETTING_DURATION: return "a duration such as 30s, 5m or 1h30m";
	case SETTING_WAIT: return "auto or a duration such as 30s";
	case SETTING_SIZE: return "a size such as 64KiB or 1MiB";
	case SETTING_RATE: return "a rate such as 5000/s or 30/m";
	case SETTING_RATE_AUTO: return "profile or a rate such as 30/m";
	case SETTING_U32:
	case SETTING_INT: return "a whole number";
	case SETTING_INT_AUTO: return "auto, profile or a whole number";
	case SETTING_NUMBER: return "a number";
	case SETTING_MODE: return "a file mode such as 0660";
	case SETTING_LEVEL: return "one of error, warning, notice, info, debug";
	case SETTING_SOURCE: return "file or redis";
	case SETTING_SECRET: return "a reference to a secret: cred:NAME or file:/path";
	case SETTING_LIST: return "a list of texts";
	case SETTING_CIDRS: return "a list of networks such as 10.1.0.0/16";
	case SETTING_BINDS: return "a list of addresses such as udp://127.0.0.1:5514";
	}
	return "";
}

static bool in_range(const struct setting *s, double v, struct error *err)
{
	struct buf lo = {0}, hi = {0};

	if ((s->min == 0 && s->max == 0) || (v >= s->min && v <= s->max))
		return true;
	if (s->type == SETTING_DURATION || s->type == SETTING_WAIT) {
		duration_format((duration)s->min, &lo);
		duration_format((duration)s->max, &hi);
	} else {
		buf_printf(&lo, "%.12g", s->min);
		buf_printf(&hi, "%.12g", s->max);
	}
	error_set(err, "'%s' must be between %s and %s", s->path, buf_cstr(&lo), buf_cstr(&hi));
	buf_free(&lo);
	buf_free(&hi);
	return false;
}

static bool wrong(const struct setting *s, struct slice text, struct error *err)
{
	error_set(err, "expected %s for '%s', got '" SLICE_FMT "'", setting_expects(s->type), s->path,
	          SLICE_ARG(text));
	return false;
}

static bool number(const struct setting *s, struct slice text, void *at, struct error *err)
{
	int64_t i = 0;
	double d = 0;

	if (s->type == SETTING_NUMBER) {
		if (!slice_num(text, &d))
			return wrong(s, text, err);
		*(double *)at = d;
		return in_range(s, d, err);
	}
	if (!slice_int(text, &i))
		return wrong(s, text, err);
	if (!in_range(s, (double)i, err))
		return false;
	if (s->type == SETTING_U32)
		*(uint32_t *)at = (uint32_t)i;
	else
		*(int *)at = (int)i;
	return true;
}

static bool timing(const struct setting *s, struct slice text, void *at, struct error *err)
{
	duration d;

	if (s->type == SETTING_WAIT && slice_is(text, "auto")) {
		*(duration *)at = -1;
		return true;
	}
	if (!duration_parse(text, &d))
		return wrong(s, text, err);
	*(duration *)at = d;
	return in_range(s, (double)d, err);
}

static bool secret(const struct setting *s, struct slice text, void *at, struct arena *a, struct error *err)
{
	if (text.n > 0 && !slice_starts(text, SLICE("cred:")) && !slice_starts(text, SLICE("file:/"))) {
		/* the text may be the secret itself: never repeat it */
		error_set(err,
		          "'%s' takes a reference, never the secret itself: write cred:NAME or file:/path",
		          s->path);
		return false;
	}
	((struct secret_ref *)at)->ref = text.n > 0 ? arena_str(a, text) : NULL;
	return true;
}

bool setting_scalar(const struct setting *s, struct slice text, void *at, struct arena *a, struct error *err)
{
	switch (s->type) {
	case SETTING_TEXT: *(char **)at = arena_str(a, text); return true;
	case SETTING_BOOL:
		*(bool *)at = slice_is(text, "true");
		return *(bool *)at || slice_is(text, "false") || wrong(s, text, err);
	case SETTING_SOURCE:
		*(bool *)at = slice_is(text, "redis");
		return *(bool *)at || slice_is(text, "file") || wrong(s, text, err);
	case SETTING_DURATION:
	case SETTING_WAIT: return timing(s, text, at, err);
	case SETTING_SIZE:
		return (bytesize_parse(text, at) || wrong(s, text, err)) &&
		       in_range(s, (double)*(uint64_t *)at, err);
	case SETTING_RATE_AUTO:
		if (slice_is(text, "profile") || slice_is(text, "none")) {
			*(double *)at = 0;
			return true;
		}
		return (rate_parse(text, at) || wrong(s, text, err)) && in_range(s, *(double *)at, err);
	case SETTING_RATE:
		return (rate_parse(text, at) || wrong(s, text, err)) && in_range(s, *(double *)at, err);
	case SETTING_INT_AUTO:
		if (slice_is(text, "auto") || slice_is(text, "profile")) {
			*(int *)at = 0;
			return true;
		}
		return number(s, text, at, err);
	case SETTING_U32:
	case SETTING_INT:
	case SETTING_NUMBER: return number(s, text, at, err);
	case SETTING_MODE: {
		unsigned m = 0;
		for (size_t i = 0; i < text.n; i++) {
			if (text.p[i] < '0' || text.p[i] > '7' || text.n > 5)
				return wrong(s, text, err);
			m = m * 8 + (unsigned)(text.p[i] - '0');
		}
		*(unsigned *)at = m;
		return (text.n > 0 && m <= 0777) || wrong(s, text, err);
	}
	case SETTING_LEVEL: {
		char *word = arena_str(a, text);
		return log_level_parse(word, at) || wrong(s, text, err);
	}
	case SETTING_SECRET: return secret(s, text, at, a, err);
	case SETTING_LIST:
	case SETTING_CIDRS:
	case SETTING_BINDS: return wrong(s, text, err);
	}
	return false;
}

/* ---- addresses */

static bool network(struct slice text, struct error *err)
{
	struct address net;
	unsigned bits;

	if (network_parse(text, &net, &bits))
		return true;
	error_set(err, "'" SLICE_FMT "' is not a network; write it like 10.1.0.0/16", SLICE_ARG(text));
	return false;
}

static const struct {
	const char *scheme;
	enum bind_kind kind;
} schemes[] = {{"udp://", BIND_UDP},   {"tcp://", BIND_TCP},   {"tls://", BIND_TLS},
               {"unix://", BIND_UNIX}, {"unixgram://", BIND_UNIXGRAM},
               {"relp://", BIND_RELP}, {"relp+tls://", BIND_RELPS},
               {"http://", BIND_HTTP}, {"https://", BIND_HTTPS}};

bool bind_secure(enum bind_kind k)
{
	return k == BIND_TLS || k == BIND_RELPS || k == BIND_HTTPS;
}

bool bind_parse(struct slice text, struct bind_addr *out, struct arena *a, struct error *err)
{
	struct slice rest = SLICE_NONE, host, port;
	unsigned char addr[16];
	int64_t number = -1;
	const char *colon = NULL;

	*out = (struct bind_addr){.text = arena_str(a, text)};
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (slice_starts(text, slice_str(schemes[i].scheme))) {
			out->kind = schemes[i].kind;
			rest = slice_sub(text, strlen(schemes[i].scheme), SIZE_MAX);
		}
	if (rest.p == NULL || rest.n == 0) {
		error_set(err, "'" SLICE_FMT "' is no address; write it like udp://127.0.0.1:5514",
		          SLICE_ARG(text));
		return false;
	}
	if (out->kind == BIND_UNIX || out->kind == BIND_UNIXGRAM) {
		if (rest.p[0] != '/' || rest.n > 107) {
			error_set(err, "'" SLICE_FMT "' needs an absolute path of at most 107 octets, like unix:///run/carillon/syslog",
			          SLICE_ARG(text));
			return false;
		}
		out->host = arena_str(a, rest);
		return true;
	}
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] == ':')
			colon = rest.p + i;
	host = slice_of(rest.p, colon != NULL ? (size_t)(colon - rest.p) : rest.n);
	port = colon != NULL ? slice_sub(rest, host.n + 1, SIZE_MAX) : SLICE_NONE;
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = slice_sub(host, 1, host.n - 2);
	out->host = arena_str(a, host);
	if (!slice_int(port, &number) || number < 0 || number > 65535 ||
	    (inet_pton(AF_INET, out->host, addr) != 1 && inet_pton(AF_INET6, out->host, addr) != 1)) {
		error_set(err,
		          "'" SLICE_FMT
		          "' needs an IP address and a port, like udp://127.0.0.1:5514 or tcp://[::1]:5514",
		          SLICE_ARG(text));
		return false;
	}
	out->port = (uint16_t)number;
	return true;
}

struct text_list {
	char **v;
	size_t n;
};
struct bind_list {
	struct bind_addr *v;
	size_t n;
};

bool setting_list(const struct setting *s, const struct slice *items, size_t n, void *at, struct arena *a,
                  struct error *err)
{
	if (s->type == SETTING_BINDS) {
		struct bind_list *l = at;

		l->v = arena_array(a, n + 1, sizeof *l->v);
		for (l->n = 0; l->n < n; l->n++)
			if (!bind_parse(items[l->n], &l->v[l->n], a, err))
				return false;
		return true;
	}
	struct text_list *l = at;
	l->v = arena_array(a, n + 1, sizeof *l->v);
	for (l->n = 0; l->n < n; l->n++) {
		if (s->type == SETTING_CIDRS && !network(items[l->n], err))
			return false;
		l->v[l->n] = arena_str(a, items[l->n]);
	}
	return true;
}

void setting_default(const struct setting *s, void *at, struct arena *a)
{
	struct slice rest = slice_str(s->def), part, items[8];
	struct error err;
	size_t n = 0;

	if (!setting_is_list(s->type)) {
		BUG_ON(!setting_scalar(s, rest, at, a, &err));
		return;
	}
	while (rest.n > 0 && n < ARRAY_LEN(items) && slice_split(&rest, ' ', &part))
		items[n++] = part;
	BUG_ON(!setting_list(s, items, n, at, a, &err));
}

/* ---- showing */

static void show_text(struct slice t, struct buf *out)
{
	struct jw w = jw_new(out);

	/* a JSON string is a YAML flow scalar that never changes its meaning */
	jw_slice(&w, t.p != NULL ? t : SLICE(""));
}

static void show_list(const struct setting *s, const void *at, struct buf *out)
{
	buf_char(out, '[');
	if (s->type == SETTING_BINDS) {
		const struct bind_list *l = at;
		for (size_t i = 0; i < l->n; i++) {
			buf_str(out, i > 0 ? ", " : "");
			show_text(slice_str(l->v[i].text), out);
		}
	} else {
		const struct text_list *l = at;
		for (size_t i = 0; i < l->n; i++) {
			buf_str(out, i > 0 ? ", " : "");
			show_text(slice_str(l->v[i]), out);
		}
	}
	buf_char(out, ']');
}

static void show_size(uint64_t v, struct buf *out)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB"};
	size_t u = 0;

	while (u < 3 && v >= 1024 && v % 1024 == 0) {
		v /= 1024;
		u++;
	}
	buf_printf(out, "%llu%s", (unsigned long long)v, units[u]);
}

void setting_show(const struct setting *s, const void *at, struct buf *out)
{
	static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};

	switch (s->type) {
	case SETTING_TEXT: show_text(slice_str(*(char *const *)at), out); break;
	case SETTING_BOOL: buf_str(out, *(const bool *)at ? "true" : "false"); break;
	case SETTING_SOURCE: buf_str(out, *(const bool *)at ? "redis" : "file"); break;
	case SETTING_DURATION: duration_format(*(const duration *)at, out); break;
	case SETTING_WAIT:
		if (*(const duration *)at < 0)
			buf_str(out, "auto");
		else
			duration_format(*(const duration *)at, out);
		break;
	case SETTING_SIZE: show_size(*(const uint64_t *)at, out); break;
	case SETTING_RATE: buf_printf(out, "%.12g/s", *(const double *)at); break;
	case SETTING_RATE_AUTO:
		if (*(const double *)at > 0)
			buf_printf(out, "%.12g/m", *(const double *)at * 60);
		else
			buf_str(out, s->def);
		break;
	case SETTING_U32: buf_printf(out, "%u", *(const uint32_t *)at); break;
	case SETTING_INT: buf_printf(out, "%d", *(const int *)at); break;
	case SETTING_INT_AUTO:
		if (*(const int *)at > 0)
			buf_printf(out, "%d", *(const int *)at);
		else
			buf_str(out, s->def);
		break;
	case SETTING_NUMBER: buf_printf(out, "%.12g", *(const double *)at); break;
	case SETTING_MODE: buf_printf(out, "\"%04o\"", *(const unsigned *)at); break;
	case SETTING_LEVEL: buf_str(out, levels[*(const enum log_level *)at]); break;
	case SETTING_SECRET: show_text(slice_str(((const struct secret_ref *)at)->ref), out); break;
	case SETTING_LIST:
	case SETTING_CIDRS:
	case SETTING_BINDS: show_list(s, at, out); break;
	}
}
