/* A ticket profile as a hostile file: what loads can be used, and no request leaves the base or shows the
 * secret in its address. */
#include "ticket_check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char facts[] = "{\"incident\":{\"id\":\"1\",\"dedup_key\":\"car:KEY\",\"title\":\"a'"
                            "b\\\"\\r\\nc\",\"body\":\"${secret.token}\","
                            "\"priority\":\"P1\",\"severity\":\"major\",\"tags\":[\"a\",\"b\"],\"count\":3,"
                            "\"fields\":{\"x\":{\"y\":1}}},"
                            "\"note\":{\"text\":\"n\"},\"ticket\":{\"id\":\"7\",\"version\":\"v1\"}}";

/* Every name that the profile asks for. */
static void use(const struct ticket_profile *p)
{
	static const struct ticket_answer answers[] = {
	    {.status = 412, .sent = true},
	    {.status = 200,
	     .sent = true,
	     .headers = SLICE("etag: v2\n"),
	     .body = SLICE("{\"id\":7,\"items\":[{\"id\":1}],\"Status\":\"open\"}")}};
	struct ticket_connection c = {.profile = p};
	struct error err;
	c.n_conf = ticket_profile_conf(p, &c.conf_keys);
	c.n_secrets = ticket_profile_secrets(p, &c.secret_keys);
	const char **values = xcalloc(c.n_conf + 1, sizeof *values);
	struct slice *secrets = xcalloc(c.n_secrets + 1, sizeof *secrets);
	for (size_t i = 0; i < c.n_conf; i++)
		values[i] = CHECK_BASE;
	for (size_t i = 0; i < c.n_secrets; i++)
		secrets[i] = SLICE(CHECK_SECRET);
	c.conf_values = values;
	c.secret_values = secrets;
	if (ticket_connection_check(&c, &err) == 0)
		for (int v = TICKET_FIND; v <= TICKET_CHECK; v++)
			check_talk(&c, (enum ticket_verb)v, slice_str(facts), CHECK_SECRET, answers, 2);
	free(values);
	free(secrets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct findings f = {0};
	/* the file itself may write it anywhere */
	if (slice_contains(slice_of(data, size), SLICE("s3cr3t")))
		return 0;
	struct ticket_profile *p = ticket_profile_load("fuzz.yaml", slice_of(data, size), &f);
	BUG_ON((p == NULL) != (f.errors > 0));
	for (size_t i = 0; i < f.n; i++)
		BUG_ON(f.v[i].mark.line == 0);
	if (p != NULL)
		use(p);
	findings_clear(&f);
	ticket_profile_free(p);
	return 0;
}
