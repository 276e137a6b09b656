/* Promises cells in memory shared by all roles, found once and then added to without a lock, and their
 * Prometheus text. Must not know who counts what: only the table of help texts names metrics
 * (observability.md section 1). A slot is claimed with one compare-and-swap and never given back; a role that
 * dies between claim and ready costs a slot. */
#include "base/counter.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/hmap.h"

enum { NAME_ROOM = 64, LABELS_ROOM = 176, PATIENCE = 10000 };
enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_READY };

struct row {
	_Atomic uint32_t state;
	char name[NAME_ROOM];
	char labels[LABELS_ROOM];
	_Atomic uint64_t value;
};

struct counters {
	size_t rows, bytes;
	_Atomic uint64_t overflow;
	struct row v[];
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
static const char *const type_names[] = {"counter", "gauge", "histogram"};

static const struct metric {
	const char *name;
	enum metric_type type;
	const char *help;
} metrics[] = {
    {"carillon_build_info", METRIC_GAUGE, "Always 1; the labels say what runs."},
    {"carillon_events_received_total", METRIC_COUNTER, "Events that arrived."},
    {"carillon_events_dropped_total", METRIC_COUNTER, "Events that were not taken, by reason."},
    {"carillon_shadow_events_total", METRIC_COUNTER, "Events offered to the shadow rules."},
    {"carillon_shadow_dropped_total", METRIC_COUNTER, "Events that the shadow rules did not get, for want of time or room."},
    {"carillon_record_payloads_total", METRIC_COUNTER, "Payloads that were recorded."},
    {"carillon_record_bytes_total", METRIC_COUNTER, "Octets of the recordings as written."},
    {"carillon_record_skipped_total", METRIC_COUNTER, "Payloads that were not recorded: above record.max_rate, or the disk."},
    {"carillon_record_gaps_total", METRIC_COUNTER, "Pauses of the recording."},
    {"carillon_record_withheld_total", METRIC_COUNTER, "Payloads not recorded because a secret could not be taken out."},
    {"carillon_events_unwanted_total", METRIC_COUNTER, "Events that no rule wants."},
    {"carillon_events_accepted_total", METRIC_COUNTER, "Events that were journaled."},
    {"carillon_events_repeated_total", METRIC_COUNTER, "Events that were offered again and were there already."},
    {"carillon_syslog_repeats_total", METRIC_COUNTER, "Events made of \"last message repeated N times\"."},
    {"carillon_syslog_repeats_cut_total", METRIC_COUNTER, "Such repeats that were not made, above 10,000 or the sender's rate."},
    {"carillon_event_bytes_total", METRIC_COUNTER, "Octets of the events that arrived."},
    {"carillon_event_latency_seconds", METRIC_HISTOGRAM, "Time from arrival to the end of a stage."},
    {"carillon_events_unresolved_total", METRIC_COUNTER, "Events whose service is not on the map."},
    {"carillon_event_clock_skew_total", METRIC_COUNTER,
     "Events whose own time was too far off to be believed."},
    {"carillon_queue_events", METRIC_GAUGE, "Events waiting in a queue."},
    {"carillon_connections", METRIC_GAUGE, "Open connections of a listener."},
    {"carillon_tls_expires_timestamp_seconds", METRIC_GAUGE, "When the certificate of a listener expires."},
    {"carillon_rule_matches_total", METRIC_COUNTER, "Events that fit a rule."},
    {"carillon_rule_alerts_total", METRIC_COUNTER, "Alerts that a rule opened."},
    {"carillon_rule_eval_seconds_total", METRIC_COUNTER, "Time spent on a rule."},
    {"carillon_rule_keys", METRIC_GAUGE, "Keys that a rule remembers."},
    {"carillon_rule_keys_evicted_total", METRIC_COUNTER, "Keys that a rule forgot because it had too many."},
    {"carillon_rule_key_missing_total", METRIC_COUNTER, "Events that fit but lack a field of 'by'."},
    {"carillon_decoder_misses_total", METRIC_COUNTER,
     "Events that matched a decoder but none of its patterns."},
    {"carillon_alerts", METRIC_GAUGE, "Alerts by state."},
    {"carillon_alerts_muted_total", METRIC_COUNTER, "Alerts that were muted by a rule or a silence."},
    {"carillon_incidents", METRIC_GAUGE, "Incidents by state and priority."},
    {"carillon_incidents_opened_total", METRIC_COUNTER, "Incidents that opened."},
    {"carillon_incidents_reopened_total", METRIC_COUNTER, "Incidents that came back within reopen_within."},
    {"carillon_incidents_merged_total", METRIC_COUNTER,
     "Incidents that were found to have the cause of another."},
    {"carillon_ticket_requests_total", METRIC_COUNTER, "Requests to ticket systems, by outcome."},
    {"carillon_ticket_request_seconds", METRIC_HISTOGRAM, "Time that ticket systems took to answer."},
    {"carillon_ticket_outbox_entries", METRIC_GAUGE, "Ticket operations not done yet."},
    {"carillon_ticket_outbox_oldest_timestamp_seconds", METRIC_GAUGE, "When the oldest of them was decided."},
    {"carillon_ticket_outbox_parked", METRIC_GAUGE, "Ticket operations that were given up and wait for a person."},
    {"carillon_ticket_breaker_open", METRIC_GAUGE,
     "1 while a ticket system gets no requests because it fails."},
    {"carillon_map_services", METRIC_GAUGE, "Services on the map."},
    {"carillon_map_needs", METRIC_GAUGE, "Dependencies on the map."},
    {"carillon_map_dangling", METRIC_GAUGE, "Dependencies on services that are not on the map."},
    {"carillon_map_last_sync_timestamp_seconds", METRIC_GAUGE,
     "When the map was last known to be up to date."},
    {"carillon_map_last_sync_successful", METRIC_GAUGE, "1 if the last attempt to read the map worked."},
    {"carillon_redis_up", METRIC_GAUGE, "1 while Redis answers."},
    {"carillon_redis_reconnects_total", METRIC_COUNTER, "Connections to Redis that had to be made again."},
    {"carillon_config_last_reload_successful", METRIC_GAUGE, "1 if the last reload was taken."},
    {"carillon_config_last_reload_timestamp_seconds", METRIC_GAUGE, "When a reload was last taken."},
    {"carillon_state_bytes", METRIC_GAUGE, "Octets on disk, by store."},
    {"carillon_state_write_seconds", METRIC_HISTOGRAM, "Time of writes to disk, by store."},
    {"carillon_engine_loop_seconds", METRIC_HISTOGRAM, "Time of one turn of the engine."},
    {"carillon_core_turn_monotonic_seconds", METRIC_GAUGE, "When core last turned, on the monotonic clock."},
    {"carillon_role_restarts_total", METRIC_COUNTER, "Roles that ended and were started again."},
    {"carillon_counters_overflow_total", METRIC_COUNTER, "Counts that found no row of their own."},
    {"process_cpu_seconds_total", METRIC_COUNTER, "CPU time of all roles."},
    {"process_max_fds", METRIC_GAUGE, "File descriptors that one role may open."},
    {"process_open_fds", METRIC_GAUGE, "Open file descriptors of all roles."},
    {"process_resident_memory_bytes", METRIC_GAUGE, "Resident memory of all roles."},
    {"process_start_time_seconds", METRIC_GAUGE, "When the daemon was started."},
    {"process_virtual_memory_bytes", METRIC_GAUGE, "Address space of all roles."},
};

struct counters *counters_new(size_t rows)
{
	BUG_ON(rows == 0 || rows > SIZE_MAX / 2 / sizeof(struct row));
	size_t bytes = sizeof(struct counters) + rows * sizeof(struct row);
	struct counters *c = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		bug_stop("no memory for counters", __FILE__, __LINE__);
	c->rows = rows;
	c->bytes = bytes;
	return c;
}

void counters_free(struct counters *c)
{
	if (c != NULL)
		munmap(c, c->bytes);
}

static uint32_t state_of(const struct row *r)
{
	return atomic_load_explicit(&r->state, memory_order_acquire);
}

static size_t home_of(const struct counters *c, struct slice name, struct slice labels)
{
	return (size_t)((hash_stable(name) * 31 + hash_stable(labels)) % c->rows);
}

/* Another role is filling the row in; it may also have died there. */
static bool wait_ready(const struct row *r)
{
	for (int i = 0; i < PATIENCE && state_of(r) == SLOT_CLAIMED; i++)
		sched_yield();
	return state_of(r) == SLOT_READY;
}

static bool row_is(const struct row *r, struct slice name, struct slice labels)
{
	return slice_is(name, r->name) && slice_is(labels, r->labels);
}

static bool claim(struct row *r, struct slice name, struct slice labels)
{
	uint32_t expected = SLOT_FREE;
	if (!atomic_compare_exchange_strong(&r->state, &expected, SLOT_CLAIMED))
		return false;
	memcpy(r->name, name.p, name.n);
	memcpy(r->labels, labels.p, labels.n);
	atomic_store_explicit(&r->state, SLOT_READY, memory_order_release);
	return true;
}

_Atomic uint64_t *counter(struct counters *c, const char *name, const char *labels)
{
	struct slice n = slice_str(name), l = slice_str(labels != NULL ? labels : "");
	BUG_ON(n.n == 0 || n.n >= NAME_ROOM);
	if (DOUBT(l.n >= LABELS_ROOM))
		return &c->overflow;
	size_t home = home_of(c, n, l);
	for (size_t k = 0; k < c->rows; k++) {
		struct row *r = &c->v[(home + k) % c->rows];
		if (state_of(r) == SLOT_FREE && claim(r, n, l))
			return &r->value;
		if (wait_ready(r) && row_is(r, n, l))
			return &r->value;
	}
	return &c->overflow;
}

uint64_t counter_read(const struct counters *c, const char *name, const char *labels)
{
	struct slice n = slice_str(name), l = slice_str(labels != NULL ? labels : "");
	size_t home = home_of(c, n, l);
	for (size_t k = 0; k < c->rows; k++) {
		const struct row *r = &c->v[(home + k) % c->rows];
		uint32_t state = state_of(r);
		if (state == SLOT_FREE)
			return 0;
		if (state == SLOT_READY && row_is(r, n, l))
			return atomic_load_explicit(&r->value, memory_order_relaxed);
	}
	return 0;
}

uint64_t counter_sum(const struct counters *c, const char *name)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < c->rows; i++)
		if (state_of(&c->v[i]) == SLOT_READY && strcmp(c->v[i].name, name) == 0)
			sum += atomic_load_explicit(&c->v[i].value, memory_order_relaxed);
	return sum;
}

