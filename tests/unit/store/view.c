/* View rows: what a reader in another process sees while the writer is at work. */
#include "t.h"

#include <sys/wait.h>

struct list {
	struct buf text; /* "id|parent|state|json " */
};

static void on_view(void *arg, const struct view_row *r)
{
	struct list *l = arg;
	buf_printf(&l->text, SLICE_FMT "|" SLICE_FMT "|" SLICE_FMT "|" SLICE_FMT " ", SLICE_ARG(r->id),
	           SLICE_ARG(r->parent), SLICE_ARG(r->state), SLICE_ARG(r->json));
}

static struct view_reader *reader_up(const struct dir *d)
{
	struct error err;
	struct view_reader *v = view_reader_open(d->path, &err);
	if (v == NULL)
		fail_msg("%s", err.text);
	return v;
}

static void expect(struct view_reader *v, const struct view_query *q, const char *want)
{
	struct list l = {0};
	struct error err = {0};
	int n = view_reader_query(v, q, on_view, &l, &err);
	assert_true(n >= 0);
	assert_string_equal(buf_cstr(&l.text), want);
	buf_free(&l.text);
}

static void put(struct store *s, enum view_kind kind, const char *id, const char *parent, const char *state,
                const char *json)
{
	struct view_row r = {.kind = kind,
	                     .id = slice_str(id),
	                     .parent = slice_str(parent),
	                     .state = slice_str(state),
	                     .updated = 5,
	                     .json = slice_str(json)};
	store_view(s, &r);
}

/* Puts a marker and waits until the reader sees it: all before it is written too. */
static void settle(struct store *s, struct view_reader *v, const char *mark)
{
	struct error err;
	put(s, VIEW_META, "mark", NULL, NULL, mark);
	struct list l = {0};
	struct view_query q = {.kind = VIEW_META, .id = SLICE("mark")};
	WAIT_FOR(s, (buf_clear(&l.text), view_reader_query(v, &q, on_view, &l, &err) == 1 &&
	                                     strstr(buf_cstr(&l.text), mark) != NULL));
	buf_free(&l.text);
}

static void rows_are_seen(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	dir_make(&d);
	struct store *s = store_up(&d, 0, &r);
	struct view_reader *v = reader_up(&d);
	put(s, VIEW_INCIDENT, "I1", NULL, "open", "{1}");
	put(s, VIEW_INCIDENT, "I2", NULL, "resolved", "{2}");
	put(s, VIEW_INCIDENT, "I3", NULL, "open", "{0}");
	put(s, VIEW_INCIDENT, "I3", NULL, "open", "{3}"); /* only the last of one id is written */
	put(s, VIEW_LOG, "I1/000001", "I1", "", "a");
	put(s, VIEW_LOG, "I1/000002", "I1", "", "b");
	put(s, VIEW_LOG, "I10/000001", "I10", "", "c");
	put(s, VIEW_ALERT, "A%_'", "I1", "open", "{}");
	settle(s, v, "m1");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT}, "I1||open|{1} I2||resolved|{2} I3||open|{3} ");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT, .newest_first = true, .limit = 2},
	       "I3||open|{3} I2||resolved|{2} ");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT, .newest_first = true, .after = SLICE("I2")},
	       "I1||open|{1} ");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT, .state = SLICE("open"), .after = SLICE("I1")},
	       "I3||open|{3} ");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT, .id = SLICE("I2")}, "I2||resolved|{2} ");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT, .id = SLICE("I")}, "");
	expect(v, &(struct view_query){.kind = VIEW_LOG, .id = SLICE("I1/"), .prefix = true},
	       "I1/000001|I1||a I1/000002|I1||b ");
	expect(v, &(struct view_query){.kind = VIEW_LOG, .parent = SLICE("I10")}, "I10/000001|I10||c ");
	expect(v, &(struct view_query){.kind = VIEW_ALERT, .id = SLICE("A%"), .prefix = true},
	       "A%_'|I1|open|{} ");
	expect(v, &(struct view_query){.kind = VIEW_ALERT, .id = SLICE("' OR 1=1 --")}, "");
	put(s, VIEW_INCIDENT, "I2", NULL, NULL, NULL); /* gone */
	put(s, VIEW_INCIDENT, "I1", NULL, "resolved", "{9}");
	settle(s, v, "m2");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT}, "I1||resolved|{9} I3||open|{3} ");
	put(s, VIEW_INCIDENT, "I4", NULL, "open", "{4}");
	store_view_clear(s);
	put(s, VIEW_INCIDENT, "I5", NULL, "open", "{5}");
	settle(s, v, "m3");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT}, "I5||open|{5} ");
	store_close(s);
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT},
	       "I5||open|{5} "); /* core is down: the rows stay */
	s = store_up(&d, 0, &r);
	put(s, VIEW_INCIDENT, "I6", NULL, "open", "{6}");
	settle(s, v, "m4");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT}, "I5||open|{5} I6||open|{6} ");
	view_reader_close(v);
	store_close(s);
	dir_remove(&d);
}

