/* Channels: order, size, padding, descriptors, back-pressure, rubbish, and a peer that goes. */
#include "t.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/channel.h"

struct side {
	struct channel *c;
	uint64_t next; /* expected seq */
	size_t frames, batches, octets;
	int fds, closed, drained, free_at;
	bool pause_at_ten;
	char last[64];
};

static void on_frame(struct channel *c, const struct frame *h, struct slice payload, int fd, void *arg)
{
	struct side *s = arg;
	assert_ptr_equal(c, s->c);
	assert_int_equal((uintptr_t)payload.p % 8, 0);
	assert_int_equal(h->seq, s->next++);
	s->frames++;
	s->octets += payload.n;
	if (payload.n < sizeof s->last) {
		memcpy(s->last, payload.p, payload.n);
		s->last[payload.n] = '\0';
	}
	if (fd >= 0) {
		s->fds++;
		assert_int_equal(write(fd, "x", 1), 1);
		close(fd);
	}
	if (s->pause_at_ten && s->frames == 10)
		channel_pause(c, true);
	if (s->free_at > 0 && s->frames == (size_t)s->free_at) {
		channel_free(c);
		s->c = NULL;
	}
}

static void on_batch(struct channel *c, void *arg)
{
	struct side *s = arg;
	(void)c;
	s->batches++;
}

static void on_closed(struct channel *c, void *arg)
{
	struct side *s = arg;
	s->closed++;
	channel_free(c);
	s->c = NULL;
}

static void on_drained(struct channel *c, void *arg)
{
	struct side *s = arg;
	(void)c;
	s->drained++;
}

static const struct channel_events events = {on_frame, on_batch, on_closed, on_drained};

struct pair {
	struct loop *loop;
	struct side a, b;
};

static void pair_open(struct pair *p)
{
	int fds[2];
	struct error err;
	memset(p, 0, sizeof *p);
	p->loop = loop_new();
	assert_int_equal(channel_pair(fds, &err), 0);
	p->a.c = channel_new(p->loop, fds[0], &events, &p->a);
	p->b.c = channel_new(p->loop, fds[1], &events, &p->b);
}

static void pair_close(struct pair *p)
{
	channel_free(p->a.c);
	channel_free(p->b.c);
	loop_free(p->loop);
}

static void sizes_and_order(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	char *big = calloc(1, 3 << 20);
	size_t sum = 0;
	for (size_t i = 0; i < 2000; i++) {
		size_t n = i % 37;
		channel_send(p.a.c, FRAME_EVENT, i, slice_of(big, n));
		sum += n;
	}
	channel_send(p.a.c, FRAME_SOURCES, 2000, slice_of(big, 3 << 20));
	channel_send(p.a.c, FRAME_REPLY, 2001, SLICE("{\"ok\":true}"));
	assert_true(channel_backlog(p.a.c) > 3 << 20);
	RUN_UNTIL(p.loop, p.b.frames == 2002);
	assert_int_equal(p.b.octets, sum + (3 << 20) + 11);
	assert_string_equal(p.b.last, "{\"ok\":true}");
	assert_int_equal(p.a.drained, 1);
	assert_int_equal(channel_backlog(p.a.c), 0);
	assert_true(p.b.batches > 0 && p.b.batches < 200);
	free(big);
	pair_close(&p);
}

static void descriptors(void **state)
{
	(void)state;
	struct pair p;
	int pipes[2];
	pair_open(&p);
	assert_int_equal(pipe(pipes), 0);
	for (uint64_t i = 0; i < 40; i++) {
		if (i % 4 == 0)
			channel_send_fd(p.a.c, FRAME_PEER, i, SLICE("{}"), pipes[1]);
		else
			channel_send(p.a.c, FRAME_ACK, i, SLICE_NONE);
	}
	RUN_UNTIL(p.loop, p.b.frames == 40);
	char b[16];
	assert_int_equal(p.b.fds, 10);
	assert_int_equal(read(pipes[0], b, sizeof b), 10);
	close(pipes[0]);
	close(pipes[1]);
	pair_close(&p);
}

static void back_pressure(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	p.b.pause_at_ten = true;
	for (uint64_t i = 0; i < 100; i++)
		channel_send(p.a.c, FRAME_EVENT, i, SLICE("01234567"));
	RUN_UNTIL(p.loop, p.b.frames >= 10);
	loop_once(p.loop, 2 * MSEC);
	assert_int_equal(p.b.frames, 10);
	channel_pause(p.b.c, false);
	RUN_UNTIL(p.loop, p.b.frames == 100);
	pair_close(&p);
}

