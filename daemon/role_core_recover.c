/* Core's recovery: snapshot, then every journaled input after it, through the same engine_step as live.
 * Rule sets and maps that the journal names by hash are read back from the state directory. */
#include <stdlib.h>

#include "base/log.h"
#include "role_core.h"

#define BLOB_MAGIC 0x32657263u /* "cre2" */

void core_blob(const struct core *c, struct buf *out)
{
	buf_u32(out, BLOB_MAGIC);
	buf_lslice(out, slice_str(c->gen->hash));
	buf_lslice(out, slice_str(c->map->hash));
	buf_u32(out, CORE_INTAKES_MAX);
	for (size_t i = 0; i < CORE_INTAKES_MAX; i++) {
		buf_u32(out, c->high[i].epoch);
		buf_u64(out, c->high[i].seq);
	}
	engine_save(c->engine, out);
}

static struct core_gen *load_gen(struct core *c, struct slice hash, struct error *err)
{
	struct core_gen *g = NULL;
	struct buf bytes = {0};
	struct bundle b;
	char *name = slice_dup(hash);

	if (store_file_get(c->store, "rules", name, &bytes, err) == 0 && bundle_decode(buf_slice(&bytes), &b, err) == 0) {
		g = core_gen_new(&b, err);
		bundle_free(&b);
	}
	buf_free(&bytes);
	free(name);
	return g;
}

static struct role_map *load_map(struct core *c, struct slice hash, struct error *err)
{
	char *name;
	int fd;

	if (hash.n == 0)
		return role_map_open(-1, err);
	name = slice_dup(hash);
	fd = store_file_open(c->store, "map", name, err);
	free(name);
	return fd < 0 ? NULL : role_map_open(fd, err);
}

static int on_snapshot(void *arg, uint64_t seq, struct slice blob, struct error *err)
{
	struct core *c = arg;
	struct reader r = reader_of(blob);
	struct engine_setup setup;
	struct slice rules, map;
	uint32_t n;

	c->seq = seq;
	if (blob.p == NULL)
		return 0;
	if (read_u32(&r) != BLOB_MAGIC)
		return error_set(err, "the snapshot is of another version; start with an empty state directory or the version that wrote it");
	rules = read_lslice(&r);
	map = read_lslice(&r);
	n = read_u32(&r);
	for (uint32_t i = 0; r.ok && i < n; i++) {
		struct core_high high = {.epoch = read_u32(&r)};

		high.seq = read_u64(&r);
		if (i < CORE_INTAKES_MAX)
			c->high[i] = high;
	}
	if (!r.ok)
		return error_set(err, "the snapshot ends too early; restore the state directory from a backup");
	c->gen = load_gen(c, rules, err);
	c->map = c->gen != NULL ? load_map(c, map, err) : NULL;
	if (c->map == NULL)
		return -1;
	setup = core_setup(c);
	c->engine = engine_load(&setup, slice_of(blob.p + r.at, blob.n - r.at), err);
	return c->engine != NULL ? 0 : -1;
}

static int replay_start(struct core *c, struct slice payload, struct error *err)
{
	struct engine_setup setup;

	if (c->engine != NULL)
		return error_set(err, "the journal starts twice; restore the state directory from a backup");
	c->gen = load_gen(c, payload, err);
	c->map = c->gen != NULL ? load_map(c, SLICE_NONE, err) : NULL;
	if (c->map == NULL)
		return -1;
	setup = core_setup(c);
	c->engine = engine_new(&setup);
	return 0;
}

static int on_row(void *arg, uint64_t seq, instant at, uint16_t kind, struct slice payload, struct error *err)
{
	struct core *c = arg;
	struct engine_input in = {.seq = seq, .at = at, .kind = kind, .payload = payload};
	struct engine_setup setup;
	struct core_gen *former_gen = NULL;
	struct role_map *former_map = NULL;
	struct event_frame ev;

	if (kind == INPUT_START && replay_start(c, payload, err) != 0)
		return -1;
	if (c->engine == NULL)
		return error_set(err, "the journal has no beginning; restore the state directory from a backup");
	if (kind == INPUT_RULES) {
		struct core_gen *g = load_gen(c, payload, err);
		if (g == NULL)
			return -1;
		former_gen = c->gen;
		c->gen = g;
	} else if (kind == INPUT_MAP) {
		struct role_map *m = load_map(c, payload, err);
		if (m == NULL)
			return -1;
		former_map = c->map;
		c->map = m;
	} else if (kind == FRAME_EVENT && event_frame_decode(payload, &ev)) {
		(void)core_fresh(c, ev.head);
	}
	setup = core_setup(c);
	in.setup = &setup;
	engine_step(c->engine, &in, &c->fx);
	effects_reset(&c->fx);
	core_gen_free(former_gen);
	role_map_close(former_map);
	c->seq = seq;
	return 0;
}

int core_recover(struct core *c, struct error *err)
{
	struct store_options o = {.dir = c->role->state_dir, .commit = c->role->config->state.commit};
	struct store_recovery r = {.snapshot = on_snapshot, .row = on_row, .arg = c};
	instant began = loop_mono();

	c->store = store_open(&o, err);
	if (c->store == NULL)
		return -1;
	if (store_recover(c->store, &r, err) != 0)
		return -1;
	c->snapshot_seq = store_snapshot_seq(c->store);
	log_info("msg=\"state recovered\" rows=%llu seq=%llu ms=%lld", (unsigned long long)r.rows, (unsigned long long)c->seq,
	         (long long)((loop_mono() - began) / MSEC));
	return store_start(c->store, err);
}
