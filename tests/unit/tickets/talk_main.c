/* One ticket operation against a live server over plain HTTP, for tests: reads `verb` from argv and the rest
 * from the environment, prints the result as one JSON object.
 *
 *   PROFILE  file of the profile        CONF_x, SECRET_x  values of the connection
 *   FACTS    JSON of the operation      KEY, TICKET       dedup key and id
 * Each request and its status go to standard error. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "plugins/tickets/adapter.h"

extern char **environ;

enum { VALUES_MAX = 32 };

struct values {
	const char *keys[VALUES_MAX], *values[VALUES_MAX];
	struct slice slices[VALUES_MAX];
	size_t n;
};

static void from_environment(const char *prefix, struct values *v)
{
	size_t len = strlen(prefix);
	for (char **e = environ; *e != NULL && v->n < VALUES_MAX; e++) {
		const char *eq = strchr(*e, '=');
		if (eq == NULL || strncmp(*e, prefix, len) != 0)
			continue;
		v->keys[v->n] = xstrndup(*e + len, (size_t)(eq - *e) - len);
		v->values[v->n] = eq + 1;
		v->slices[v->n++] = slice_str(eq + 1);
	}
}

static struct slice env_slice(const char *name)
{
	return slice_str(getenv(name));
}

static struct ticket_profile *load(const char *path)
{
	static char text[1 << 20];
	struct findings f = {0};
	struct buf out = {0};
	FILE *file = path != NULL ? fopen(path, "rb") : NULL;
	if (file == NULL) {
		fprintf(stderr, "talk-main: cannot read PROFILE\n");
		exit(2);
	}
	size_t n = fread(text, 1, sizeof text, file);
	fclose(file);
	struct ticket_profile *p = ticket_profile_load(path, slice_of(text, n), &f);
	findings_text(&f, &out);
	fprintf(stderr, SLICE_FMT, SLICE_ARG(buf_slice(&out)));
	buf_free(&out);
	findings_clear(&f);
	if (p == NULL)
		exit(2);
	return p;
}

/* ---- HTTP/1.1 with Connection: close */

static int dial(struct slice authority)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	char host[64];
	struct slice rest = authority, name;
	slice_split(&rest, ':', &name);
	int64_t port = 80;
	if (rest.p != NULL && !slice_int(rest, &port))
		return -1;
	snprintf(host, sizeof host, SLICE_FMT, SLICE_ARG(name));
	to.sin_port = htons((uint16_t)port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void exchange(int fd, const struct ticket_request *req, struct slice authority, struct slice path,
                     struct buf *reply)
{
	struct buf out = {0};
	char part[4096];
	ssize_t n;
	buf_printf(&out, "%s /" SLICE_FMT " HTTP/1.1\r\nHost: " SLICE_FMT "\r\nConnection: close\r\n",
	           req->method, SLICE_ARG(path), SLICE_ARG(authority));
	for (const char *const *h = req->headers; *h != NULL; h++)
		buf_printf(&out, "%s\r\n", *h);
	if (req->body.p != NULL)
		buf_printf(&out, "Content-Length: %zu\r\n", req->body.n);
	buf_str(&out, "\r\n");
	buf_adds(&out, req->body);
	for (size_t at = 0; at < out.n; at += (size_t)n)
		if ((n = write(fd, out.p + at, out.n - at)) <= 0)
			break;
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_add(reply, part, (size_t)n);
	buf_free(&out);
}

static void unchunk(struct buf *body)
{
	struct buf out = {0};
	for (size_t at = 0; at < body->n;) {
		unsigned long size = strtoul(buf_cstr(body) + at, NULL, 16);
		const char *eol = memchr(body->p + at, '\n', body->n - at);
		if (eol == NULL || size == 0)
			break;
		at = (size_t)(eol + 1 - body->p);
		buf_adds(&out, slice_sub(buf_slice(body), at, size));
		at += size + 2;
	}
	buf_free(body);
	*body = out;
}

static void lower_headers(struct slice head, struct buf *out, bool *chunked)
{
	struct slice line;
	slice_split(&head, '\n', &line);
	while (head.p != NULL && slice_split(&head, '\n', &line)) {
		struct slice value = slice_trim(line), name;
		slice_split(&value, ':', &name);
		for (size_t i = 0; i < name.n; i++)
			buf_char(out,
			         (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]));
		buf_printf(out, ": " SLICE_FMT "\n", SLICE_ARG(slice_trim(value)));
		*chunked = *chunked || (slice_ieq(name, SLICE("transfer-encoding")) &&
		                        slice_ieq(slice_trim(value), SLICE("chunked")));
	}
}

