/* SNMPv3: one datagram, or a users file if it begins with a brace. What one set of passwords accepts of a
 * user with passwords another set refuses; an answer is a message that is none for us; and nothing but a
 * notification or a search for our engine is taken. */
#include "decoder_check.h"

#include <stdlib.h>

#include "plugins/snmptrap/usm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define USER(name, algorithms, pass)                                                                         \
	"{\"user\":\"" name "\",\"engines\":[\"80001f88046c6162\"]," algorithms ",\"auth_pass\":\"" pass     \
	"\"}\n"
#define PRIV(name, pass) ",\"priv\":\"" name "\",\"priv_pass\":\"" pass "\""
#define USERS(auth, priv)                                                                                    \
	USER("md5des", "\"auth\":\"MD5\"" PRIV("DES", priv), auth)                                           \
	USER("shaaes", "\"auth\":\"SHA\"" PRIV("AES", priv), auth)                                           \
	USER("sha256", "\"auth\":\"SHA-256\"", auth)                                                         \
	USER("reeder", "\"auth\":\"SHA\",\"key_extension\":\"reeder\"" PRIV("AES-256", priv), auth)          \
	USER("sha512", "\"auth\":\"SHA-512\"" PRIV("AES-256", priv), auth)
#define PLAIN "{\"user\":\"plain\",\"engines\":[\"80001f88046c6162\"]}\n"

/* The time that the informs of the corpus were sent for. */
static struct snmptrap_settings *settings(const char *users)
{
	struct snmptrap_settings *s = snmptrap_settings_new(NULL, 0);
	unsigned char id[32];
	size_t n = snmptrap_engine_id("unit", id);
	struct error err;
	snmptrap_settings_engine(s, slice_of(id, n), 1, check_env(false).received - 217485237 * SECOND);
	BUG_ON(users != NULL && snmptrap_settings_users(s, slice_str(users), &err) != 0);
	return s;
}

static void one_file(struct slice text)
{
	struct snmptrap_settings *s = settings(NULL);
	struct error err = {""};
	if (snmptrap_settings_users(s, text, &err) != 0)
		BUG_ON(strstr(err.text, "of the users") == NULL && strstr(err.text, "users file") == NULL);
	else
		BUG_ON(snmptrap_settings_users(s, text, &err) != 0);
	snmptrap_settings_free(s);
}

static void check_reply(const struct snmptrap_settings *s, const struct decode_env *env, struct slice reply)
{
	struct evt_batch b;
	struct buf none = {0};
	struct usm_message m;
	const char *why;
	size_t at;
	BUG_ON(!usm_read(&m, reply, &why, &at) || m.whole.n != reply.n || (m.flags & USM_FLAG_REPORTABLE));
	evt_batch_init(&b);
	BUG_ON(snmptrap_decoder.decode(s, env, reply, &b, &none) != DECODE_REFUSED || none.n > 0);
	evt_batch_free(&b);
}

static void one_datagram(const struct snmptrap_settings *s, const struct snmptrap_settings *other, bool raw,
                         struct slice datagram)
{
	struct evt_batch b;
	struct buf reply = {0};
	struct decode_env env = check_env(raw);
	struct usm_message m;
	const char *why;
	size_t at;
	int64_t id, key;
	evt_batch_init(&b);
	bool inform = snmptrap_inform_key(s, &env, datagram, &key);
	enum decode_result r = snmptrap_decoder.decode(s, &env, datagram, &b, &reply);
	bool v3 = usm_read(&m, datagram, &why, &at);
	BUG_ON(b.n > 1 || (r == DECODE_REFUSED && (b.n > 0 || b.n_notes == 0)));
	BUG_ON(r == DECODE_OK && b.n == 0 && (reply.n == 0 || b.n_notes == 0));
	BUG_ON(b.n == 1 && reply.n > 0 && !inform);
	BUG_ON(inform && v3 && !m.is_encrypted && (!snmptrap_inform_id(datagram, &id) || id != key));
	if (b.n == 1)
		check_event(&b.v[0], env.received);
	if (reply.n > 0 && v3)
		check_reply(s, &env, buf_slice(&reply));
	if (b.n == 1 && v3 && !slice_is(m.user, "plain")) {
		evt_batch_reset(&b);
		BUG_ON(snmptrap_decoder.decode(other, &env, datagram, &b, NULL) != DECODE_REFUSED);
	}
	buf_free(&reply);
	evt_batch_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct snmptrap_settings *s, *other; /* keys are dear */
	if (s == NULL) {
		s = settings(PLAIN USERS("maplesyrup", "treesyrup"));
		other = settings(PLAIN USERS("applesyrup", "pinesyrup"));
	}
	if (size > 0 && data[0] == '{') {
		one_file(slice_of(data, MIN(size, (size_t)1000)));
		return 0;
	}
	for (int raw = 0; raw < 2; raw++)
		one_datagram(s, other, raw, slice_of(data, size));
	return 0;
}