static const struct metric *metric_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
		if (slice_is(name, metrics[i].name))
			return &metrics[i];
	return NULL;
}

/* x_bucket, x_sum and x_count of a histogram x stand under x; everything else under its own name. */
static struct slice family_of(const char *name)
{
	static const char *const parts[] = {"_bucket", "_sum", "_count"};
	struct slice s = slice_str(name);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct slice part = slice_str(parts[i]);
		if (!slice_ends(s, part))
			continue;
		struct slice base = slice_sub(s, 0, s.n - part.n);
		const struct metric *m = metric_find(base);
		if (m != NULL && m->type == METRIC_HISTOGRAM)
			return base;
	}
	return s;
}

/* Buckets stand in the order of their numbers: "le" is the last label and is compared as one. */
static int labels_cmp(const char *a, const char *b)
{
	const char *la = strstr(a, "le=\""), *lb = strstr(b, "le=\"");
	if (la == NULL || lb == NULL || la - a != lb - b || strncmp(a, b, (size_t)(la - a)) != 0)
		return strcmp(a, b);
	double va = strtod(la + 4, NULL), vb = strtod(lb + 4, NULL);
	return va < vb ? -1 : va > vb;
}

static int row_cmp(const void *pa, const void *pb)
{
	const struct row *a = *(const struct row *const *)pa, *b = *(const struct row *const *)pb;
	int d = slice_cmp(family_of(a->name), family_of(b->name));
	if (d == 0)
		d = strcmp(a->name, b->name);
	return d != 0 ? d : labels_cmp(a->labels, b->labels);
}