static void no_state_yet(void **state)
{
	(void)state;
	struct dir d;
	struct error err;
	dir_make(&d);
	assert_null(view_reader_open(d.path, &err));
	assert_non_null(strstr(err.text, "state.db"));
	assert_false(dir_has(&d, "state.db")); /* a reader makes nothing */
	dir_remove(&d);
}

/* Another process: every query sees both rows of a pair or neither. */
static void read_pairs(const struct dir *d, int go)
{
	char b;
	struct error err;
	struct view_reader *v = view_reader_open(d->path, &err);
	if (v == NULL || read(go, &b, 1) != 1)
		_exit(2);
	for (int i = 0; i < 2000; i++) {
		struct list l = {0};
		struct view_query q = {.kind = VIEW_INCIDENT};
		int n = view_reader_query(v, &q, on_view, &l, &err);
		char a[16] = "", c[16] = "";
		if (n == 2 && sscanf(buf_cstr(&l.text), "A||s|%15s B||s|%15s", a, c) != 2)
			_exit(3);
		if (n < 0 || n == 1 || strcmp(a, c) != 0)
			_exit(4);
		bool last = strcmp(a, "999") == 0;
		buf_free(&l.text);
		if (last)
			_exit(0);
	}
	_exit(0);
}

static void another_process_reads(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	int go[2], status;
	dir_make(&d);
	store_close(store_up(&d, 0, &r));
	assert_int_equal(pipe(go), 0);
	pid_t pid = fork();
	if (pid == 0)
		read_pairs(&d, go[0]);
	struct store *s = store_up(&d, 0, &r);
	assert_int_equal(write(go[1], "g", 1), 1);
	for (uint64_t i = 1; i < 1000; i++) {
		char json[16];
		snprintf(json, sizeof json, "%d", (int)i);
		put(s, VIEW_INCIDENT, "A", NULL, "s", json);
		put(s, VIEW_INCIDENT, "B", NULL, "s", json);
		add_row(s, i, "x");
		if (i % 20 == 0)
			WAIT_FOR(s, store_committed(s) == i);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	store_close(s);
	close(go[0]);
	close(go[1]);
	dir_remove(&d);
}

static void aged(struct store *s, enum view_kind kind, const char *id, const char *parent, const char *state, instant updated)
{
	struct view_row r = {.kind = kind,
	                     .id = slice_str(id),
	                     .parent = slice_str(parent),
	                     .state = slice_str(state),
	                     .updated = updated,
	                     .json = SLICE("{}")};
	store_view(s, &r);
}

/* What has ended long ago goes; what is open, or changed since, or belongs to what stays, does not. */
static void rows_are_purged(void **state)
{
	(void)state;
	struct dir d;
	struct recovered r;
	dir_make(&d);
	struct store *s = store_up(&d, 0, &r);
	struct view_reader *v = reader_up(&d);
	aged(s, VIEW_INCIDENT, "A1", NULL, "closed", 10);
	aged(s, VIEW_INCIDENT, "A2", NULL, "open", 10);
	aged(s, VIEW_INCIDENT, "A3", NULL, "closed", 90);
	aged(s, VIEW_INCIDENT, "C1", NULL, "closed", 10);
	aged(s, VIEW_LOG, "A1/1", "A1", "", 10);
	aged(s, VIEW_LOG, "A2/1", "A2", "", 10);
	aged(s, VIEW_OUTBOX, "1", "A1", "done", 10);
	settle(s, v, "m1");
	store_view_purge(s, &(struct view_purge){.kind = VIEW_INCIDENT, .state = SLICE("closed"), .below = SLICE("B"), .before = 50});
	store_view_purge(s, &(struct view_purge){.kind = VIEW_LOG, .below = SLICE("B"), .before = 50});
	store_view_purge(s, &(struct view_purge){.kind = VIEW_OUTBOX, .before = INSTANT_NONE});
	aged(s, VIEW_OUTBOX, "2", "A2", "new", 20); /* handed over behind it: stays */
	settle(s, v, "m2");
	expect(v, &(struct view_query){.kind = VIEW_INCIDENT}, "A2||open|{} A3||closed|{} C1||closed|{} ");
	expect(v, &(struct view_query){.kind = VIEW_LOG}, "A2/1|A2||{} ");
	expect(v, &(struct view_query){.kind = VIEW_OUTBOX}, "2|A2|new|{} ");
	/* an alert that outlives its incident keeps its place */
	aged(s, VIEW_ALERT, "L1", "A1", "open", 10);
	settle(s, v, "m3");
	aged(s, VIEW_ALERT, "L1", NULL, "closed", 20);
	settle(s, v, "m4");
	expect(v, &(struct view_query){.kind = VIEW_ALERT}, "L1|A1|closed|{} ");
	struct error err;
	add_row(s, 1, "x");
	assert_int_equal(store_stop(s, &err), 0);
	assert_int_equal(store_committed(s), 1);
	view_reader_close(v);
	store_close(s);
	dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_seen),
	    cmocka_unit_test(rows_are_purged),
	    cmocka_unit_test(no_state_yet),
	    cmocka_unit_test(another_process_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
