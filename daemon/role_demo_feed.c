/* The demo's senders: syslog lines, SNMP traps and Alertmanager posts, as real programs would write them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "role_demo.h"

#define NOISE_PER_SECOND 300

static int connected(const char *unix_path, uint16_t port, int type)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(unix_path != NULL ? AF_UNIX : AF_INET, type | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (unix_path != NULL) {
		snprintf(un.sun_path, sizeof un.sun_path, "%s", unix_path);
		rc = connect(fd, (struct sockaddr *)&un, sizeof un);
	} else {
		rc = connect(fd, (struct sockaddr *)&in, sizeof in);
	}
	if (rc != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int demo_http(const char *unix_path, uint16_t port, const char *method, const char *target, const char *body, struct buf *out)
{
	int fd = connected(unix_path, port, SOCK_STREAM), status = 0;
	struct buf b = {0};
	const char *end;
	ssize_t n = 1;

	if (fd < 0)
		return -1;
	buf_printf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", method,
	           target, body != NULL ? strlen(body) : 0, body != NULL ? body : "");
	if (send(fd, b.p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n)
		n = 0;
	buf_clear(&b);
	while (n > 0) {
		buf_reserve(&b, 65536);
		n = recv(fd, b.p + b.n, 65536, 0);
		if (n > 0)
			b.n += (size_t)n;
	}
	close(fd);
	if (sscanf(buf_cstr(&b), "HTTP/1.%*d %d", &status) != 1)
		status = 0;
	end = strstr(b.p, "\r\n\r\n");
	if (out != NULL && status / 100 == 2 && end != NULL)
		buf_str(out, end + 4);
	buf_free(&b);
	return status / 100 == 2 ? 0 : -1;
}

/* ---- SNMP: a v2c trap by hand, so that the demo needs no tool */

static void tlv(struct buf *out, uint8_t tag, struct slice content)
{
	buf_u8(out, tag);
	if (content.n > 127) {
		buf_u8(out, 0x82);
		buf_u8(out, (uint8_t)(content.n >> 8));
	}
	buf_u8(out, (uint8_t)content.n);
	buf_adds(out, content);
}

/* dotted OID, at most one sub-identifier over 127 in a row of two octets */
static void oid(struct buf *out, const char *dotted)
{
	struct buf b = {0};
	unsigned long first = 0;
	unsigned i = 0;

	for (const char *p = dotted; *p != '\0'; i++) {
		char *end;
		unsigned long v = strtoul(p, &end, 10);

		p = *end == '.' ? end + 1 : end;
		if (i == 0) {
			first = v;
			continue;
		}
		if (i == 1)
			v += first * 40;
		if (v > 127)
			buf_u8(&b, (uint8_t)(0x80 | (v >> 7)));
		buf_u8(&b, (uint8_t)(v & 0x7f));
	}
	tlv(out, 0x06, buf_slice(&b));
	buf_free(&b);
}

static void varbind(struct buf *out, const char *name, uint8_t tag, struct slice value)
{
	struct buf b = {0};

	oid(&b, name);
	if (tag == 0x06)
		oid(&b, value.p);
	else
		tlv(&b, tag, value);
	tlv(out, 0x30, buf_slice(&b));
	buf_free(&b);
}