static void call(struct ticket_talk *t, const struct ticket_request *req)
{
	struct slice rest = slice_sub(slice_str(req->url), 7, SIZE_MAX), authority;
	struct buf reply = {0}, headers = {0}, body = {0};
	struct ticket_answer a = {.failure = "no connection"};
	bool chunked = false;
	slice_split(&rest, '/', &authority);
	int fd = dial(authority);
	if (fd >= 0) {
		exchange(fd, req, authority, rest, &reply);
		close(fd);
		a.sent = true;
		a.failure = "no reply";
	}
	const char *end = reply.n > 12 ? memmem(reply.p, reply.n, "\r\n\r\n", 4) : NULL;
	if (end != NULL && sscanf(buf_cstr(&reply), "HTTP/1.%*c %3d", &a.status) == 1) {
		lower_headers(slice_of(reply.p, (size_t)(end - reply.p)), &headers, &chunked);
		buf_add(&body, end + 4, (size_t)(reply.p + reply.n - end - 4));
		if (chunked)
			unchunk(&body);
	}
	a.headers = buf_slice(&headers);
	a.body = buf_slice(&body);
	fprintf(stderr, "%s %s -> %d\n", req->method, req->url, a.status);
	if (getenv("TRACE") != NULL)
		fprintf(stderr, SLICE_FMT "\n" SLICE_FMT "\n", SLICE_ARG(req->body), SLICE_ARG(a.body));
	ticket_talk_answer(t, &a);
	buf_free(&reply);
	buf_free(&headers);
	buf_free(&body);
}

static void write_line(struct ticket_talk *t, const struct ticket_request *req)
{
	const struct ticket_answer a = {.status = 200, .sent = true, .headers = SLICE(""), .body = SLICE("")};
	fprintf(stderr, SLICE_FMT "\n", SLICE_ARG(req->body));
	ticket_talk_answer(t, &a);
}

static void print_seen(struct jw *w, struct slice records)
{
	struct ticket_seen s;
	while (ticket_seen_next(&records, &s)) {
		jw_object(w);
		jw_kslice(w, "id", s.id);
		jw_kslice(w, "state", s.state);
		jw_kslice(w, "state_there", s.state_there);
		jw_kslice(w, "priority", s.priority);
		jw_kslice(w, "assignee", s.assignee);
		jw_kslice(w, "merged_into", s.merged_into);
		jw_kslice(w, "changed_by", s.changed_by);
		jw_kslice(w, "at", s.at);
		jw_kslice(w, "cursor", s.cursor);
		jw_end(w);
	}
}

static void print_planned(struct jw *w, struct slice records)
{
	struct ticket_planned p;
	while (ticket_planned_next(&records, &p)) {
		jw_object(w);
		jw_kslice(w, "id", p.id);
		jw_kslice(w, "title", p.title);
		jw_kslice(w, "starts", p.starts);
		jw_kslice(w, "ends", p.ends);
		jw_kslice(w, "services", p.services);
		jw_kslice(w, "cis", p.cis);
		jw_kslice(w, "state", p.state);
		jw_end(w);
	}
}

static void print(const struct ticket_result *r)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);
	jw_object(&w);
	jw_kstr(&w, "outcome", ticket_outcome_word(r->outcome));
	jw_kstr(&w, "class", ticket_class_word(r->cls));
	jw_kint(&w, "status", r->status);
	jw_kint(&w, "retry_after_ms", r->retry_after / MSEC);
	jw_kint(&w, "hits", r->hits);
	jw_kslice(&w, "ticket", r->ticket);
	jw_kslice(&w, "version", r->version);
	jw_kslice(&w, "state", r->state);
	jw_kslice(&w, "url", r->url);
	jw_kslice(&w, "others", r->others);
	jw_kslice(&w, "message", r->message);
	jw_kslice(&w, "cursor", r->cursor);
	jw_key(&w, "records");
	jw_array(&w);
	if (r->verb == TICKET_CHANGES)
		print_planned(&w, r->records);
	else
		print_seen(&w, r->records);
	jw_array_end(&w);
	jw_end(&w);
	printf("%s\n", buf_cstr(&b));
	buf_free(&b);
}

int main(int argc, char **argv)
{
	struct values conf = {0}, secrets = {0};
	struct ticket_request req;
	struct ticket_result res;
	struct ticket_op op = {.id = 1,
	                       .attempt = 1,
	                       .priority = 1,
	                       .key = env_slice("KEY"),
	                       .ticket = env_slice("TICKET"),
	                       .facts = env_slice("FACTS")};
	struct error err;
	if (argc != 2 || !ticket_verb_parse(slice_str(argv[1]), &op.verb)) {
		fprintf(stderr, "usage: talk-main "
		                "find|create|get|update|note|acknowledge|resolve|reopen|link_parent|poll|"
		                "changes|check\n");
		return 2;
	}
	struct ticket_profile *p = load(getenv("PROFILE"));
	from_environment("CONF_", &conf);
	from_environment("SECRET_", &secrets);
	struct ticket_connection c = {.profile = p,
	                              .conf_keys = conf.keys,
	                              .conf_values = conf.values,
	                              .n_conf = conf.n,
	                              .secret_keys = secrets.keys,
	                              .secret_values = secrets.slices,
	                              .n_secrets = secrets.n};
	if (ticket_connection_check(&c, &err) != 0) {
		fprintf(stderr, "talk-main: %s\n", err.text);
		return 2;
	}
	struct ticket_talk *t = ticket_talk_new(&c, &op);
	while (ticket_talk_next(t, &req, &res) == TALK_REQUEST)
		if (strcmp(req.method, "WRITE") == 0)
			write_line(t, &req);
		else
			call(t, &req);
	print(&res);
	ticket_talk_free(t);
	ticket_profile_free(p);
	for (size_t i = 0; i < conf.n; i++)
		free((void *)(uintptr_t)conf.keys[i]);
	for (size_t i = 0; i < secrets.n; i++)
		free((void *)(uintptr_t)secrets.keys[i]);
	return 0;
}
