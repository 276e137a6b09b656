/* What was seen lately: a table of fixed size in memory that several processes share, and that may be a file
 * (then it outlives them). It remembers 64-bit keys; when a place is full the oldest is forgotten, so that a
 * flood makes it forgetful but never wrong: what it says it saw, it saw. A key that was only begun, by whom
 * has died since, is new again. */
#ifndef CARILLON_BASE_SEEN_H
#define CARILLON_BASE_SEEN_H

#include "base/instant.h"
#include "base/mem.h"

enum { SEEN_OWNERS = 64 };
enum seen_state { SEEN_NEW, SEEN_PENDING, SEEN_DONE };

struct seen;
struct seen *seen_new(int fd, size_t slots,
                      bool *fresh); /* MAP_SHARED; fd >= 0: a file, kept if it is one of ours, else
                                       made afresh. slots: a power of two. NULL: no memory */
void seen_free(struct seen *s);     /* NULL is fine */
/* NEW: it is marked as begun by `owner` now. PENDING: begun less than 10 s ago and not done. DONE: within
 * `window`. */
enum seen_state seen_begin(struct seen *s, uint64_t key, unsigned owner, instant now, duration window);
void seen_done(struct seen *s, uint64_t key, unsigned owner, instant now);
/* What `owner` noted is forgotten: whoever had this number is dead, and with it what it had not passed on. */
void seen_forget_owner(struct seen *s, unsigned owner);
void seen_sync(struct seen *s); /* asks the kernel to write the file; does not wait */

#endif
