/* kill -9 at random moments: what was acknowledged is recovered, in order, with its content. */
#include "t.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { ROUNDS = 50, MAX_LIFE = 60 /* ms; its reports fit into the pipe */ };

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* What row `seq` must hold: length and octets follow from seed and number. */
static size_t payload_of(uint64_t seed, uint64_t seq, char out[1024])
{
	uint64_t r = mix(seed ^ seq);
	size_t n = r % 900;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(r >> (i % 8 * 8) ^ i);
	return n;
}

struct check {
	uint64_t seed, snapshot, last, rows;
	bool bad;
};

static int check_snapshot(void *arg, uint64_t seq, struct slice blob, struct error *err)
{
	struct check *c = arg;
	char text[32];
	(void)err;
	snprintf(text, sizeof text, "state after %llu", (unsigned long long)seq);
	c->snapshot = c->last = seq;
	c->bad |= seq > 0 && !slice_is(blob, text);
	return 0;
}

static int check_row(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload,
                     struct error *err)
{
	struct check *c = arg;
	char want[1024];
	size_t n = payload_of(c->seed, seq, want);
	(void)err;
	c->bad |= seq != c->last + 1 || at != (instant)mix(seq) || kind != (uint16_t)seq ||
	          !slice_eq(payload, slice_of(want, n));
	c->last = seq;
	c->rows++;
	return 0;
}

static struct store *up(const char *dir, struct check *c)
{
	struct error err;
	struct store_options o = {.dir = dir, .commit = MSEC, .segment_rows = 700};
	struct store_recovery rec = {.snapshot = check_snapshot, .row = check_row, .arg = c};
	struct store *s = store_open(&o, &err);
	if (s == NULL || store_recover(s, &rec, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		store_close(s);
		return NULL;
	}
	return s;
}

/* Appends for ever and reports what is committed. */
static void live(const char *dir, uint64_t seed, int report)
{
	char payload[1024];
	struct check c = {.seed = seed};
	struct error err;
	struct store *s = up(dir, &c);
	if (s == NULL || c.bad || store_start(s, &err) != 0)
		_exit(1);
	for (uint64_t seq = c.last + 1;; seq++) {
		size_t n = payload_of(seed, seq, payload);
		store_append(s, seq, (instant)mix(seq), (uint16_t)seq, slice_of(payload, n));
		struct view_row v = {
		    .kind = VIEW_ALERT, .id = slice_of(&seq, 2), .json = SLICE("{}"), .state = SLICE("open")};
		if (seq % 3 == 0)
			store_view(s, &v);
		if (mix(seq) % 300 == 0) {
			char text[32];
			snprintf(text, sizeof text, "state after %llu", (unsigned long long)seq);
			store_snapshot(s, seq, slice_str(text), NULL, 0);
		}
		if (mix(~seq) % 20 != 0)
			continue;
		struct pollfd p = {.fd = store_notify_fd(s), .events = POLLIN};
		(void)poll(&p, 1, store_backlog(s) > 500 ? 100 : 0);
		store_notify_clear(s);
		uint64_t done = store_committed(s);
		if (write(report, &done, sizeof done) != sizeof done)
			_exit(0);
	}
}

static uint64_t last_report(int fd)
{
	uint64_t v, last = 0;
	while (read(fd, &v, sizeof v) == sizeof v)
		last = v;
	return last;
}

/* One life: the highest number that was acknowledged. */
static uint64_t one_life(const struct dir *d, uint64_t seed, uint64_t round)
{
	int p[2], status;
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(p[0]);
		live(d->path, seed, p[1]);
	}
	close(p[1]);
	/* some die while they recover, most while they write */
	struct timespec t = {0, (long)(mix(seed + round) % (MAX_LIFE * 1000000))};
	nanosleep(&t, NULL);
	kill(pid, SIGKILL);
	uint64_t last = last_report(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status)); /* not ended by a failed check */
	close(p[0]);
	return last;
}

static void killed_at_any_moment(void **state)
{
	(void)state;
	struct dir d;
	uint64_t seed = (uint64_t)time(NULL), acknowledged = 0, most = 0;
	const char *given = getenv("CARILLON_SEED");
	if (given != NULL)
		seed = strtoull(given, NULL, 10);
	dir_make(&d);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t last = one_life(&d, seed, i);
		acknowledged = last > acknowledged ? last : acknowledged;
		struct check c = {.seed = seed};
		struct store *s = up(d.path, &c);
		if (s == NULL || c.bad || c.last < acknowledged)
			fail_msg("seed %llu round %llu: acknowledged %llu, recovered %llu%s",
			         (unsigned long long)seed, (unsigned long long)i,
			         (unsigned long long)acknowledged, (unsigned long long)c.last,
			         c.bad ? ", damaged" : "");
		most = c.last;
		store_close(s);
	}
	printf("seed %llu: %d kills, %llu rows, %llu acknowledged\n", (unsigned long long)seed, ROUNDS,
	       (unsigned long long)most, (unsigned long long)acknowledged);
	assert_true(acknowledged > 0);
	dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(killed_at_any_moment)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