static void send_trap(struct demo_feed *f, bool up, const char *host, const char *port)
{
	struct buf binds = {0}, pdu = {0}, message = {0}, packet = {0};

	varbind(&binds, "1.3.6.1.2.1.1.3.0", 0x43, SLICE("\x12\x34"));
	varbind(&binds, "1.3.6.1.6.3.1.1.4.1.0", 0x06, slice_str(up ? "1.3.6.1.6.3.1.1.5.4" : "1.3.6.1.6.3.1.1.5.3"));
	varbind(&binds, "1.3.6.1.2.1.2.2.1.1.7", 0x02, SLICE("\x07"));
	varbind(&binds, "1.3.6.1.2.1.2.2.1.2.7", 0x04, slice_str(port));
	varbind(&binds, "1.3.6.1.2.1.1.5.0", 0x04, slice_str(host));
	tlv(&pdu, 0x02, SLICE("\x01"));
	tlv(&pdu, 0x02, slice_of("\0", 1));
	tlv(&pdu, 0x02, slice_of("\0", 1));
	tlv(&pdu, 0x30, buf_slice(&binds));
	tlv(&message, 0x02, SLICE("\x01"));
	tlv(&message, 0x04, SLICE("public"));
	tlv(&message, 0xa7, buf_slice(&pdu));
	tlv(&packet, 0x30, buf_slice(&message));
	(void)!send(f->traps_fd, packet.p, packet.n, MSG_NOSIGNAL);
	buf_free(&binds);
	buf_free(&pdu);
	buf_free(&message);
	buf_free(&packet);
}

/* ---- the script */

enum way { WAY_SYSLOG, WAY_LINK_DOWN, WAY_LINK_UP, WAY_FIRING, WAY_RESOLVED };

static const struct {
	duration at;
	enum way way;
	const char *a, *b, *c; /* syslog: line; traps: host, port; Alertmanager: alertname, instance, service */
} script[] = {
    {9 * SECOND, WAY_LINK_DOWN, "sw-core-1", "xe-0/3", NULL},
    {9500 * MSEC, WAY_SYSLOG, "<187>1 - sw-core-1 - - - - %LINK-3-UPDOWN: Interface xe-0/3, changed state to down", NULL, NULL},
    {10 * SECOND, WAY_FIRING, "HostUnreachable", "db-7", NULL},
    {10500 * MSEC, WAY_FIRING, "HostUnreachable", "db-8", NULL},
    {11 * SECOND, WAY_FIRING, "HostUnreachable", "cache-2", NULL},
    {12 * SECOND, WAY_SYSLOG, "<131>1 - api-1 orders-api 811 - - connect to db-7:5432 failed: no route to host", NULL, NULL},
    {13 * SECOND, WAY_FIRING, "HighErrorRate", "api-1", "orders-api"},
    {14 * SECOND, WAY_FIRING, "HighErrorRate", "shop-1", "checkout"},
    {15 * SECOND, WAY_FIRING, "HostUnreachable", "sw-tor-3", NULL},
    {16 * SECOND, WAY_FIRING, "ProbeFailed", "shop-1", "checkout"},
    {17 * SECOND, WAY_SYSLOG, "<131>1 - api-1 orders-api 811 - - connect to db-7:5432 failed: no route to host", NULL, NULL},
    {21 * SECOND, WAY_SYSLOG, "<131>1 - api-1 orders-api 811 - - connect to db-7:5432 failed: no route to host", NULL, NULL},
    {25 * SECOND, WAY_SYSLOG, "<131>1 - api-1 orders-api 811 - - connect to db-7:5432 failed: no route to host", NULL, NULL},
    {29 * SECOND, WAY_SYSLOG, "<131>1 - api-1 orders-api 811 - - connect to db-7:5432 failed: no route to host", NULL, NULL},
    {30 * SECOND, WAY_LINK_UP, "sw-core-1", "xe-0/3", NULL},
    {30100 * MSEC, WAY_SYSLOG, "<189>1 - sw-core-1 - - - - %LINK-3-UPDOWN: Interface xe-0/3, changed state to up", NULL, NULL},
    {30200 * MSEC, WAY_RESOLVED, "HostUnreachable", "sw-tor-3", NULL},
    {30400 * MSEC, WAY_RESOLVED, "HostUnreachable", "db-7", NULL},
    {30500 * MSEC, WAY_RESOLVED, "HostUnreachable", "db-8", NULL},
    {30600 * MSEC, WAY_RESOLVED, "HostUnreachable", "cache-2", NULL},
    {30800 * MSEC, WAY_RESOLVED, "HighErrorRate", "api-1", "orders-api"},
    {30900 * MSEC, WAY_RESOLVED, "HighErrorRate", "shop-1", "checkout"},
    {31 * SECOND, WAY_RESOLVED, "ProbeFailed", "shop-1", "checkout"},
};

