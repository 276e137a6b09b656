/* One notification, all versions made equal (RFC 3584, section 3.1); private to this decoder. */
#ifndef CARILLON_SNMP_TRAP_H
#define CARILLON_SNMP_TRAP_H

#include "ber.h"
#include "mib.h"
#include "plugin.h"

enum { VARBINDS_MAX = 1000 };

struct varbind {
	struct slice oid;   /* dotted */
	int tag;            /* enum ber_tag */
	const char *type;   /* SMI name */
	struct slice value; /* numbers, OIDs, addresses as text; octets as sent; absent: none */
	bool is_number;
};

struct trap {
	int64_t version;                    /* 0: v1, 1: v2c, 3: v3 */
	struct slice community;             /* v1, v2c */
	struct slice user, engine, context; /* v3; engine: of the sender's context, octets */
	struct slice oid;                   /* of the notification, dotted; absent: it named none */
	struct slice enterprise, agent, sys_name;
	bool has_uptime, is_inform;
	uint64_t uptime; /* hundredths of a second */
	int64_t request_id;
	size_t pdu_at;                                 /* offset of the PDU's tag in what holds it */
	size_t status_at, index_at, status_n, index_n; /* contents of error-status and error-index */
	size_t end;                                    /* of the message in the datagram */
	struct varbind *vars;
	size_t n_vars;
};

enum trap_read { TRAP_OK, TRAP_BROKEN, TRAP_NOT_ONE };

/* Reads one message. TRAP_NOT_ONE: well-formed, but no notification or not for us. Either way *why and *at
 * say it. */
enum trap_read trap_read(struct trap *t, struct slice datagram, struct arena *a, const char **why,
                         size_t *at) MUST_CHECK;

/* Its PDU alone, with the cursor at its tag; t->version is set. Offsets are those of the cursor. */
enum trap_read trap_read_pdu(struct trap *t, struct ber *in, struct arena *a, const char **why,
                             size_t *at) MUST_CHECK;

/* The event's fields; names as `m` knows them (NULL: none). */
void trap_fields(const struct trap *t, const struct decode_env *env, const struct mib *m, struct fields *f);

#endif
