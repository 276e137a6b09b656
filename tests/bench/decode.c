/* Nanoseconds of CPU that the decoders take for one payload, without sockets: trap POOL FILE.mib… | syslog
 * POOL | webhook POOL FILE.yaml…; the profile is the first file's. A pool is payloads, each behind its length
 * (4 octets, little endian), as intake.py makes them. Prints the least of 20 rounds, which other people's
 * load disturbs least. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin.h"
#include "plugins/snmptrap/mib.h"

enum { ROUNDS = 20, FILE_MAX = 16 << 20 };

static struct slice file_text(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	buf_reserve(out, FILE_MAX);
	out->n = fread(out->p, 1, FILE_MAX, f);
	fclose(f);
	return buf_slice(out);
}

static bool next(struct slice *rest, struct slice *payload)
{
	const unsigned char *p = (const unsigned char *)rest->p;
	if (rest->n < 4)
		return false;
	size_t n = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	if (n > rest->n - 4)
		return false;
	*payload = slice_sub(*rest, 4, n);
	*rest = slice_sub(*rest, 4 + n, rest->n - 4 - n);
	return true;
}

static double cpu_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double round_of(const struct decoder *d, const void *settings, struct slice pool, struct evt_batch *b,
                       size_t *payloads, size_t *events)
{
	struct decode_env env = {.received = 1800000000LL * SECOND,
	                         .sender = SLICE("127.0.0.1"),
	                         .source = "bench",
	                         .max_event = 65536,
	                         .content_type = SLICE("application/json"),
	                         .path = SLICE("/")};
	struct buf reply = {0};
	struct slice payload;
	double began = cpu_now();
	*payloads = *events = 0;
	while (next(&pool, &payload)) {
		evt_batch_reset(b);
		(void)d->decode(settings, &env, payload, b, &reply);
		*payloads += 1;
		*events += b->n;
		reply.n = 0;
	}
	buf_free(&reply);
	return cpu_now() - began;
}

static const void *trap_settings(char **files, int n, struct findings *f)
{
	struct mib *m = mib_new();
	struct buf text = {0};
	for (int i = 0; i < n; i++)
		if (mib_add(m, files[i], file_text(files[i], &text), f) != 0)
			exit(1);
	mib_seal(m);
	buf_free(&text);
	struct snmptrap_settings *s = snmptrap_settings_new(NULL, 0);
	snmptrap_settings_mib(s, m);
	return s;
}

static const void *webhook_settings(char **files, int n, struct findings *f)
{
	struct webhook_profiles *p = webhook_profiles_new();
	struct error err;
	char name[128];
	for (int i = 0; i < n; i++) {
		struct buf text = {0};
		if (webhook_profile_add(p, files[i], file_text(files[i], &text), f) != 0)
			exit(1);
		buf_free(&text);
	}
	const char *base = n > 0 && strrchr(files[0], '/') != NULL ? strrchr(files[0], '/') + 1
	                   : n > 0                                 ? files[0]
	                                                           : "generic";
	snprintf(name, sizeof name, "%.*s", (int)strcspn(base, "."), base);
	void *s = webhook_settings_new(p, name, &err);
	if (s == NULL)
		fprintf(stderr, "%s\n", err.text);
	return s;
}

int main(int argc, char **argv)
{
	struct findings f = {0};
	struct evt_batch b;
	struct buf text = {0};
	size_t payloads = 0, events = 0;
	double least = 0;
	if (argc < 3) {
		fprintf(stderr, "see the head of decode.c\n");
		return 2;
	}
	bool trap = strcmp(argv[1], "trap") == 0, hook = strcmp(argv[1], "webhook") == 0;
	const struct decoder *d = trap ? &snmptrap_decoder : hook ? &webhook_decoder : &syslog_decoder;
	const void *settings = trap   ? trap_settings(argv + 3, argc - 3, &f)
	                       : hook ? webhook_settings(argv + 3, argc - 3, &f)
	                              : NULL;
	struct slice pool = file_text(argv[2], &text);
	evt_batch_init(&b);
	for (int i = 0; i < ROUNDS; i++) {
		double took = round_of(d, settings, pool, &b, &payloads, &events);
		least = i == 0 || took < least ? took : least;
	}
	printf("%s: %zu payloads, %zu events, %.0f ns a payload, %.0f ns an event\n", argv[1], payloads,
	       events, least / (double)payloads, events > 0 ? least / (double)events : 0.0);
	evt_batch_free(&b);
	return 0;
}