static void send_line(struct demo_feed *f, const char *line)
{
	(void)!send(f->syslog_fd, line, strlen(line), MSG_NOSIGNAL);
}

static void send_alert(struct demo_feed *f, bool firing, const char *name, const char *instance, const char *service)
{
	char *label = service != NULL ? xasprintf(",\"service\":\"%s\"", service) : xstrdup("");
	char *body = xasprintf("{\"version\":\"4\",\"status\":\"%s\",\"receiver\":\"carillon\",\"alerts\":[{\"status\":\"%s\",\"labels\":{\"alertname\":\"%s\","
	                       "\"instance\":\"%s\",\"severity\":\"critical\"%s},\"annotations\":{\"summary\":\"%s on %s\"},"
	                       "\"startsAt\":\"2026-01-05T00:00:00Z\",\"endsAt\":\"0001-01-01T00:00:00Z\",\"fingerprint\":\"%08x\"}]}",
	                       firing ? "firing" : "resolved", firing ? "firing" : "resolved", name, instance, label, name, instance,
	                       (unsigned)(strlen(name) * 7919 + (unsigned char)instance[strlen(instance) - 1]));

	demo_http(NULL, f->hooks, "POST", "/hook/alertmanager", body, NULL);
	free(label);
	free(body);
}

static void send_noise(struct demo_feed *f)
{
	static const char *const lines[] = {
	    "<30>1 - web-%u systemd 1 - - Started Session %u of User deploy.",
	    "<86>1 - web-%u sshd 812 - - Accepted publickey for deploy from 10.0.0.%u port 50022 ssh2",
	    "<158>1 - shop-1 nginx 77 - - 10.1.%u.%u - - \"GET /cart HTTP/1.1\" 200 512",
	    "<134>1 - db-%u postgres 4211 - - LOG:  checkpoint complete: wrote %u buffers",
	    "<78>1 - web-%u CRON %u - - (root) CMD (run-parts /etc/cron.hourly)",
	};
	char line[256];
	unsigned k = (unsigned)(f->noise % ARRAY_LEN(lines)), n = (unsigned)(f->noise++ % 200);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(line, sizeof line, lines[k], n % 6 + 1, n);
#pragma GCC diagnostic pop
	send_line(f, line);
}

void demo_feed_open(struct demo_feed *f)
{
	f->syslog_fd = connected(NULL, f->syslog, SOCK_DGRAM);
	f->traps_fd = connected(NULL, f->traps, SOCK_DGRAM);
}

void demo_feed_close(struct demo_feed *f)
{
	if (f->syslog_fd >= 0)
		close(f->syslog_fd);
	if (f->traps_fd >= 0)
		close(f->traps_fd);
}

void demo_feed_run(struct demo_feed *f, duration at)
{
	while (at < 36 * SECOND && f->noise < (uint64_t)(at / SECOND * NOISE_PER_SECOND + at % SECOND * NOISE_PER_SECOND / SECOND))
		send_noise(f);
	for (; f->next < ARRAY_LEN(script) && script[f->next].at <= at; f->next++) {
		switch (script[f->next].way) {
		case WAY_SYSLOG: send_line(f, script[f->next].a); break;
		case WAY_LINK_DOWN:
		case WAY_LINK_UP: send_trap(f, script[f->next].way == WAY_LINK_UP, script[f->next].a, script[f->next].b); break;
		case WAY_FIRING:
		case WAY_RESOLVED: send_alert(f, script[f->next].way == WAY_FIRING, script[f->next].a, script[f->next].b, script[f->next].c); break;
		}
	}
}
