/* carillonctl decode: base64 or JSON lines in, JSON lines out, one for one and without waiting for more. Must
 * not know: rules, map, the running daemon. */
#include "ctl/decode.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#include "net/loop.h"
#include "plugin.h"

enum { MAX_PAYLOAD = 1 << 20, MAX_SYSLOG = 65536 };

struct decode_run {
	const struct decoder *decoder;
	void *settings;
	struct decode_env env;
	bool is_stream, is_webhook;
	struct evt_batch batch;
	struct buf payload, reply, line, headers;
	FILE *out;
};

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool base64_decode(struct slice text, struct buf *out)
{
	uint32_t v = 0;
	unsigned bits = 0;
	buf_clear(out);
	for (size_t i = 0; i < text.n && text.p[i] != '='; i++) {
		int d = base64_value(text.p[i]);
		if (d < 0)
			return false;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_u8(out, (uint8_t)(v >> bits));
		}
	}
	return true;
}

/* ---- printing */

static void print_tags(struct jw *w, struct slice tags)
{
	struct slice word;
	jw_array(w);
	while (slice_split(&tags, ' ', &word))
		if (word.n > 0)
			jw_slice(w, word);
	jw_array_end(w);
}

static bool is_tree(struct slice name)
{
	return slice_is(name, "syslog.sd") || slice_is(name, "snmp.vars");
}

static void print_value(struct jw *w, struct slice name, struct value v)
{
	double number;
	jw_keyn(w, name);
	if (is_tree(name))
		jw_raw(w, value_slice(v));
	else if (v.type == VALUE_NUMBER && slice_num(value_slice(v), &number))
		jw_raw(w, value_slice(v));
	else if (slice_is(name, "tags"))
		print_tags(w, value_slice(v));
	else
		decode_json_text(w, value_slice(v));
}

static void print_event(struct jw *w, const struct fields *f)
{
	jw_object(w);
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_CORE_MAX; id++)
		if (id != FIELD_TYPE && value_slice(f->core[id]).p != NULL)
			print_value(w, slice_str(field_name(id)), f->core[id]);
	for (size_t i = 0; i < f->n_named; i++)
		if (value_slice(f->named[i].v).p != NULL)
			print_value(w, f->named[i].name, f->named[i].v);
	jw_end(w);
}

static void print_batch(struct decode_run *r)
{
	BUG_ON(r->out == NULL || r->decoder == NULL);
	buf_clear(&r->line);
	struct jw w = jw_new(&r->line);
	jw_object(&w);
	jw_key(&w, "events");
	jw_array(&w);
	for (size_t i = 0; i < r->batch.n; i++)
		print_event(&w, &r->batch.v[i]);
	jw_array_end(&w);
	jw_key(&w, "errors");
	jw_array(&w);
	for (size_t i = 0; i < r->batch.n_notes; i++) {
		jw_object(&w);
		jw_key(&w, "at");
		if (r->batch.notes[i].at == SIZE_MAX)
			jw_null(&w);
		else
			jw_int(&w, (int64_t)r->batch.notes[i].at);
		jw_kstr(&w, "message", r->batch.notes[i].text);
		jw_end(&w);
	}
	jw_array_end(&w);
	jw_end(&w);
	buf_char(&r->line, '\n');
	fwrite(r->line.p, 1, r->line.n, r->out);
	fflush(r->out);
}

/* ---- one payload */

static void decode_payload(struct decode_run *r, struct slice payload)
{
	buf_clear(&r->reply);
	if (r->decoder->decode(r->settings, &r->env, payload, &r->batch, &r->reply) != DECODE_OK &&
	    r->batch.n_notes == 0)
		evt_batch_note(&r->batch, SIZE_MAX, "refused");
}

static void decode_stream(struct decode_run *r, struct slice octets)
{
	struct syslog_framer framer;
	syslog_framer_init(&framer, r->env.max_event);
	size_t at = 0;
	while (at < octets.n) {
		struct slice frame;
		size_t used = syslog_frame_next(&framer, slice_sub(octets, at, octets.n - at), true, &frame);
		if (framer.dead)
			evt_batch_note(&r->batch, at, "%s", framer.why);
		if (frame.n > 0)
			decode_payload(r, frame);
		BUG_ON(used == 0);
		at += used;
	}
	if (framer.oversized > 0)
		evt_batch_note(&r->batch, SIZE_MAX, "a frame was longer than the limit");
	if (octets.n == 0)
		evt_batch_note(&r->batch, 0, "an empty connection");
}

