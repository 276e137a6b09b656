/* carillond --demo (firstrun.md section 1): a whole daemon in a temporary folder is fed through its real listeners, and the
 * terminal tells what it makes of it. The narrator uses nothing but the sockets and the API that everybody has. */
#ifndef CARILLON_ROLE_DEMO_H
#define CARILLON_ROLE_DEMO_H

#include <stdint.h>
#include <sys/types.h>

#include "base/instant.h"

int demo_run(int64_t seconds); /* 0: until Ctrl-C; the exit status */

/* role_demo_feed.c: what the demo sends, by the second. */
struct demo_feed {
	uint16_t syslog, traps, hooks; /* ports on 127.0.0.1 */
	int syslog_fd, traps_fd;
	unsigned next;                 /* row of the script */
	uint64_t noise;                /* lines sent */
};
void demo_feed_open(struct demo_feed *f);
/* Everything that is due at `at` after the start; noise at 300 lines a second. */
void demo_feed_run(struct demo_feed *f, duration at);
void demo_feed_close(struct demo_feed *f);
/* One request to 127.0.0.1:port, or to a unix socket when path is not NULL; the body of a 2xx answer. */
struct buf;
int demo_http(const char *unix_path, uint16_t port, const char *method, const char *target, const char *body, struct buf *out);

#endif
