/* Promises the parts of a Redis URL, or what is wrong with it. Pure. */
#include "net/redis.h"

#include <stdio.h>

static bool fail(struct error *err, const char *url, const char *what)
{
	error_set(err, "%s: %s; write redis://HOST:PORT/DB or unix:/PATH", url, what);
	return false;
}

static bool is_host(struct slice h)
{
	for (size_t i = 0; i < h.n; i++) {
		unsigned char c = (unsigned char)h.p[i];
		if (c <= 0x20 || c >= 0x7f || strchr("/@?#%\\", c) != NULL)
			return false;
	}
	return h.n > 0;
}

static bool number(struct slice s, int64_t max, int64_t *out)
{
	return slice_int(s, out) && *out >= 0 && *out <= max && s.p[0] != '+' && s.p[0] != '-';
}

/* HOST, HOST:PORT, [ADDRESS]:PORT */
static bool split_host(struct slice s, struct slice *host, struct slice *port)
{
	*port = SLICE_NONE;
	if (s.n > 0 && s.p[0] == '[') {
		const char *close = memchr(s.p, ']', s.n);
		if (close == NULL)
			return false;
		*host = slice_of(s.p + 1, (size_t)(close - s.p) - 1);
		s = slice_sub(s, (size_t)(close + 1 - s.p), s.n);
		if (s.n > 0 && s.p[0] != ':')
			return false;
		*port = s.n > 0 ? slice_sub(s, 1, s.n) : SLICE_NONE;
		return true;
	}
	bool has_port = slice_split(&s, ':', host) && s.p != NULL;
	*port = has_port ? s : SLICE_NONE;
	return true;
}

static bool set_host(struct slice h, struct redis_url *out)
{
	if (h.n == 0 || h.n >= sizeof out->host)
		return false;
	memcpy(out->host, h.p, h.n);
	out->host[h.n] = '\0';
	return true;
}

bool redis_url_parse(const char *url, struct redis_url *out, struct error *err)
{
	struct slice s = slice_str(url), authority, host, port;
	int64_t n = 0;
	*out = (struct redis_url){.port = 6379};
	if (slice_starts(s, SLICE("unix:/"))) {
		out->is_unix = true;
		return set_host(slice_sub(s, 5, s.n), out) || fail(err, url, "the path is too long");
	}
	if (slice_starts(s, SLICE("rediss://")))
		return fail(err, url, "TLS to Redis is not in this version");
	if (!slice_starts(s, SLICE("redis://")))
		return fail(err, url, "no URL of a Redis");
	s = slice_sub(s, 8, s.n);
	if (!slice_split(&s, '/', &authority) || !split_host(authority, &host, &port) || !is_host(host) ||
	    !set_host(host, out))
		return fail(
		    err, url,
		    "no host in it (a user belongs into map.redis.user, the password into a credential)");
	if (port.p != NULL && (!number(port, 65535, &n) || n == 0))
		return fail(err, url, "the port is no number from 1 to 65535");
	out->port = port.p != NULL ? (uint16_t)n : out->port;
	if (s.p != NULL && s.n > 0 && !number(s, 1 << 20, &n))
		return fail(err, url, "the database is no number");
	out->db = s.p != NULL && s.n > 0 ? (int)n : 0;
	return true;
}
