/* Names for OIDs: tables compiled from MIB modules (smi.h), read back and asked for every notification.
 * Immutable once sealed. RFC 2578, section 7; intake.md section 4. */
#ifndef CARILLON_SNMP_MIB_H
#define CARILLON_SNMP_MIB_H

#include "base/arena.h"
#include "base/error.h"
#include "model/bundle.h"

/* How a value is shown. Numbers that an object names are shown by these names. */
enum mib_form { MIB_PLAIN, MIB_ENUM, MIB_BITS, MIB_MAC, MIB_IP, MIB_DATE };

struct mib_label {
	int64_t number;
	struct slice name;
};
struct mib_object {
	struct slice oid;  /* dotted, without an index */
	struct slice name; /* without its module */
	struct slice var, index; /* the fields snmp.var.NAME and snmp.index.NAME */
	enum mib_form form;
	const struct mib_label *labels; /* MIB_ENUM, MIB_BITS */
	size_t n_labels;
};

struct mib;
struct mib *mib_new(void);
void mib_free(struct mib *m);
/* Adds a compiled table. -1 with a finding at the line that is wrong; what came before it stays. Copies what it keeps. */
int mib_add(struct mib *m, const char *file, struct slice text, struct findings *f) MUST_CHECK;
/* All tables of a bundle. -1 with findings if one is damaged. */
int mib_add_bundle(struct mib *m, const struct bundle *b, struct findings *f) MUST_CHECK;
/* Once, after the last table and before the first question. Where two name one OID, the name that is first in the alphabet
 * wins: the order of files cannot be seen. */
void mib_seal(struct mib *m);
size_t mib_len(const struct mib *m);

/* "IF-MIB::linkDown" or absent. X.0.n and X.n are one notification (RFC 3584, section 3.1). m may be NULL: knows nothing. */
struct slice mib_notification(const struct mib *m, struct slice oid);
/* The object and its index behind the name (absent: none); NULL if unknown. */
const struct mib_object *mib_object(const struct mib *m, struct slice oid, struct slice *index);
/* The name of an OID that is a value: a notification, an object or a place (hrStorageRam, upsAlarmOnBattery); absent if
 * it has none. */
struct slice mib_place(const struct mib *m, struct slice oid);
/* The name of a number, absent if it has none. */
struct slice mib_label(const struct mib_object *o, int64_t number);
/* Names of the bits that are set, joined by commas (RFC 2578, section 7.1.4), in `a`. */
struct slice mib_bits(const struct mib_object *o, struct slice octets, struct arena *a);
/* DateAndTime of 8 or 11 octets as RFC 3339 (RFC 2579, section 2); absent if it is none. In `a`. */
struct slice mib_date(struct slice octets, struct arena *a);

#endif