static void peer_goes(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	channel_send(p.a.c, FRAME_EVENT, 0, SLICE("last words"));
	channel_flush(p.a.c, SECOND);
	channel_free(p.a.c);
	p.a.c = NULL;
	channel_send(p.b.c, FRAME_ACK, 0, SLICE_NONE); /* to nobody */
	RUN_UNTIL(p.loop, p.b.closed == 1);
	assert_int_equal(p.b.frames, 1);
	assert_string_equal(p.b.last, "last words");
	pair_close(&p);
}

static void freed_inside(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	p.b.free_at = 3;
	for (uint64_t i = 0; i < 10; i++)
		channel_send(p.a.c, FRAME_EVENT, i, SLICE("x"));
	RUN_UNTIL(p.loop, p.b.c == NULL);
	assert_int_equal(p.b.frames, 3);
	RUN_UNTIL(p.loop, p.a.closed == 1);
	pair_close(&p);
}

static void rubbish(const void *bytes, size_t n)
{
	int fds[2];
	struct error err;
	struct side s = {0};
	struct loop *l = loop_new();
	assert_int_equal(channel_pair(fds, &err), 0);
	s.c = channel_new(l, fds[0], &events, &s);
	assert_int_equal(send(fds[1], bytes, n, 0), n);
	RUN_UNTIL(l, s.closed == 1);
	assert_int_equal(s.frames, 0);
	close(fds[1]);
	loop_free(l);
}

static void rubbish_closes(void **state)
{
	(void)state;
	const struct frame bad[] = {
	    {.size = 8, .kind = FRAME_EVENT},                            /* shorter than its header */
	    {.size = 17, .kind = FRAME_EVENT},                           /* no multiple of 8 */
	    {.size = FRAME_MAX + 8, .kind = FRAME_EVENT},                /* too long */
	    {.size = 16, .kind = FRAME_NONE},                            /* no kind */
	    {.size = 16, .kind = INPUT_MAP},                             /* only for the journal */
	    {.size = 16, .kind = FRAME_EVENT, .flags = 3},               /* padding of nothing */
	    {.size = 16, .kind = FRAME_EVENT, .flags = 0x0100},          /* unknown flag */
	    {.size = 16, .kind = FRAME_EVENT, .flags = CHANNEL_FLAG_FD}, /* a descriptor that is not there */
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		rubbish(&bad[i], sizeof bad[i]);
}

static void flush_waits(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	char *big = calloc(1, 3 << 20);
	for (uint64_t i = 0; i < 4; i++)
		channel_send(p.a.c, FRAME_SOURCES, i, slice_of(big, 3 << 20));
	channel_flush(p.a.c, 20 * MSEC); /* nobody reads: ends all the same */
	assert_true(channel_backlog(p.a.c) > 0);
	RUN_UNTIL(p.loop, p.b.frames == 4);
	free(big);
	pair_close(&p);
}

/* What a peer said before it ended is heard, at once and even while paused; then comes its end. */
static void drained_at_the_end(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	for (uint64_t i = 0; i < 3; i++)
		channel_send(p.a.c, FRAME_READY, i, SLICE("why"));
	channel_flush(p.a.c, SECOND);
	channel_pause(p.b.c, true);
	channel_drain(p.b.c); /* a living peer: nothing is waited for */
	assert_int_equal(p.b.frames, 3);
	assert_int_equal(p.b.closed, 0);
	channel_send(p.a.c, FRAME_READY, 3, SLICE("last"));
	channel_flush(p.a.c, SECOND);
	channel_free(p.a.c);
	p.a.c = NULL;
	channel_drain(p.b.c);
	assert_int_equal(p.b.frames, 4);
	assert_string_equal(p.b.last, "last");
	assert_int_equal(p.b.closed, 1);
	assert_null(p.b.c);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_and_order), cmocka_unit_test(descriptors),
	    cmocka_unit_test(back_pressure),   cmocka_unit_test(peer_goes),
	    cmocka_unit_test(freed_inside),    cmocka_unit_test(rubbish_closes),
	    cmocka_unit_test(flush_waits),
	    cmocka_unit_test(drained_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
