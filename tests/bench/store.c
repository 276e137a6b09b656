/* Figures of the store: durable rows per second as fast as they go, commit latency at 10,000 rows a second,
 * and the time to recover. Usage: bench-store [DIRECTORY [ROWS]]; the directory decides which disk is
 * measured. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/store.h"

enum { PAYLOAD = 200, RATE = 10000, PACED_SECONDS = 5, BACKLOG_MAX = 200000 };

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static int on_snapshot(void *arg, uint64_t seq, struct slice blob, struct error *err)
{
	(void)arg;
	(void)seq;
	(void)blob;
	(void)err;
	return 0;
}

static int on_row(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload, struct error *err)
{
	uint64_t *octets = arg;
	(void)seq;
	(void)at;
	(void)kind;
	(void)err;
	*octets += payload.n;
	return 0;
}

static struct store *up(const char *dir, uint64_t *last)
{
	struct error err;
	uint64_t octets = 0;
	struct store_options o = {.dir = dir, .commit = 5 * MSEC};
	struct store_recovery r = {.snapshot = on_snapshot, .row = on_row, .arg = &octets};
	int64_t from = now_us();
	struct store *s = store_open(&o, &err);
	if (s == NULL || store_recover(s, &r, &err) != 0 || store_start(s, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	if (r.rows > 0)
		printf("recover          %10.0f rows in %.3f s\n", (double)r.rows,
		       (double)(now_us() - from) / 1e6);
	*last = r.last;
	return s;
}

static void wait_commit(struct store *s, int ms)
{
	struct pollfd p = {.fd = store_notify_fd(s), .events = POLLIN};
	(void)poll(&p, 1, ms);
	store_notify_clear(s);
	if (store_failed(s, NULL)) {
		fprintf(stderr, "the store has failed\n");
		exit(1);
	}
}

static uint64_t as_fast_as_it_goes(struct store *s, uint64_t seq, uint64_t n)
{
	char payload[PAYLOAD];
	memset(payload, 'x', sizeof payload);
	int64_t from = now_us(), cpu = cpu_us();
	for (uint64_t i = 0; i < n; i++) {
		store_append(s, ++seq, 0, 1, slice_of(payload, sizeof payload));
		while (store_backlog(s) > BACKLOG_MAX)
			wait_commit(s, 100);
	}
	while (store_committed(s) < seq)
		wait_commit(s, 100);
	double took = (double)(now_us() - from) / 1e6;
	printf("append, durable  %10.0f rows/s  (%.2f us CPU per row)\n", (double)n / took,
	       (double)(cpu_us() - cpu) / (double)n);
	return seq;
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static uint64_t paced(struct store *s, uint64_t seq)
{
	char payload[PAYLOAD] = {0};
	const size_t n = (size_t)RATE * PACED_SECONDS;
	int64_t *took = xcalloc(n, sizeof *took), from = now_us();
	uint64_t first = seq + 1;
	size_t sent = 0, done = 0;
	while (done < n) {
		int64_t now = now_us();
		while (sent < n && (int64_t)sent * 1000000 / RATE <= now - from) {
			took[sent++] = now_us();
			store_append(s, ++seq, 0, 1, slice_of(payload, sizeof payload));
		}
		wait_commit(s, sent < n ? 1 : 100);
		now = now_us();
		for (; first + done <= store_committed(s) && done < n; done++)
			took[done] = now - took[done];
	}
	qsort(took, n, sizeof *took, by_value);
	printf("commit latency   p50 %.1f ms  p99 %.1f ms  max %.1f ms  at %d rows/s\n",
	       (double)took[n / 2] / 1e3, (double)took[n * 99 / 100] / 1e3, (double)took[n - 1] / 1e3, RATE);
	free(took);
	return seq;
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/carillon-bench-XXXXXX";
	const char *dir = argc > 1 ? argv[1] : mkdtemp(made);
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, last;
	if (dir == NULL)
		return 1;
	struct store *s = up(dir, &last);
	last = as_fast_as_it_goes(s, last, n);
	store_close(s);
	s = up(dir, &last);
	last = paced(s, last);
	store_close(s);
	if (argc < 2)
		printf("left behind: %s\n", dir);
	return 0;
}
