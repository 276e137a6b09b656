/* Typed channels of flat frames between roles: a stream socket pair, frames of model/frame.h, optionally a descriptor
 * with a frame. Both ends are our own processes, yet sizes and kinds are checked: a broken peer closes the channel.
 * On the wire a payload is padded to 8; frame.flags says how many octets of padding, and whether a descriptor comes. */
#ifndef CARILLON_NET_CHANNEL_H
#define CARILLON_NET_CHANNEL_H

#include "base/error.h"
#include "model/frame.h"
#include "net/loop.h"

struct channel;

enum { CHANNEL_FLAG_PAD = 0x0007, CHANNEL_FLAG_FD = 0x8000 };

/* Pure, for tests and fuzzing: the first frame of `in` (8-byte aligned). How many octets it takes; 0: more are needed
 * (*need: how many in total); -1: no frame of ours. The payload points into `in`, without its padding. */
int64_t channel_parse(struct slice in, struct frame *head, struct slice *payload, size_t *need);

struct channel_events {
	/* fd >= 0: a descriptor that came with the frame; the callee owns it. The payload is 8-byte aligned and borrowed. */
	void (*frame)(struct channel *c, const struct frame *head, struct slice payload, int fd, void *arg);
	void (*batch)(struct channel *c, void *arg);  /* after the last frame of one read; may be NULL */
	void (*closed)(struct channel *c, void *arg); /* the peer is gone or sent rubbish; free it from here or later */
	void (*drained)(struct channel *c, void *arg); /* everything is written; may be NULL */
};

int channel_pair(int fds[2], struct error *err) MUST_CHECK; /* socketpair, CLOEXEC, non-blocking, large buffers */
struct channel *channel_new(struct loop *l, int fd, const struct channel_events *ev, void *arg); /* owns fd */
void channel_free(struct channel *c);                        /* allowed inside its own callbacks; NULL is fine */
void channel_send(struct channel *c, uint16_t kind, uint64_t seq, struct slice payload); /* queued; written once a turn */
void channel_send_fd(struct channel *c, uint16_t kind, uint64_t seq, struct slice payload, int fd); /* dup'ed; if that
                                  cannot be, the frame is lost and logged */
size_t channel_backlog(const struct channel *c);             /* octets not yet written */
void channel_pause(struct channel *c, bool paused);          /* stop reading: back-pressure */
/* Delivers what a peer that has ended left behind, then its end. Never waits; only outside the channel's callbacks, which
 * may free it. Pauses do not count. */
void channel_drain(struct channel *c);
/* Blocking until all is written or the peer is gone, at most `max`: for the end of a role. */
void channel_flush(struct channel *c, duration max);

#endif