/* "name: value\n" lines with names in lower case, as the HTTP server hands them over. */
static void take_headers(struct decode_run *r, const struct json *headers)
{
	buf_clear(&r->headers);
	for (const struct json *h = headers != NULL ? headers->first : NULL; h != NULL; h = h->next) {
		for (size_t i = 0; i < h->key.n; i++) {
			char c = h->key.p[i];
			buf_char(&r->headers, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
		}
		buf_str(&r->headers, ": ");
		size_t from = r->headers.n;
		buf_adds(&r->headers, json_text(h));
		if (slice_ieq(h->key, SLICE("content-type")))
			r->env.content_type = json_text(h);
		for (size_t i = from; i < r->headers.n; i++)
			if (r->headers.p[i] == '\n' || r->headers.p[i] == '\r')
				r->headers.p[i] = ' ';
		buf_char(&r->headers, '\n');
	}
	r->env.headers = buf_slice(&r->headers);
}

/* {"headers": {}, "path": "", "body": base64} */
static bool take_request(struct decode_run *r, struct slice line, struct arena *a)
{
	struct error err;
	struct json *j = json_parse(a, line, JSON_LIMITS, NULL, &err);
	if (j == NULL || j->kind != JSON_OBJECT)
		return false;
	r->env.content_type = SLICE_NONE;
	take_headers(r, json_get(j, "headers"));
	r->env.path = json_text(json_get(j, "path"));
	return base64_decode(json_text(json_get(j, "body")), &r->payload);
}

static void decode_line(struct decode_run *r, struct slice line, struct arena *a)
{
	evt_batch_reset(&r->batch);
	arena_reset(a);
	bool ok = r->is_webhook ? take_request(r, line, a) : base64_decode(line, &r->payload);
	struct slice payload = r->payload.n > 0 ? buf_slice(&r->payload) : SLICE("");
	if (!ok)
		evt_batch_note(&r->batch, SIZE_MAX, "the input line is not %s",
		               r->is_webhook ? "a request in JSON" : "base64");
	else if (r->is_stream)
		decode_stream(r, payload);
	else
		decode_payload(r, payload);
	print_batch(r);
}

static void decode_lines(struct decode_run *r, FILE *in)
{
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;
	struct arena *a = arena_new(0);
	evt_batch_init(&r->batch);
	while ((n = getline(&text, &cap, in)) >= 0)
		decode_line(r, slice_trim(slice_of(text, (size_t)n)), a);
	evt_batch_free(&r->batch);
	buf_free(&r->payload);
	buf_free(&r->reply);
	buf_free(&r->line);
	buf_free(&r->headers);
	arena_free(a);
	free(text);
}

/* ---- arguments */

/* Seconds east of UTC at `now`; an unknown name is UTC to the C library, hence refused by its file. */
static bool zone_offset(const char *name, instant now, int *out)
{
	time_t t = (time_t)(now / SECOND);
	struct tm tm;
	if (strstr(name, "..") != NULL || name[0] == '/' || setenv("TZ", name, 1) != 0)
		return false;
	tzset();
	if (localtime_r(&t, &tm) == NULL)
		return false;
	*out = (int)tm.tm_gmtoff;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_profile(struct webhook_profiles *p, const char *dir, const char *name, struct findings *f)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct buf text = {0};
	char block[4096];
	FILE *file = fopen(path, "re");
	if (file == NULL)
		findings_add(f, FINDING_ERROR, "E092", path, (struct mark){0}, SLICE_NONE, "cannot read '%s'",
		             path);
	for (size_t n;
	     file != NULL && text.n <= MAX_PAYLOAD && (n = fread(block, 1, sizeof block, file)) > 0;)
		buf_add(&text, block, n);
	int rc = file != NULL ? webhook_profile_add(p, path, buf_slice(&text), f) : -1;
	if (file != NULL)
		fclose(file);
	buf_free(&text);
	free(path);
	return rc;
}

static int load_profiles(struct webhook_profiles *p, const char *dir)
{
	char *names[512];
	size_t n = 0;
	int rc = 0;
	struct findings f = {0};
	DIR *d = opendir(dir);
	if (d == NULL) {
		fprintf(stderr,
		        "carillonctl: cannot read the webhook profiles in %s; name their folder with "
		        "--profiles\n",
		        dir);
		return -1;
	}
	for (struct dirent *e; n < ARRAY_LEN(names) && (e = readdir(d)) != NULL;)
		if (slice_ends(slice_str(e->d_name), SLICE(".yaml")) && e->d_name[0] != '.')
			names[n++] = xstrdup(e->d_name);
	closedir(d);
	qsort(names, n, sizeof *names, compare_names);
	for (size_t i = 0; i < n; i++) {
		if (add_profile(p, dir, names[i], &f) != 0)
			rc = -1;
		free(names[i]);
	}
	struct buf text = {0};
	findings_text(&f, &text);
	if (text.n > 0)
		fwrite(text.p, 1, text.n, stderr);
	buf_free(&text);
	findings_clear(&f);
	return rc;
}

static int usage(void)
{
	fputs("usage: carillonctl decode syslog [--stream] [--now RFC3339] [--zone IANA]\n"
	      "       carillonctl decode snmptrap [--now RFC3339] [--users FILE]\n"
	      "       carillonctl decode webhook --profile NAME|auto [--profiles DIR] [--now RFC3339]\n",
	      stderr);
	return 2;
}

struct decode_args {
	const char *profile, *profiles, *zone, *users, *now;
	bool stream;
};

static bool read_args(int argc, char **argv, struct decode_args *a)
{
	for (int i = 2; i < argc; i++) {
		const char **to = strcmp(argv[i], "--profile") == 0    ? &a->profile
		                  : strcmp(argv[i], "--profiles") == 0 ? &a->profiles
		                  : strcmp(argv[i], "--zone") == 0     ? &a->zone
		                  : strcmp(argv[i], "--users") == 0    ? &a->users
		                  : strcmp(argv[i], "--now") == 0      ? &a->now
		                                                       : NULL;
		if (strcmp(argv[i], "--stream") == 0) {
			a->stream = true;
			continue;
		}
		if (to == NULL || i + 1 >= argc)
			return false;
		*to = argv[++i];
	}
	return true;
}

static int run_webhook(struct decode_run *r, const struct decode_args *a, FILE *in)
{
	struct error err;
	struct webhook_profiles *p = webhook_profiles_new();
	int rc = 2;
	if (load_profiles(p, a->profiles) == 0) {
		r->settings = webhook_settings_new(p, a->profile, &err);
		if (r->settings ==
		    NULL) /* an unknown name acts as auto, so that scripts can name the product they have */
			r->settings = webhook_settings_new(p, "auto", &err);
		if (r->settings != NULL) {
			decode_lines(r, in);
			rc = 0;
		}
		free(r->settings);
	}
	webhook_profiles_free(p);
	return rc;
}

static bool read_whole(const char *path, struct buf *out)
{
	char block[4096];
	FILE *file = fopen(path, "re");
	size_t n;
	while (file != NULL && out->n <= MAX_PAYLOAD && (n = fread(block, 1, sizeof block, file)) > 0)
		buf_add(out, block, n);
	bool ok = file != NULL && ferror(file) == 0;
	if (file != NULL)
		fclose(file);
	return ok;
}

/* The file here is a plain one: who may run this may read it or not. */
static int run_snmptrap(struct decode_run *r, const struct decode_args *a, FILE *in)
{
	struct snmptrap_settings *s = snmptrap_settings_new(NULL, 0);
	struct buf users = {0};
	struct error err;
	int rc = 0;
	if (a->users != NULL && !read_whole(a->users, &users))
		rc = error_set(&err, "it cannot be read");
	else if (a->users != NULL)
		rc = snmptrap_settings_users(s, users.n > 0 ? buf_slice(&users) : SLICE(""), &err);
	if (rc != 0)
		fprintf(stderr, "carillonctl: the users file '%s': %s\n", a->users, err.text);
	r->decoder = &snmptrap_decoder;
	r->settings = s;
	if (rc == 0)
		decode_lines(r, in);
	if (users.p != NULL)
		explicit_bzero(users.p, users.cap);
	buf_free(&users);
	snmptrap_settings_free(s);
	return rc == 0 ? 0 : 2;
}

int ctl_decode(const char *profiles_dir, int argc, char **argv, FILE *in, FILE *out)
{
	struct decode_args a = {.profiles = profiles_dir};
	struct decode_run r = {.out = out, .env = {.raw_mode = true, .max_event = MAX_PAYLOAD}};
	if (argc < 2 || !read_args(argc, argv, &a))
		return usage();
	r.env.received = loop_wall();
	if ((a.now != NULL && !instant_parse(slice_str(a.now), &r.env.received)) ||
	    (a.zone != NULL && !zone_offset(a.zone, r.env.received, &r.env.zone_offset)))
		return usage();
	if (strcmp(argv[1], "webhook") == 0) {
		/* nobody knows when a stored body was received: a lease in it is not judged by today's clock
		 */
		if (a.now == NULL)
			r.env.received = INSTANT_NONE;
		r.decoder = &webhook_decoder;
		r.is_webhook = true;
		return run_webhook(&r, &a, in);
	}
	if (strcmp(argv[1], "syslog") == 0) {
		r.decoder = &syslog_decoder;
		r.is_stream = a.stream;
		r.env.max_event = MAX_SYSLOG;
	} else if (strcmp(argv[1], "snmptrap") == 0) {
		return run_snmptrap(&r, &a, in);
	} else {
		return usage();
	}
	decode_lines(&r, in);
	return 0;
}
