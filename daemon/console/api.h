/* The read half of the admin API (cli.md section 5): requests to JSON, from the view rows and the counters. It changes
 * nothing: what changes state is a command to core, and the front role sends it. */
#ifndef CARILLON_CONSOLE_API_H
#define CARILLON_CONSOLE_API_H

#include "base/counter.h"
#include "model/config.h"
#include "store/store.h"

#define API_READINGS 61u

struct api {
	const char *state_dir;
	const struct config *config;   /* of the running generation */
	struct counters *counters;
	struct view_reader *views;     /* opened on first use; api_close */
	struct buf map_state;          /* JSON from mapper; empty: nothing heard yet */
	instant now, started;
	instant mono;                  /* monotonic */
	uint32_t generation;
	struct api_reading {           /* of the counters, one a second: a ring */
		instant mono;
		uint64_t received, accepted, unwanted;
	} readings[API_READINGS];
	size_t n_readings;             /* ever taken */
};
struct api_answer {
	int status;                    /* 0: this path is none of these */
	const char *type;
	struct buf body;
};

/* GET of something that only the engine can tell: the question for engine_ask into `json`. False: the path is none of
 * these. api_ask.c */
bool api_ask(struct slice path, struct slice query, struct buf *json);
/* Once a second: what `rates` of the status are worked out from. */
void api_tick(struct api *a, instant mono);
void api_close(struct api *a);
/* GET. `path` decoded, `query` as sent. The caller frees answer->body. */
void api_get(struct api *a, struct slice path, struct slice query, struct api_answer *answer);
/* RFC 9457. */
void api_problem(struct api_answer *answer, int status, const char *fmt, ...) PRINTF(3, 4);
/* One value of a query string, percent-decoded into `out`; false if it is not there. */
bool api_query(struct slice query, const char *name, struct buf *out);

#endif
