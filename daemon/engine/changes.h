/* Planned changes of ticket systems: maintenance windows, and a sentence in the incident (tickets.md, issue
 * 6). */
#ifndef CARILLON_ENGINE_CHANGES_H
#define CARILLON_ENGINE_CHANGES_H

#include "engine/correlate.h"
#include "engine/save.h"

struct planned {
	char *destination, *id, *title;
	char *silence; /* its window; NULL: none */
	instant starts, ends;
	char **services; /* ids of the map */
	size_t n_services;
};

void changes_arm(struct engine *e); /* after a start or a reload */
void changes_due(struct engine *e, size_t destination);
void changes_result(struct engine *e, const struct ticket_result *r);
void changes_resume(struct engine *e);
/* "started 4 minutes after CHG0049911 on db1 (title)", if a change touched the root or what it needs;
 * malloc'd or NULL. */
char *changes_sentence(const struct engine *e, const struct incident *i);
void changes_save(const struct correlation *c, struct buf *out);
void changes_load(struct reader *r, struct correlation *c);
void changes_close(struct correlation *c);

#endif
