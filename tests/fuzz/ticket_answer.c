/* Answers of a hostile ticket system: the first octet is the operation, the second the status, then header
 * lines up to an empty line, then the body. */
#include "ticket_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char profile[] =
    "profile: 1\nname: x\nauth: {header: {name: X-Token, value: \"${secret.token}\"}}\n"
    "browse: \"${conf.base}/show?id=${ticket.id|path}\"\n"
    "maps: {state_in: {new: open, done: resolved, no: wontfix, deleted: gone}}\n"
    "errors:\n"
    "  - {when: {status: [200], body_matches: '(?i)\"[a-z ]*denied'}, class: config}\n"
    "  - {when: {header: x-state, matches: slow}, class: throttle}\n"
    "  - {when: {path: 'error[0].code', matches: '^4'}, class: conflict}\n"
    "ops:\n"
    "  find: {method: GET, url: \"${conf.base}/f\", query: {q: \"k=${incident.dedup_key|nowild}\"}, limit: "
    "3, items: items,\n"
    "    extract: {id: id, state: s, key: 'f[name=K].v[0]'}, verify: {key: \"${incident.dedup_key}\"}}\n"
    "  create: {method: POST, url: \"${conf.base}/t\", body: {t: \"${incident.title}\"}, extract: {id: id}, "
    "readback: {key: \"${incident.dedup_key}\"}}\n"
    "  get: {method: GET, url: \"${conf.base}/t/${ticket.id|path}\", extract: {id: id, state: s, key: key, "
    "version: '@header.etag'}}\n"
    "  update: {method: PUT, url: \"${conf.base}/t/${ticket.id|path}\", headers: {If-Match: "
    "\"${ticket.version}\"}, readback: {key: \"${incident.dedup_key}\"}}\n"
    "  note: {method: POST, url: \"${conf.base}/t/${ticket.id|path}/n\", body: {t: \"${note.text}\"}}\n"
    "  resolve: {method: PUT, url: \"${conf.base}/t/${ticket.id|path}\", skip_if: {state: no}, readback: "
    "{state: resolved}}\n"
    "  poll: {method: GET, url: \"${conf.base}/p\", items: items, next: next, then: get, ignore: "
    "{changed_by: me}, extract: {id: id, "
    "state: s, cursor: c, changed_by: by}}\n"
    "  changes: {method: GET, url: \"${conf.base}/c\", items: items, next: '@link', extract: {id: id, "
    "starts: a, ends: b}}\n"
    "webhook: {verify: {scheme: hmac-sha256, header: x-sig, secret: \"${secret.token}\"}, items: items, "
    "extract: {id: id, state: s}}\n";

static const char facts[] = "{\"incident\":{\"dedup_key\":\"car:KEY\",\"title\":\"t\"},\"note\":{\"text\":"
                            "\"n\"},\"ticket\":{\"version\":\"v1\"}}";

static const int statuses[] = {0, 200, 201, 204, 302, 400, 401, 403, 404, 409, 412, 429, 500, 501, 503, 299};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const conf_keys[] = {"base"}, *const conf_values[] = {CHECK_BASE},
	                         *const secret_keys[] = {"token"};
	static const struct slice secrets[] = {SLICE(CHECK_SECRET)};
	struct findings f = {0};
	struct error err;
	if (size < 2)
		return 0;
	struct slice rest = slice_of(data + 2, size - 2);
	const char *gap = rest.n > 1 ? memmem(rest.p, rest.n, "\n\n", 2) : NULL;
	size_t head = gap != NULL ? (size_t)(gap - rest.p) + 1 : 0;
	struct ticket_answer answers[2] = {{.sent = (data[1] & 0x80) != 0,
	                                    .status = statuses[data[1] % ARRAY_LEN(statuses)],
	                                    .headers = slice_sub(rest, 0, head),
	                                    .body = slice_sub(rest, gap != NULL ? head + 1 : 0, rest.n)}};
	answers[1] = answers[0];
	answers[1].status = 200;
	struct ticket_profile *p = ticket_profile_load("fuzz.yaml", slice_str(profile), &f);
	BUG_ON(p == NULL);
	struct ticket_connection c = {.profile = p,
	                              .conf_keys = conf_keys,
	                              .conf_values = conf_values,
	                              .n_conf = 1,
	                              .secret_keys = secret_keys,
	                              .secret_values = secrets,
	                              .n_secrets = 1};
	BUG_ON(ticket_connection_check(&c, &err) != 0);
	check_talk(&c, (enum ticket_verb)(data[0] % (TICKET_CHECK + 1)), slice_str(facts), NULL, answers, 2);
	struct buf records = {0};
	struct ticket_seen seen;
	BUG_ON(ticket_hook_check(&c, answers[0].headers, answers[0].body, &err) ==
	       0); /* nobody has guessed the HMAC */
	ticket_hook_read(&c, answers[0].headers, answers[0].body, &records);
	for (struct slice left = buf_slice(&records); left.n > 0;)
		BUG_ON(!ticket_seen_next(&left, &seen));
	buf_free(&records);
	ticket_profile_free(p);
	findings_clear(&f);
	return 0;
}
