/* What the writers and readers of the correlation half share. A reader that meets nonsense sets `ok` to false
 * and goes on with zeros: its caller looks once at the end. */
#ifndef CARILLON_ENGINE_SAVE_H
#define CARILLON_ENGINE_SAVE_H

#include "engine/correlate.h"

void save_str(struct buf *out, const char *s); /* NULL stays NULL */
void save_time(struct buf *out, instant t);
char *load_str(struct reader *r); /* malloc'd or NULL */
instant load_time(struct reader *r);
bool load_bool(struct reader *r);
size_t load_count(struct reader *r, size_t octets); /* of things that take at least so many octets each */
int load_enum(struct reader *r, int count);         /* 0 .. count - 1 */

void episodes_save(const struct correlation *c, struct buf *out);
bool episodes_load(struct engine *e, struct reader *r); /* and who explains whom */
void incidents_save(const struct correlation *c, struct buf *out);
bool incidents_load(struct engine *e, struct reader *r); /* after the episodes */
void outbox_save(const struct correlation *c, struct buf *out);
bool outbox_load(struct engine *e, struct reader *r); /* after the incidents */

#endif
