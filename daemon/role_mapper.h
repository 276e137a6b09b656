/* What the files of the mapper role share. Mapper makes the service map: from YAML files at start and at each reload, or
 * from Redis, live. What it cannot trust it refuses, and the last good map stays (map.md). */
#ifndef CARILLON_ROLE_MAPPER_H
#define CARILLON_ROLE_MAPPER_H

#include "model/service_map.h"
#include "role.h"
#include "role_map.h"

struct mapper_redis;
struct mapper_tables;

struct mapper {
	struct role *role;
	struct secret password;
	struct buf hosts_text;        /* /etc/hosts, read before the sandbox closes */
	uint32_t services;            /* of the map in use: what min_ratio is measured against */
	char hash[65];
	instant good;                 /* when the last map was taken; INSTANT_NONE */
	struct mapper_redis *redis;
	struct mapper_tables *tables, *next_tables; /* of the rules; next: compiled, not running yet */
	char *error;                  /* of the map, as it was told last; NULL: it is good */
	struct loop_timer *again;     /* reconnect */
	char *said;                   /* the fault that was logged last; NULL after a success */
	bool ready;
	bool told;                    /* the state has been told at least once */
	bool may_read;                /* the map in use is known, or that there is none: now a new one may come */
};

/* Compiles a draft and hands it to the parent, or says why not. `from` names the source in messages. */
void mapper_publish(struct mapper *m, struct map_draft *d, const char *from, struct findings *f);
/* The source itself failed: the last good map serves on. */
void mapper_failed(struct mapper *m, const char *why);

/* Tells the state of map and tables again: something about the tables has changed. */
void mapper_tell(struct mapper *m);
/* A sealed file in memory with these bytes; -1 with err. */
int mapper_sealed(struct slice bytes, struct error *err) MUST_CHECK;

/* role_mapper_tables.c: the rules' Redis tables of a bundle; nothing is read before `start` */
struct mapper_tables *mapper_tables_new(struct mapper *m, const struct bundle *b, const struct config *config);
void mapper_tables_start(struct mapper_tables *t);
void mapper_tables_json(const struct mapper_tables *t, struct jw *w); /* "tables": {…} into an open object, if there are any */
void mapper_tables_free(struct mapper_tables *t);                     /* NULL is fine */

/* role_mapper_redis.c */
struct mapper_redis *mapper_redis_new(struct mapper *m);
void mapper_redis_free(struct mapper_redis *r); /* NULL is fine */

#endif
