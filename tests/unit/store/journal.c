/* The journal: what is committed comes back in order; snapshots, segments, damage, kept files, failures. */
#include "t.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <signal.h>

static void rows_come_back(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	dir_make(&d);
	struct store *s = store_up(&d, 0, &r);
	assert_false(r.has_snapshot);
	assert_int_equal(r.rows, 0);
	assert_int_equal(store_committed(s), 0);
	add_row(s, 1, "one");
	add_row(s, 2, "");
	add_row(s, 3, "three");
	WAIT_FOR(s, store_committed(s) == 3);
	assert_int_equal(store_backlog(s), 0);
	add_row(s, 4, "four");
	store_close(s); /* writes the rest */
	s = store_up(&d, 0, &r);
	assert_int_equal(r.rows, 4);
	assert_string_equal(buf_cstr(&r.payloads), "one\n\nthree\nfour\n");
	assert_int_equal(store_committed(s), 4);
	buf_free(&r.payloads);
	add_row(s, 5, "five");
	store_close(s);
	s = store_up(&d, 0, &r);
	assert_int_equal(r.rows, 5);
	buf_free(&r.payloads);
	store_close(s);
	dir_remove(&d);
}

static void snapshot_stands_for_rows(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	dir_make(&d);
	struct store *s = store_up(&d, 10, &r);
	for (uint64_t i = 1; i <= 35; i++) {
		add_row(s, i, "row");
		if (i % 10 == 0)
			WAIT_FOR(s, store_committed(s) == i);
	}
	store_snapshot(s, 25, SLICE("at 25"), NULL, 0);
	WAIT_FOR(s, store_snapshot_seq(s) == 25);
	assert_false(dir_has(&d, "events-1.db"));
	assert_false(dir_has(&d, "events-11.db"));
	assert_true(dir_has(&d, "events-21.db"));
	assert_true(dir_has(&d, "events-31.db"));
	store_close(s);
	s = store_up(&d, 10, &r);
	assert_int_equal(r.snapshot_seq, 25);
	assert_string_equal(r.snapshot, "at 25");
	assert_int_equal(r.first, 26);
	assert_int_equal(r.rows, 10);
	buf_free(&r.payloads);
	store_snapshot(s, 34, SLICE("at 34"), NULL, 0);
	store_snapshot(s, 35, SLICE(""), NULL, 0);
	store_close(s);
	s = store_up(&d, 10, &r);
	assert_int_equal(r.snapshot_seq, 35);
	assert_true(r.has_snapshot);
	assert_int_equal(r.rows, 0);
	add_row(s, 36, "next");
	store_close(s);
	s = store_up(&d, 10, &r);
	assert_int_equal(r.first, 36);
	assert_int_equal(r.rows, 1);
	buf_free(&r.payloads);
	store_close(s);
	dir_remove(&d);
}

static void one_owner(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	dir_make(&d);
	struct store *s = store_up(&d, 0, &r);
	struct store_options o = {.dir = d.path, .commit = MSEC};
	assert_null(store_open(&o, &err));
	assert_non_null(strstr(err.text, "is in use by another carillond"));
	store_close(s);
	o.dir = "/proc/no-such-place/state";
	assert_null(store_open(&o, &err));
	dir_remove(&d);
}

static void stopped_recovery(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	struct store_recovery rec;
	dir_make(&d);
	struct store *s = store_up(&d, 0, &r);
	for (uint64_t i = 1; i <= 5; i++)
		add_row(s, i, "row");
	store_close(s);
	struct store_options o = {.dir = d.path, .commit = MSEC};
	s = store_open(&o, &err);
	memset(&r, 0, sizeof r);
	r.stop_at = 3;
	assert_int_equal(recover(s, &r, &rec, &err), -1);
	assert_string_equal(err.text, "stopped at 3");
	assert_int_equal(r.rows, 2);
	buf_free(&r.payloads);
	store_close(s);
	dir_remove(&d);
}

/* ---- damage */

static void sql(const struct dir *d, const char *file, const char *text)
{
	sqlite3 *db;
	char *path = dir_file(d, file);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
}

