/* What every test of store needs: cmocka, a private directory, a store in it, and a wait for the writer. */
#ifndef TESTS_UNIT_STORE_T_H
#define TESTS_UNIT_STORE_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

struct dir {
	char path[64];
};

static UNUSED void dir_make(struct dir *d)
{
	strcpy(d->path, "/tmp/carillon-store-XXXXXX");
	assert_non_null(mkdtemp(d->path));
}

static UNUSED void dir_remove(const struct dir *d)
{
	char cmd[128];
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", d->path);
	assert_int_equal(system(cmd), 0);
}

static UNUSED char *dir_file(const struct dir *d, const char *name)
{
	return xasprintf("%s/%s", d->path, name);
}

static UNUSED bool dir_has(const struct dir *d, const char *name)
{
	struct stat st;
	char *path = dir_file(d, name);
	bool is = stat(path, &st) == 0;
	free(path);
	return is;
}

/* Waits for the writer until `cond` holds. */
#define WAIT_FOR(store, cond)                                                                                \
	do {                                                                                                 \
		for (int i_ = 0; !(cond); i_++) {                                                            \
			struct pollfd p_ = {.fd = store_notify_fd(store), .events = POLLIN};                 \
			if (i_ > 10000)                                                                      \
				fail_msg("never happened: %s", #cond);                                       \
			(void)poll(&p_, 1, 2);                                                               \
			store_notify_clear(store);                                                           \
		}                                                                                            \
	} while (0)

/* What recovery gave. */
struct recovered {
	uint64_t snapshot_seq, first, last, rows;
	bool has_snapshot;
	char snapshot[64];
	struct buf payloads; /* of rows shorter than 64 octets: text and '\n' */
	uint64_t stop_at;
};

static UNUSED int on_snapshot(void *arg, uint64_t seq, struct slice blob, struct error *err)
{
	struct recovered *r = arg;
	(void)err;
	r->snapshot_seq = seq;
	r->has_snapshot = blob.p != NULL;
	snprintf(r->snapshot, sizeof r->snapshot, SLICE_FMT, SLICE_ARG(blob));
	return 0;
}

static UNUSED int on_row(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload, struct error *err)
{
	struct recovered *r = arg;
	if (seq == r->stop_at)
		return error_set(err, "stopped at %d", (int)seq);
	assert_int_equal((uintptr_t)payload.p % 8, 0);
	assert_int_equal(at, (instant)seq * SECOND);
	assert_int_equal(kind, seq % 60);
	assert_true(r->rows == 0 || seq == r->last + 1);
	r->first = r->rows == 0 ? seq : r->first;
	r->last = seq;
	r->rows++;
	if (payload.n < 64) {
		buf_adds(&r->payloads, payload);
		buf_char(&r->payloads, '\n');
	}
	return 0;
}

static UNUSED int recover(struct store *s, struct recovered *r, struct store_recovery *rec, struct error *err)
{
	*rec = (struct store_recovery){.snapshot = on_snapshot, .row = on_row, .arg = r};
	return store_recover(s, rec, err);
}

/* Opens, recovers and starts. */
static UNUSED struct store *store_up(const struct dir *d, uint64_t segment_rows, struct recovered *r)
{
	struct store_options o = {.dir = d->path, .commit = MSEC, .segment_rows = segment_rows};
	struct store_recovery rec;
	struct error err = {0};
	memset(r, 0, sizeof *r);
	struct store *s = store_open(&o, &err);
	if (s == NULL)
		fail_msg("%s", err.text);
	if (recover(s, r, &rec, &err) != 0 || store_start(s, &err) != 0)
		fail_msg("%s", err.text);
	return s;
}

static UNUSED void add_row(struct store *s, uint64_t seq, const char *text)
{
	store_append(s, seq, (instant)seq * SECOND, (uint16_t)(seq % 60), slice_str(text));
}

#endif
