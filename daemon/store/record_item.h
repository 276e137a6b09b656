/* One received payload, as a recording holds it (cli.md section 7): a JSON object on a line. */
#ifndef CARILLON_STORE_RECORD_ITEM_H
#define CARILLON_STORE_RECORD_ITEM_H

#include "base/arena.h"
#include "base/error.h"
#include "base/instant.h"

struct record_item {
	instant received;
	struct slice listener, transport, peer; /* transport: udp tcp http */
	struct slice path,
	    headers;      /* http: absent if not known; headers as "name: value\n", names in lower case */
	struct slice raw; /* one datagram, one frame without its framing, one HTTP body */
	bool end;         /* no payload: the clock moves to `received` */
	bool gap;         /* no payload: what came from here to the next item was not recorded */
};

/* Reads one line; everything decoded lives in `a`. -1 with err: it is no such line. */
int record_item_parse(struct arena *a, struct slice line, struct record_item *out,
                      struct error *err) MUST_CHECK;
void record_item_write(const struct record_item *it, struct buf *out); /* a line with its newline */

#endif
