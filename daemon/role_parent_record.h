/* The parent's part of recording: it opens the segments, which intake may not, and keeps them within size and age. */
#ifndef CARILLON_ROLE_PARENT_RECORD_H
#define CARILLON_ROLE_PARENT_RECORD_H

#include "role_parent.h"

struct parent_record;

struct parent_record *parent_record_new(struct parent *p);
void parent_record_free(struct parent_record *r);
void parent_record_intake(struct parent_record *r, struct child *c); /* it has started: what it is to do */
void parent_record_next(struct parent_record *r, struct child *c);   /* it asks for the next file */
void parent_record_config(struct parent_record *r);                  /* after a reload */
/* {"do": "start" | "stop" | "list"} of front; the answer goes back under `id`. */
void parent_record_command(struct parent_record *r, uint64_t id, struct slice payload);

#endif
