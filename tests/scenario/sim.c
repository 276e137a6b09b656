/* sim [--from SEED] [--seeds N] [--seconds S] [--keep-going]: runs N seeds from SEED on. Prints each failing
 * seed with what was wrong and the shortest plan that still fails so. Exit status 1 if one failed. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
	volatile uint64_t seed, done, steps;
	char wrong[400];
	bool failed, trace;
};

static void make(struct run *r, struct plan *p, uint64_t seed, const struct bench *b)
{
	struct dice d = {sim_mix(seed)};
	*r = (struct run){.b = b, .seed = seed};
	world_make(&r->world[0], &d);
	world_change(&r->world[1], &r->world[0], &d);
	plan_make(p, &r->world[0], &d);
}

static bool run_one(const struct bench *b, uint64_t seed, const bool *keep, struct shared *s)
{
	static struct run r;
	static struct plan p;
	make(&r, &p, seed, b);
	r.trace = s->trace;
	const char *wrong = run_plan(&r, &p, keep);
	s->steps += r.n_journal;
	if (wrong != NULL) {
		memcpy(s->wrong, r.wrong, sizeof s->wrong);
		s->failed = true;
	}
	run_close(&r);
	world_close(&r.world[0]);
	world_close(&r.world[1]);
	return wrong == NULL;
}

/* In a process of its own: it may stop. */
static bool fails(const struct bench *b, uint64_t seed, const bool *keep, struct shared *s)
{
	int status = 0;
	s->failed = false;
	snprintf(s->wrong, sizeof s->wrong, "stopped");
	fflush(stdout);
	pid_t pid = fork();
	BUG_ON(pid < 0);
	if (pid == 0) {
		(void)run_one(b, seed, keep, s);
		_exit(s->failed ? 1 : 0);
	}
	BUG_ON(waitpid(pid, &status, 0) != pid);
	return status != 0;
}

/* Two failures are the same when they are told in the same words, names and numbers aside. */
static void kind_of(const char *wrong, char out[400])
{
	const char *p = strstr(wrong, " s: ");
	size_t n = 0;
	for (p = p != NULL ? p + 4 : wrong; *p != '\0' && n + 1 < 400; p++)
		if (*p >= 'a' && *p <= 'z')
			out[n++] = *p;
	out[n] = '\0';
	out[MIN(n, (size_t)25)] = '\0';
}

static const char *const words[] = {"event",  "command", "rules",  "map", "restart",
                                    "reload", "weather", "person", "jump"};

static void shrink(const struct bench *b, uint64_t seed, struct shared *s)
{
	static struct run r;
	static struct plan p;
	bool keep[ACTS_MAX], trial[ACTS_MAX];
	char wanted[400], kind[400], last[400];
	memset(keep, true, sizeof keep);
	kind_of(s->wrong, wanted);
	memcpy(last, s->wrong, sizeof last);
	make(&r, &p, seed, b);
	for (uint32_t chunk = MAX(p.n / 2, 1u); chunk > 0; chunk /= 2)
		for (uint32_t at = 0; at < p.n; at += chunk) {
			memcpy(trial, keep, sizeof trial);
			bool less = false;
			for (uint32_t k = at; k < MIN(at + chunk, p.n); k++) {
				less = less || trial[k];
				trial[k] = false;
			}
			if (!less || !fails(b, seed, trial, s))
				continue;
			kind_of(s->wrong, kind);
			if (strcmp(kind, wanted) != 0)
				continue;
			memcpy(keep, trial, sizeof keep);
			memcpy(last, s->wrong, sizeof last);
		}
	printf("  shrunk: %s\n", last);
	for (uint32_t k = 0; k < p.n; k++)
		if (keep[k])
			printf("  %8.1f s %-8s node %u check %u what %x peer %u\n",
			       (double)p.v[k].at / (double)SECOND, words[p.v[k].kind], p.v[k].node,
			       p.v[k].check, p.v[k].what, p.v[k].peer);
	world_close(&r.world[0]);
	world_close(&r.world[1]);
}

static void work(const struct bench *b, uint64_t from, uint64_t to, struct shared *s)
{
	bool all[ACTS_MAX];
	memset(all, true, sizeof all);
	for (uint64_t seed = from; seed < to; seed++) {
		s->seed = seed;
		if (!run_one(b, seed, all, s)) {
			fflush(stdout);
			_exit(1);
		}
		s->done++;
	}
	exit(0); /* leaks are told */
}

static uint64_t number(int argc, char **argv, const char *name, uint64_t otherwise)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return strtoull(argv[i + 1], NULL, 10);
	return otherwise;
}

static bool option(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t from = number(argc, argv, "--from", 1), to = from + number(argc, argv, "--seeds", 100),
	         failures = 0;
	uint64_t seconds = number(argc, argv, "--seconds", 1000000);
	time_t begin = time(NULL);
	BUG_ON(s == MAP_FAILED);
	s->trace = option(argc, argv, "--trace");
	log_level(LOG_LEVEL_ERROR);
	bench_open(&b);
	for (uint64_t seed = from; seed < to && (uint64_t)(time(NULL) - begin) < seconds;) {
		uint64_t end = MIN(seed + 50, to);
		int status = 0;
		fflush(stdout);
		snprintf(s->wrong, sizeof s->wrong, "stopped");
		pid_t pid = fork();
		BUG_ON(pid < 0);
		if (pid == 0)
			work(&b, seed, end, s);
		BUG_ON(waitpid(pid, &status, 0) != pid);
		if (status == 0) {
			seed = end;
			continue;
		}
		failures++;
		printf("seed %llu: %s\n", (unsigned long long)s->seed, s->wrong);
		seed = s->seed + 1;
		if (!option(argc, argv, "--no-shrink"))
			shrink(&b, seed - 1, s);
		if (!option(argc, argv, "--keep-going"))
			break;
	}
	printf("%llu seeds, %llu steps, %llu failed\n", (unsigned long long)(s->done + failures),
	       (unsigned long long)s->steps, (unsigned long long)failures);
	return failures > 0;
}
