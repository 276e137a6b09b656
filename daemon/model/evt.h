/* The event: a mutable set of fields while it is decoded, one flat record from then on.
 *
 * struct evt is position-independent, immutable and length-prefixed: the bytes that intake builds are the bytes that the
 * channel carries and the journal stores. Nobody re-encodes. Layout (host byte order, 8-byte aligned):
 *   struct evt header | struct evt_field[n_fields], ascending by (id, name) | names and values, each value NUL-terminated */
#ifndef CARILLON_MODEL_EVT_H
#define CARILLON_MODEL_EVT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "model/severity.h"

/* Core fields (language.md section 3). The numbers are part of the journal's format: append only. */
enum field_id {
	FIELD_NONE,
	FIELD_TIME,
	FIELD_RECEIVED,
	FIELD_SOURCE,
	FIELD_TYPE,
	FIELD_SENDER,
	FIELD_TAGS,
	FIELD_DEDUP_KEY,
	FIELD_CODE,
	FIELD_HOST,
	FIELD_APP,
	FIELD_SUMMARY,
	FIELD_MESSAGE,
	FIELD_SEVERITY,
	FIELD_STATE,
	FIELD_CHECK,
	FIELD_SERVICE, /* as sent or set; after resolution the id in the map */
	FIELD_PORT,
	FIELD_PEER,
	FIELD_CALENDAR,
	FIELD_EDGE,
	FIELD_CORE_MAX
};

enum value_type { VALUE_TEXT, VALUE_NUMBER, VALUE_IP, VALUE_BOOL, VALUE_TIME };

/* A value is always text; the type says what the text is known to be. p == NULL: missing. Empty counts as missing. */
struct value {
	const char *p;
	uint32_t n;
	uint8_t type; /* enum value_type */
};
static inline struct slice value_slice(struct value v)
{
	return (struct slice){v.n > 0 ? v.p : NULL, v.n};
}

/* Empty is missing. Sizes of inputs are bounded far below 4 GiB; a longer one would wrap. */
static inline struct value value_of(struct slice s, enum value_type type)
{
	if (s.p == NULL || s.n == 0)
		return (struct value){0};
	size_t n = DOUBT(s.n > UINT32_MAX) ? UINT32_MAX : s.n;
	return (struct value){.p = s.p, .n = (uint32_t)n, .type = (uint8_t)type};
}

struct named_field {
	struct slice name;
	struct value v;
};

/* The fields of one event. Values are borrowed: they live in the input, in `arena`, or in a flat event. */
struct fields {
	struct value core[FIELD_CORE_MAX]; /* by enum field_id */
	struct named_field *named;         /* everything else, order of setting; looked up by name */
	size_t n_named, cap_named;
	struct arena *arena;               /* for what must be rendered; borrowed */
	size_t limit;                      /* at most so many named fields; further ones are refused (fields_set false) */
};

void fields_init(struct fields *f, struct arena *a); /* limit 256 */
void fields_reset(struct fields *f);                 /* empties; keeps memory; does not reset the arena */
void fields_free(struct fields *f);

/* Sets or replaces; the bytes are borrowed. Empty or absent removes. `host` and `service` must be lower-cased by the
 * caller with fields_set_lower. False only when the limit of named fields is reached. */
bool fields_set(struct fields *f, enum field_id id, struct slice v);
static inline bool fields_set_type(struct fields *f, enum field_id id, struct slice v, enum value_type type)
{
	BUG_ON(id == FIELD_NONE || (unsigned)id >= FIELD_CORE_MAX);
	f->core[id] = value_of(v, type);
	return true;
}
bool fields_set_named(struct fields *f, struct slice name, struct slice v, enum value_type type); /* core names go to core */
/* As fields_set_named, of a name that is no core name and not set yet: nobody looks. */
bool fields_add_named(struct fields *f, struct slice name, struct slice v, enum value_type type);
bool fields_set_lower(struct fields *f, enum field_id id, struct slice v); /* ASCII lower case, copied into the arena if needed */
void fields_add_tag(struct fields *f, const char *tag);                    /* appends a word to `tags` unless it stands there */
struct value fields_get(const struct fields *f, enum field_id id);
struct value fields_get_name(const struct fields *f, struct slice name);   /* core or named */