static void filled(const struct dir *d, uint64_t n, uint64_t segment_rows)
{
	struct recovered r;
	struct store *s = store_up(d, segment_rows, &r);
	for (uint64_t i = 1; i <= n; i++) {
		add_row(s, i, "a payload of some length");
		if (i % 10 == 0)
			WAIT_FOR(s, store_committed(s) == i);
	}
	store_close(s);
}

static int recovers(const struct dir *d, struct recovered *r, struct error *err)
{
	struct store_recovery rec;
	struct store_options o = {.dir = d->path, .commit = MSEC};
	memset(r, 0, sizeof *r);
	struct store *s = store_open(&o, err);
	int rc = s != NULL ? recover(s, r, &rec, err) : -1;
	store_close(s);
	buf_free(&r->payloads);
	return rc;
}

static void damage_at_the_end_is_cut(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	dir_make(&d);
	filled(&d, 20, 10);
	sql(&d, "events-11.db",
	    "UPDATE row SET data=CAST(replace(CAST(data AS TEXT),'x','y') AS BLOB) WHERE seq=20;"
	    "UPDATE row SET data=zeroblob(20) WHERE seq=20");
	assert_int_equal(recovers(&d, &r, &err), 0);
	assert_int_equal(r.last, 19);
	struct store *s = store_up(&d, 10, &r);
	buf_free(&r.payloads);
	assert_int_equal(store_committed(s), 19);
	add_row(s, 20, "again");
	store_close(s);
	assert_int_equal(recovers(&d, &r, &err), 0);
	assert_int_equal(r.last, 20);
	dir_remove(&d);
}

static void damage_inside_is_an_error(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	dir_make(&d);
	filled(&d, 20, 10);
	sql(&d, "events-1.db",
	    "UPDATE row SET data=zeroblob(40) WHERE seq=10"); /* the end, but not of the last segment */
	assert_int_equal(recovers(&d, &r, &err), -1);
	assert_string_equal(err.text, "journal row 10 is damaged: its checksum is wrong");
	dir_remove(&d);
	dir_make(&d);
	filled(&d, 20, 100);
	sql(&d, "events-1.db", "UPDATE row SET data=zeroblob(3) WHERE seq=7");
	assert_int_equal(recovers(&d, &r, &err), -1);
	assert_non_null(strstr(err.text, "row 7 is damaged"));
	dir_remove(&d);
	dir_make(&d);
	filled(&d, 20, 100);
	sql(&d, "events-1.db", "DELETE FROM row WHERE seq=7");
	assert_int_equal(recovers(&d, &r, &err), -1);
	assert_non_null(strstr(err.text, "no row 7 after 6"));
	dir_remove(&d);
	dir_make(&d);
	filled(&d, 30, 10);
	char *path = dir_file(&d, "events-11.db");
	assert_int_equal(unlink(path), 0);
	free(path);
	assert_int_equal(recovers(&d, &r, &err), -1);
	assert_non_null(strstr(err.text, "the journal has no row 11"));
	dir_remove(&d);
}

static void damaged_files_are_named(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	static const char *const files[] = {"state.db", "events-1.db"};
	for (size_t i = 0; i < 2; i++) {
		dir_make(&d);
		filled(&d, 200, 1000);
		char *path = dir_file(&d, files[i]), junk[3000];
		memset(junk, 0x5a, sizeof junk);
		int fd = open(path, O_WRONLY);
		assert_int_equal(pwrite(fd, junk, sizeof junk, 8192), sizeof junk);
		close(fd);
		assert_int_equal(recovers(&d, &r, &err), -1);
		assert_non_null(strstr(err.text, files[i]));
		free(path);
		dir_remove(&d);
	}
}

static void newer_format_is_refused(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	dir_make(&d);
	filled(&d, 3, 10);
	sql(&d, "state.db", "PRAGMA user_version=7");
	assert_int_equal(recovers(&d, &r, &err), -1);
	assert_non_null(strstr(err.text, "has format 7"));
	dir_remove(&d);
}

static void empty_segment_is_forgotten(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	dir_make(&d);
	filled(&d, 10, 10);
	char *path = dir_file(&d, "events-11.db");
	close(open(path, O_CREAT | O_WRONLY, 0640)); /* died before the first row */
	struct store *s = store_up(&d, 10, &r);
	assert_int_equal(r.rows, 10);
	buf_free(&r.payloads);
	add_row(s, 11, "x");
	store_close(s);
	s = store_up(&d, 10, &r);
	assert_int_equal(r.rows, 11);
	buf_free(&r.payloads);
	store_close(s);
	free(path);
	dir_remove(&d);
}