/* All rows that are ready, sorted; malloc'd. */
static const struct row **rows_sorted(const struct counters *c, size_t *n)
{
	const struct row **v = xcalloc(c->rows, sizeof *v);
	*n = 0;
	for (size_t i = 0; i < c->rows; i++)
		if (state_of(&c->v[i]) == SLOT_READY)
			v[(*n)++] = &c->v[i];
	qsort(v, *n, sizeof *v, row_cmp);
	return v;
}

static void put_head(struct buf *out, struct slice family)
{
	const struct metric *m = metric_find(family);
	enum metric_type type = slice_ends(family, SLICE("_total")) ? METRIC_COUNTER : METRIC_GAUGE;
	if (m != NULL)
		buf_printf(out, "# HELP %s %s\n", m->name, m->help);
	buf_printf(out, "# TYPE " SLICE_FMT " %s\n", SLICE_ARG(family),
	           type_names[m != NULL ? m->type : type]);
}

static void put_row(struct buf *out, const char *name, const char *labels, uint64_t v)
{
	struct slice s = slice_str(name);
	buf_str(out, name);
	if (labels[0] != '\0')
		buf_printf(out, "{%s}", labels);
	if (slice_ends(s, SLICE("_seconds_total")) || slice_ends(s, SLICE("_seconds_sum")))
		buf_printf(out, " %llu.%06llu\n", (unsigned long long)(v / 1000000),
		           (unsigned long long)(v % 1000000));
	else
		buf_printf(out, " %llu\n", (unsigned long long)v);
}

void counters_text(const struct counters *c, struct buf *out)
{
	size_t n;
	const struct row **v = rows_sorted(c, &n);
	struct slice family = SLICE_NONE;
	for (size_t i = 0; i < n; i++) {
		struct slice own = family_of(v[i]->name);
		if (!slice_eq(own, family))
			put_head(out, own);
		family = own;
		put_row(out, v[i]->name, v[i]->labels,
		        atomic_load_explicit(&v[i]->value, memory_order_relaxed));
	}
	uint64_t over = atomic_load_explicit(&c->overflow, memory_order_relaxed);
	if (over > 0) {
		put_head(out, SLICE("carillon_counters_overflow_total"));
		put_row(out, "carillon_counters_overflow_total", "", over);
	}
	free(v);
}

void counters_each(const struct counters *c,
                   void (*fn)(const char *name, const char *labels, uint64_t v, void *arg), void *arg)
{
	size_t n;
	const struct row **v = rows_sorted(c, &n);
	for (size_t i = 0; i < n; i++)
		fn(v[i]->name, v[i]->labels, atomic_load_explicit(&v[i]->value, memory_order_relaxed), arg);
	free(v);
}
