/* Frames from a broken peer: the parser stays inside and asks for what it needs, and a channel fed with the
 * same octets delivers exactly the frames before the first broken one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096 };

struct seen {
	size_t frames, octets;
	bool closed;
};

/* Without a descriptor: a frame that claims one is broken. */
static struct seen expect(const char *in, size_t n)
{
	struct seen s = {0};
	for (size_t at = 0;;) {
		struct frame h;
		struct slice payload;
		size_t need = 0;
		int64_t len = channel_parse(slice_of(in + at, n - at), &h, &payload, &need);
		BUG_ON(len > (int64_t)(n - at) || (len > 0 && (len % 8 != 0 || len < (int64_t)sizeof h)));
		BUG_ON(len == 0 && (need <= n - at || need > FRAME_MAX));
		if (len <= 0 || (h.flags & CHANNEL_FLAG_FD) != 0)
			return s;
		BUG_ON(payload.n > 0 && (payload.p < in + at || payload.p + payload.n > in + n));
		BUG_ON((uintptr_t)payload.p % 8 != 0);
		at += (size_t)len;
		s.frames++;
		s.octets += payload.n;
	}
}

static void on_frame(struct channel *c, const struct frame *head, struct slice payload, int fd, void *arg)
{
	struct seen *s = arg;
	(void)c;
	BUG_ON(fd >= 0 || head->size < sizeof *head);
	s->frames++;
	s->octets += payload.n;
}

static void on_closed(struct channel *c, void *arg)
{
	struct seen *s = arg;
	(void)c;
	s->closed = true;
}

static const struct channel_events events = {.frame = on_frame, .closed = on_closed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2];
	struct error err;
	struct seen got = {0};
	size = MIN(size, (size_t)INPUT_MAX);
	char *in = xmalloc(size + (size == 0)); /* aligned */
	if (size > 0)
		memcpy(in, data, size);
	struct seen want = expect(in, size);
	struct loop *l = loop_new();
	int rc = channel_pair(fds, &err);
	BUG_ON(rc != 0);
	struct channel *c = channel_new(l, fds[0], &events, &got);
	ssize_t n = send(fds[1], in, size, MSG_NOSIGNAL);
	BUG_ON(n != (ssize_t)size);
	close(fds[1]);
	while (!got.closed)
		loop_once(l, SECOND);
	BUG_ON(got.frames != want.frames || got.octets != want.octets);
	channel_free(c);
	loop_free(l);
	free(in);
	return 0;
}