/* A write that the kernel refuses: nothing later is called committed. */
static void failure_is_final(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	struct rlimit old, low;
	dir_make(&d);
	struct store *s = store_up(&d, 0, &r);
	add_row(s, 1, "fits");
	WAIT_FOR(s, store_committed(s) == 1);
	assert_false(store_failed(s, &err));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	low = old;
	low.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	char *big = calloc(1, 200001);
	memset(big, 'x', 200000);
	add_row(s, 2, big);
	WAIT_FOR(s, store_failed(s, &err));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_true(err.text[0] != '\0');
	assert_int_equal(store_committed(s), 1);
	add_row(s, 3, "after"); /* would fit, but the order is broken */
	store_snapshot(s, 1, SLICE("x"), NULL, 0);
	store_close(s);
	s = store_up(&d, 0, &r);
	assert_int_equal(r.rows, 1);
	buf_free(&r.payloads);
	store_close(s);
	free(big);
	dir_remove(&d);
}

/* ---- files by hash */

static const char *hash_of(char c)
{
	static char h[4][65];
	static int i;
	char *p = h[i++ % 4];
	memset(p, c, 64);
	p[64] = '\0';
	return p;
}

static void files_by_hash(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	struct error err;
	struct buf b = {0};
	dir_make(&d);
	struct store *s = store_up(&d, 0, &r);
	const char *a = hash_of('a'), *c = hash_of('c');
	char name_a[80], name_c[80];
	snprintf(name_a, sizeof name_a, "rules-%s", a);
	snprintf(name_c, sizeof name_c, "map-%s", c);
	assert_int_equal(store_file_put(s, "rules", a, SLICE("the rules"), &err), 0);
	assert_int_equal(store_file_put(s, "rules", a, SLICE("the rules"), &err), 0);
	assert_int_equal(store_file_put(s, "rules", "../../etc/passwd", SLICE("x"), &err), -1);
	assert_int_equal(store_file_put(s, "../x", a, SLICE("x"), &err), -1);
	assert_int_equal(store_file_get(s, "rules", a, &b, &err), 0);
	assert_string_equal(buf_cstr(&b), "the rules");
	buf_free(&b);
	assert_int_equal(store_file_get(s, "map", a, &b, &err), -1);
	int fd = store_file_open(s, "rules", a, &err);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	add_row(s, 1, "x");
	store_snapshot(s, 1, SLICE("1"), NULL, 0); /* does not name it, but it is fresh */
	WAIT_FOR(s, store_snapshot_seq(s) == 1);
	assert_int_equal(store_file_put(s, "map", c, SLICE("the map"), &err), 0);
	add_row(s, 2, "x");
	store_snapshot(s, 2, SLICE("2"), NULL, 0); /* the one before kept a */
	WAIT_FOR(s, store_snapshot_seq(s) == 2);
	assert_true(dir_has(&d, name_a));
	add_row(s, 3, "x");
	store_snapshot(s, 3, SLICE("3"), &c, 1);
	WAIT_FOR(s, store_snapshot_seq(s) == 3);
	store_close(s);
	assert_false(dir_has(&d, name_a));
	assert_true(dir_has(&d, name_c));
	s = store_up(&d, 0, &r);
	add_row(s, 4, "x");
	store_snapshot(s, 4, SLICE("4"), NULL, 0); /* the first after a start removes nothing */
	store_close(s);
	assert_true(dir_has(&d, name_c));
	dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_come_back),
	    cmocka_unit_test(snapshot_stands_for_rows),
	    cmocka_unit_test(one_owner),
	    cmocka_unit_test(stopped_recovery),
	    cmocka_unit_test(damage_at_the_end_is_cut),
	    cmocka_unit_test(damage_inside_is_an_error),
	    cmocka_unit_test(damaged_files_are_named),
	    cmocka_unit_test(newer_format_is_refused),
	    cmocka_unit_test(empty_segment_is_forgotten),
	    cmocka_unit_test(failure_is_final),
	    cmocka_unit_test(files_by_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