enum field_id field_core(struct slice name);       /* FIELD_NONE if it is no core name */
const char *field_name(enum field_id id);
bool field_read_only(enum field_id id);            /* time received source type sender */
enum value_type field_type(enum field_id id);      /* of core fields: text, ip (sender), time */
bool field_valid(struct slice name);               /* language.md section 2: name or name.sub.sub */
bool field_open(struct slice name);                /* under syslog. snmp. body. x. */

struct evt {
	uint32_t size;      /* of the whole record, multiple of 8 */
	uint16_t magic;     /* EVT_MAGIC */
	uint16_t version;   /* 1 */
	struct ulid id;
	instant received;   /* microseconds */
	uint32_t n_fields;
	uint32_t checksum;  /* CRC32C of the record with this field zero */
};
#define EVT_MAGIC 0xca11u

struct evt_field {
	uint16_t id;        /* enum field_id, 0: named */
	uint8_t type;       /* enum value_type */
	uint8_t pad;
	uint32_t name, name_n;   /* offsets from the start of the record; name only if id == 0 */
	uint32_t value, value_n;
};

/* Appends one flat record to `out` (which is aligned to 8 first). `time` of the fields is optional text (RFC 3339).
 * FIELD_RECEIVED is not stored as a field: the header has it. */
/* The same event once more, as one of its own: another id and time. */
void evt_reissue(struct evt *e, const struct ulid *id, instant received);
void evt_encode(const struct fields *f, const struct ulid *id, instant received, struct buf *out);
/* Checks bounds, order, magic and checksum: only a checked record may be read. NULL with err if it is damaged.
 * bytes.p must be 8-byte aligned; bytes behind e->size are not looked at. err may be NULL. */
const struct evt *evt_check(struct slice bytes, struct error *err) MUST_CHECK;
/* Fills `f` with borrowed views of the record (also FIELD_RECEIVED, rendered into f->arena when that is not NULL). */
void evt_open(const struct evt *e, struct fields *f);
struct value evt_get(const struct evt *e, enum field_id id);              /* binary search */
struct value evt_get_name(const struct evt *e, struct slice name);
enum severity evt_severity(const struct evt *e);                          /* warning if missing */
enum event_state evt_state(const struct evt *e);                          /* problem if missing */
void fields_json(const struct fields *f, struct jw *w);                   /* members name: value into an open object */

uint32_t crc32c(uint32_t crc, const void *p, size_t n);                   /* hardware where the CPU has it */

/* What a decoder appends to: events in the order of the payload, and remarks. Owned by the caller, reused. */
struct decode_note {
	size_t at;          /* octet offset, SIZE_MAX unknown */
	char text[512];   /* a URL that a person is to follow fits */
};
struct evt_batch {
	struct fields *v;   /* n in use; entries keep their memory between uses */
	size_t n, cap;
	struct decode_note *notes; /* faults: of a damaged input that still gave an event, or the reason of a refusal */
	size_t n_notes, cap_notes;
	struct arena *arena;
	size_t max;         /* events at most (a webhook of 1 MiB may carry many); 10 000 */
	size_t fields_max;  /* limits.fields: named fields of each event that is added from now on; 0: 256 */
};
void evt_batch_init(struct evt_batch *b);
void evt_batch_reset(struct evt_batch *b); /* also resets the arena */
void evt_batch_free(struct evt_batch *b);
struct fields *evt_batch_add(struct evt_batch *b); /* NULL when `max` is reached; the next add may move the former ones */
/* A text that does not fit ends in "..."; after 100 notes only the fact that there were more is kept. */
void evt_batch_note(struct evt_batch *b, size_t at, const char *fmt, ...) PRINTF(3, 4);

#endif
