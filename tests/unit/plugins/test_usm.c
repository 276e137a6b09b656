/* SNMPv3: keys by the vectors of the RFCs, messages of net-snmp, and everything that section 3.2 of RFC 3414
 * refuses. */
#include "plugin_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugins/snmptrap/usm.h"
#include "usm_packets.h"

#define PACKET(name) ((struct slice){(name), sizeof(name) - 1})

static const char users[] =
    "{\"user\":\"plain\",\"engines\":[\"80001f88046c6162\"]}\n"
    "{\"user\":\"md5des\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"MD5\",\"auth_pass\":\"maplesyrup\","
    "\"priv\":\"DES\",\"priv_pass\":\"treesyrup\"}\n"
    "{\"user\":\"shaaes\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA\",\"auth_pass\":\"maplesyrup\","
    "\"priv\":\"AES\",\"priv_pass\":\"treesyrup\"}\n"
    "{\"user\":\"sha256\",\"engines\":[\"0x80001F88046C6162\"],\"auth\":\"sha-256\",\"auth_pass\":"
    "\"maplesyrup\"}\n"
    "\n"
    "{\"user\":\"blumen\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA\",\"auth_pass\":\"maplesyrup\","
    "\"priv\":\"AES-256\",\"priv_pass\":\"treesyrup\",\"key_extension\":\"blumenthal\"}\n"
    "{\"user\":\"reeder\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA\",\"auth_pass\":\"maplesyrup\","
    "\"priv\":\"AES-256\",\"priv_pass\":\"treesyrup\",\"key_extension\":\"reeder\"}\n"
    "{\"user\":\"sha512\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA-512\",\"auth_pass\":"
    "\"maplesyrup\","
    "\"priv\":\"AES-256\",\"priv_pass\":\"treesyrup\"}\n"
    "{\"user\":\"sha224\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA-224\",\"auth_pass\":"
    "\"maplesyrup\","
    "\"priv\":\"AES-192\",\"priv_pass\":\"treesyrup\"}\n"
    "{\"user\":\"sha384\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA-384\",\"auth_pass\":"
    "\"maplesyrup\","
    "\"priv\":\"AES-128\",\"priv_pass\":\"treesyrup\"}\n";

enum { INFORM_TIME = 217485237 }; /* what the senders of the informs took for our time */

/* ---- keys */

static void assert_hex(const unsigned char *got, size_t n, const char *hex)
{
	char text[2 * USM_KEY_MAX + 1] = "";
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", got[i]);
	assert_string_equal(text, hex);
}

static struct usm_crypto *crypto(void)
{
	struct error err;
	struct usm_crypto *c = usm_crypto_new(&err);
	assert_non_null(c);
	return c;
}

/* RFC 3414, sections A.3.1 and A.3.2; the others by the same rule with another digest. */
static void a_password_becomes_a_key(void **state UNUSED)
{
	static const struct {
		enum usm_auth auth;
		const char *master, *localised;
	} rows[] = {
	    {USM_MD5, "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"},
	    {USM_SHA, "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f"},
	    {USM_SHA_224, "282a5867ee9aac639ad59df9572c7d3ac0fbc13a905b6df07dbbf00b",
	     "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674"},
	    {USM_SHA_256, "ab51014d1e077f6017df2b12bee5f5aa72993177e9bb569c4dff5a4ca0b4afac",
	     "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"},
	    {USM_SHA_384,
	     "e06eccdf2c68a06ed034723c9c26e0db3b669e1e2efed49150b55377a2e98f383c86fb836857444654b287c93f51ff6"
	     "4",
	     "3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633d2ccba7"
	     "8"},
	    {USM_SHA_512,
	     "7e4396de5aadc77be853819b98c9406265b3a9c37cc3176569847a4e4f6fba63dd3a73d04924d31a63f95a601f9385a"
	     "f6be4ed"
	     "1b37f87d040f7c6ed6f8d38a91",
	     "22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099ad1ea87a8db096714d9788bd544047c"
	     "9021e42"
	     "29ce27e4c0a69250adfcffbb0b"},
	};
	struct usm_crypto *c = crypto();
	struct slice engine = SLICE("\0\0\0\0\0\0\0\0\0\0\0\2");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct usm_key master, local;
		assert_true(usm_password_key(c, rows[i].auth, SLICE("maplesyrup"), &master));
		assert_hex(master.v, master.n, rows[i].master);
		assert_true(usm_localise(c, rows[i].auth, &master, engine, &local));
		assert_hex(local.v, local.n, rows[i].localised);
	}
	usm_crypto_free(c);
}

/* draft-reeder-snmpv3-usm-3desede-00, whose own example is the first; draft-blumenthal-aes-usm-04. */
static void a_short_key_is_extended(void **state UNUSED)
{
	static const struct {
		enum usm_auth auth;
		enum usm_priv priv;
		enum usm_extension how;
		const char *key;
	} rows[] = {
	    {USM_MD5, USM_AES_256, USM_REEDER,
	     "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12"},
	    {USM_MD5, USM_AES_256, USM_BLUMENTHAL,
	     "526f5eed9fcce26f8964c2930787d82bfa24a92467426c2f4b09192be10dfaec"},
	    {USM_MD5, USM_AES_192, USM_BLUMENTHAL, "526f5eed9fcce26f8964c2930787d82bfa24a92467426c2f"},
	    {USM_SHA, USM_AES_256, USM_REEDER,
	     "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c"},
	    {USM_SHA, USM_AES_256, USM_BLUMENTHAL,
	     "6695febc9288e36282235fc7151f128497b38f3f505e07eb9af25568fa1f5dbe"},
	    {USM_SHA_224, USM_AES_256, USM_REEDER,
	     "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be68207567422c34be4"},
	    {USM_SHA_224, USM_AES_192, USM_REEDER, "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be6"},
	    {USM_SHA, USM_DES, USM_REEDER, "6695febc9288e36282235fc7151f1284"},
	};
	struct usm_crypto *c = crypto();
	struct slice engine = SLICE("\0\0\0\0\0\0\0\0\0\0\0\2");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct usm_key master, key;
		assert_true(usm_password_key(c, rows[i].auth, SLICE("maplesyrup"), &master));
		assert_true(usm_localise(c, rows[i].auth, &master, engine, &key));
		assert_true(usm_extend(c, rows[i].auth, rows[i].how, engine, rows[i].priv, &key));
		assert_hex(key.v, key.n, rows[i].key);
	}
	usm_crypto_free(c);
}

/* RFC 2202 and RFC 4231, test case 2, cut as RFC 3414 and RFC 7860 (section 4.1) cut them. */
static void digests_of_messages(void **state UNUSED)
{
	static const char *const macs[USM_AUTHS] = {
	    [USM_MD5] = "750c783e6ab0b503eaa86e31",
	    [USM_SHA] = "effcdf6ae5eb2fa2d27416d5",
	    [USM_SHA_224] = "a30e01098bc6dbbf45690f3a7e9e6d0f",
	    [USM_SHA_256] = "5bdcc146bf60754e6a042426089575c75a003f089d273983",
	    [USM_SHA_384] = "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e",
	    [USM_SHA_512] =
	        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0"
	        "e6fd",
	};
	struct usm_crypto *c = crypto();
	struct usm_key key = {"Jefe", 4};
	unsigned char mac[USM_MAC_MAX], other[USM_MAC_MAX];
	for (int a = USM_MD5; a < USM_AUTHS; a++) {
		assert_true(
		    usm_mac(c, (enum usm_auth)a, &key, SLICE("what do ya want for nothing?"), 0, 0, mac));
		assert_hex(mac, usm_mac_size((enum usm_auth)a), macs[a]);
		/* what stands in the hole does not count, what stands beside it does */
		assert_true(usm_mac(c, (enum usm_auth)a, &key, SLICE("one\0\0\0two"), 3, 3, mac));
		assert_true(usm_mac(c, (enum usm_auth)a, &key, SLICE("oneXYZtwo"), 3, 3, other));
		assert_memory_equal(mac, other, usm_mac_size((enum usm_auth)a));
		assert_true(usm_mac(c, (enum usm_auth)a, &key, SLICE("oneXYZtwO"), 3, 3, other));
		assert_memory_not_equal(mac, other, usm_mac_size((enum usm_auth)a));
	}
	usm_crypto_free(c);
}

static void names_of_algorithms(void **state UNUSED)
{
	enum usm_auth a;
	enum usm_priv p;
	assert_true(usm_auth_parse(SLICE("SHA-1"), &a) && a == USM_SHA);
	assert_true(usm_auth_parse(SLICE("sha384"), &a) && a == USM_SHA_384);
	assert_false(usm_auth_parse(SLICE("SHA-3"), &a) || usm_auth_parse(SLICE(""), &a) ||
	             usm_auth_parse(SLICE_NONE, &a));
	assert_true(usm_priv_parse(SLICE("AES"), &p) && p == USM_AES_128);
	assert_true(usm_priv_parse(SLICE("aes256"), &p) && p == USM_AES_256);
	assert_false(usm_priv_parse(SLICE("3DES"), &p) || usm_priv_parse(SLICE_NONE, &p));
}

/* ---- the file */

static void faults_of_the_file(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"{\"user\":\"a\"}\nnot json", "line 2 of the users: "},
	    {"[]", "line 1 of the users: a user is a JSON object"},
	    {"{\"engines\":[]}", "'user' must be a name"},
	    {"{\"user\":\"123456789012345678901234567890123\"}", "at most 32 octets"},
	    {"{\"user\":\"a\",\"engine\":\"00\"}", "unknown key 'engine'"},
	    {"{\"user\":7}", "'user' must be text"},
	    {"{\"user\":\"a\",\"engines\":\"80001f88046c6162\"}", "'engines' must be a list"},
	    {"{\"user\":\"a\",\"engines\":[\"80001\"]}", "'80001' is no engine id"},
	    {"{\"user\":\"a\",\"engines\":[\"\"]}", "is no engine id"},
	    {"{\"user\":\"a\",\"engines\":[\"8g\"]}", "'8g' is no engine id"},
	    {"{\"user\":\"a\",\"engines\":[7]}", "is no engine id"},
	    {"{\"user\":\"a\",\"auth\":\"SHA-3\",\"auth_pass\":\"maplesyrup\"}", "'auth' must be MD5, SHA"},
	    {"{\"user\":\"a\",\"auth\":\"SHA\"}", "'auth' and 'auth_pass' belong together"},
	    {"{\"user\":\"a\",\"auth_pass\":\"maplesyrup\"}", "'auth' and 'auth_pass' belong together"},
	    {"{\"user\":\"a\",\"auth\":\"SHA\",\"auth_pass\":\"short\"}",
	     "'auth_pass' must have 8 to 255 octets"},
	    {"{\"user\":\"a\",\"priv\":\"AES\",\"priv_pass\":\"treesyrup\"}", "privacy needs authentication"},
	    {"{\"user\":\"a\",\"auth\":\"SHA\",\"auth_pass\":\"maplesyrup\",\"priv\":\"RC4\",\"priv_pass\":"
	     "\"treesyrup\"}",
	     "'priv' must be DES"},
	    {"{\"user\":\"a\",\"auth\":\"SHA\",\"auth_pass\":\"maplesyrup\",\"priv\":\"AES\"}",
	     "'priv' and 'priv_pass' belong together"},
	    {"{\"user\":\"a\",\"key_extension\":\"cisco\"}", "'key_extension' must be blumenthal or reeder"},
	    {"{\"user\":\"a\",\"engines\":[\"01\"]}\n{\"user\":\"a\",\"engines\":[\"01\"]}",
	     "line 2 of the users: user 'a' is already"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct snmptrap_settings *s = snmptrap_settings_new(NULL, 0);
		struct error err = {""};
		assert_int_equal(snmptrap_settings_users(s, slice_str(rows[i].text), &err), -1);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("of %s\nexpected: %s\ngot: %s", rows[i].text, rows[i].why, err.text);
		assert_null(strstr(err.text, "syrup"));
		snmptrap_settings_free(s);
	}
}

static void an_engine_id_from_a_name(void **state UNUSED)
{
	unsigned char id[32], other[32];
	assert_int_equal(snmptrap_engine_id("unit", id), 9);
	assert_hex(id, 9, "80001f8804756e6974");
	assert_int_equal(snmptrap_engine_id("a-name-of-27-octets-exactly", id), 32);
	assert_memory_equal(id + 5, "a-name-of-27-octets-exactly", 27);
	assert_int_equal(snmptrap_engine_id("a-name-that-is-longer-than-that-1", id), 32);
	assert_int_equal(snmptrap_engine_id("a-name-that-is-longer-than-that-2", other), 32);
	assert_memory_equal(id, other, 5 + 18);
	assert_memory_not_equal(id, other, 32);
}

/* ---- messages */

static struct snmptrap_settings *settings(const struct bench *b, const char *text)
{
	struct snmptrap_settings *s = snmptrap_settings_new(NULL, 0);
	struct error err;
	unsigned char id[32];
	size_t n = snmptrap_engine_id("unit", id);
	snmptrap_settings_engine(s, slice_of(id, n), 1, b->env.received - INFORM_TIME * SECOND);
	if (snmptrap_settings_users(s, slice_str(text), &err) != 0)
		fail_msg("%s", err.text);
	return s;
}

static const struct {
	const char *user;
	struct slice trap;
} traps[] = {
    {"plain", {trap_plain, sizeof trap_plain - 1}},    {"md5des", {trap_md5des, sizeof trap_md5des - 1}},
    {"shaaes", {trap_shaaes, sizeof trap_shaaes - 1}}, {"sha256", {trap_sha256, sizeof trap_sha256 - 1}},
    {"blumen", {trap_blumen, sizeof trap_blumen - 1}}, {"reeder", {trap_reeder, sizeof trap_reeder - 1}},
    {"sha512", {trap_sha512, sizeof trap_sha512 - 1}}, {"sha224", {trap_sha224, sizeof trap_sha224 - 1}},
    {"sha384", {trap_sha384, sizeof trap_sha384 - 1}},
};

static const struct {
	const char *user;
	struct slice inform;
	unsigned flags;
} informs[] = {
    {"plain", {inform_plain, sizeof inform_plain - 1}, 0},
    {"md5des", {inform_md5des, sizeof inform_md5des - 1}, USM_FLAG_AUTH | USM_FLAG_PRIV},
    {"shaaes", {inform_shaaes, sizeof inform_shaaes - 1}, USM_FLAG_AUTH | USM_FLAG_PRIV},
    {"sha256", {inform_sha256, sizeof inform_sha256 - 1}, USM_FLAG_AUTH},
};

static void traps_of_net_snmp(void **state UNUSED)
{
	struct bench b = bench_new();
	struct snmptrap_settings *s = settings(&b, users);
	for (size_t i = 0; i < ARRAY_LEN(traps); i++) {
		int64_t id;
		assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, traps[i].trap), DECODE_OK);
		assert_int_equal(b.batch.n, 1);
		assert_field(&b, 0, "snmp.version", "v3");
		assert_field(&b, 0, "snmp.user", traps[i].user);
		assert_field(&b, 0, "snmp.trap", "1.3.6.1.6.3.1.1.5.4"); /* no tables, no names */
		assert_field(&b, 0, "snmp.var.1.3.6.1.2.1.2.2.1.1.7", "7");
		assert_field(&b, 0, "snmp.uptime", "777");
		assert_field(&b, 0, "snmp.community", "");
		assert_field(&b, 0, "host", "192.0.2.9");
		assert_int_equal(b.reply.n, 0);
		assert_false(snmptrap_inform_id(traps[i].trap, &id) ||
		             snmptrap_inform_key(s, &b.env, traps[i].trap, &id));
	}
	snmptrap_settings_free(s);
	bench_free(&b);
}

/* Opens what was answered, as the sender of the inform would. */
static struct usm_message opened(const struct bench *b, struct usm *u, struct arena *a)
{
	struct usm_message m;
	const char *why = NULL;
	size_t at;
	if (!usm_read(&m, buf_slice(&b->reply), &why, &at))
		fail_msg("%s", why);
	assert_int_equal(m.whole.n, b->reply.n);
	struct usm_verdict v = usm_open(u, &m, b->env.received, true, false, a);
	if (!v.ok)
		fail_msg("%s", v.why);
	return m;
}

static struct usm *sender(const struct bench *b)
{
	struct error err;
	struct usm *u = usm_new(&err);
	usm_own_engine(u, SLICE("\x80\x00\x1f\x88\x04unit"), 1, b->env.received - INFORM_TIME * SECOND);
	assert_int_equal(usm_users(u, slice_str(users), &err), 0);
	return u;
}

static void informs_are_answered(void **state UNUSED)
{
	struct bench b = bench_new();
	struct snmptrap_settings *s = settings(&b, users);
	struct usm *u = sender(&b);
	struct arena *a = arena_new(0);
	for (size_t i = 0; i < ARRAY_LEN(informs); i++) {
		struct usm_message asked, m;
		const char *why;
		size_t at;
		int64_t id, key, answered = -1;
		int tag = 0;
		struct ber pdu;
		assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, informs[i].inform), DECODE_OK);
		assert_int_equal(b.batch.n, 1);
		assert_field(&b, 0, "snmp.user", informs[i].user);
		assert_true(usm_read(&asked, informs[i].inform, &why, &at));
		m = opened(&b, u, a);
		assert_int_equal(m.msg_id, asked.msg_id);
		assert_int_equal(m.flags, informs[i].flags);
		assert_true(slice_eq(m.user, asked.user) && slice_eq(m.engine, asked.engine));
		assert_true(ber_next(&m.pdu, &tag, &pdu) && tag == 0xa2 && ber_int(&pdu, &answered));
		assert_true(snmptrap_inform_key(s, &b.env, informs[i].inform, &key));
		assert_int_equal(answered, key);
		assert_true(snmptrap_inform_id(informs[i].inform, &id) ==
		            !(informs[i].flags & USM_FLAG_PRIV));
		assert_int_equal(id, informs[i].flags & USM_FLAG_PRIV ? 0 : key);
		/* the answer itself is no notification */
		struct buf none = {0};
		evt_batch_reset(&b.batch);
		assert_int_equal(snmptrap_decoder.decode(s, &b.env, buf_slice(&b.reply), &b.batch, &none),
		                 DECODE_REFUSED);
		assert_int_equal(none.n, 0);
	}
	arena_free(a);
	usm_free(u);
	snmptrap_settings_free(s);
	bench_free(&b);
}

/* The counter that a Report names; 0: no Report. Its flags are given back too. */
static int reported(const struct bench *b, unsigned *flags)
{
	struct usm_message m;
	struct slice s = buf_slice(&b->reply);
	const char *why;
	size_t at;
	if (s.n == 0)
		return 0;
	assert_true(usm_read(&m, s, &why, &at));
	*flags = m.flags;
	assert_true(slice_eq(m.engine, SLICE("\x80\x00\x1f\x88\x04unit")));
	assert_int_equal(m.boots, 1);
	static const char prefix[] = "\x2b\x06\x01\x06\x03\x0f\x01\x01";
	for (size_t i = 0; i + sizeof prefix < s.n; i++)
		if (memcmp(s.p + i, prefix, sizeof prefix - 1) == 0)
			return s.p[i + sizeof prefix - 1];
	fail_msg("a Report without a counter");
	return -1;
}

static void a_sender_finds_us(void **state UNUSED)
{
	struct bench b = bench_new();
	struct snmptrap_settings *s = settings(&b, users);
	unsigned flags = 9;
	assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, PACKET(discovery)), DECODE_OK);
	assert_int_equal(b.batch.n, 0);
	assert_int_equal(b.batch.n_notes, 1);
	assert_int_equal(reported(&b, &flags), USM_UNKNOWN_ENGINES);
	assert_int_equal(flags, 0);
	/* who has no engine does not answer */
	struct snmptrap_settings *mute = snmptrap_settings_new(NULL, 0);
	struct error err;
	assert_int_equal(snmptrap_settings_users(mute, slice_str(users), &err), 0);
	assert_int_equal(bench_decode(&b, &snmptrap_decoder, mute, PACKET(discovery)), DECODE_REFUSED);
	assert_int_equal(b.reply.n, 0);
	/* nor is anything answered without users */
	assert_int_equal(bench_decode(&b, &snmptrap_decoder, NULL, PACKET(discovery)), DECODE_REFUSED);
	assert_int_equal(b.reply.n, 0);
	snmptrap_settings_free(mute);
	snmptrap_settings_free(s);
	bench_free(&b);
}

struct refusal {
	const char *users;
	struct slice packet;
	const char *why;
	int stat; /* of the Report; 0: none may come */
};

static void refused_as(struct bench *b, const struct snmptrap_settings *s, const struct refusal *r)
{
	unsigned flags;
	assert_int_equal(bench_decode(b, &snmptrap_decoder, s, r->packet), DECODE_REFUSED);
	assert_int_equal(b->batch.n, 0);
	assert_int_equal(b->batch.n_notes, 1);
	if (strstr(b->batch.notes[0].text, r->why) == NULL)
		fail_msg("expected: %s\ngot: %s", r->why, b->batch.notes[0].text);
	assert_int_equal(reported(b, &flags), r->stat);
	int64_t id;
	assert_false(snmptrap_inform_key(s, &b->env, r->packet, &id));
}

static void what_is_not_proven_is_refused(void **state UNUSED)
{
	static const char other_auth[] =
	    "{\"user\":\"shaaes\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA\",\"auth_pass\":"
	    "\"applesyrup\",\"priv\":\"AES\",\"priv_pass\":\"treesyrup\"}\n";
	static const char other_priv[] =
	    "{\"user\":\"shaaes\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA\",\"auth_pass\":"
	    "\"maplesyrup\",\"priv\":\"AES\",\"priv_pass\":\"pinesyrup\"}\n";
	static const char more[] = "{\"user\":\"plain\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA\","
	                           "\"auth_pass\":\"maplesyrup\"}\n";
	static const char less[] = "{\"user\":\"shaaes\",\"engines\":[\"80001f88046c6162\"],\"auth\":\"SHA\","
	                           "\"auth_pass\":\"maplesyrup\"}\n";
	static const char nobody[] = "{\"user\":\"nobody\",\"engines\":[\"80001f88046c6162\"]}\n";
	static const char elsewhere[] = "{\"user\":\"plain\",\"engines\":[\"8000000099aabbcc\"]}\n";
	static const struct refusal rows[] = {
	    {other_auth, {trap_shaaes, sizeof trap_shaaes - 1}, "wrong digest", 0},
	    {other_auth, {inform_shaaes, sizeof inform_shaaes - 1}, "wrong digest", USM_WRONG_DIGESTS},
	    {other_priv, {trap_shaaes, sizeof trap_shaaes - 1}, "privacy password", 0},
	    {other_priv,
	     {inform_shaaes, sizeof inform_shaaes - 1},
	     "privacy password",
	     USM_DECRYPTION_ERRORS},
	    {more, {trap_plain, sizeof trap_plain - 1}, "lower security level", 0},
	    {more, {inform_plain, sizeof inform_plain - 1}, "lower security level", USM_UNSUPPORTED_LEVELS},
	    {less, {trap_shaaes, sizeof trap_shaaes - 1}, "higher security level", 0},
	    {less,
	     {inform_shaaes, sizeof inform_shaaes - 1},
	     "higher security level",
	     USM_UNSUPPORTED_LEVELS},
	    {nobody, {trap_plain, sizeof trap_plain - 1}, "user that is unknown", 0},
	    {nobody, {inform_plain, sizeof inform_plain - 1}, "user that is unknown", USM_UNKNOWN_USERS},
	    {elsewhere, {trap_plain, sizeof trap_plain - 1}, "engine that no user has", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b = bench_new();
		struct snmptrap_settings *s = settings(&b, rows[i].users);
		refused_as(&b, s, &rows[i]);
		snmptrap_settings_free(s);
		bench_free(&b);
	}
}

/* Any octet of an authenticated message that changes makes it nobody's: the whole of it is under the digest.
 */
static void every_octet_counts(void **state UNUSED)
{
	struct bench b = bench_new();
	struct snmptrap_settings *s = settings(&b, users);
	struct slice all[] = {PACKET(trap_sha256), PACKET(trap_md5des), PACKET(inform_shaaes)};
	for (size_t k = 0; k < ARRAY_LEN(all); k++)
		for (size_t i = 0; i < all[k].n; i++) {
			char *copy = xstrndup(all[k].p, all[k].n);
			copy[i] = (char)(copy[i] ^ 0x10);
			assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, slice_of(copy, all[k].n)),
			                 DECODE_REFUSED);
			assert_int_equal(b.batch.n, 0);
			free(copy);
			/* each cut in its own allocation, so that the sanitizer sees an over-read */
			copy = xstrndup(all[k].p, i);
			assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, slice_of(copy, i)),
			                 DECODE_REFUSED);
			free(copy);
		}
	snmptrap_settings_free(s);
	bench_free(&b);
}

static void privacy_without_authentication(void **state UNUSED)
{
	struct bench b = bench_new();
	struct snmptrap_settings *s = settings(&b, users);
	char *copy = xstrndup(inform_shaaes, sizeof inform_shaaes - 1);
	/* 04 01 flags 02 01 03: the only place with that */
	char *flags = memmem(copy, sizeof inform_shaaes - 1, "\x04\x01\x07\x02\x01\x03", 6);
	assert_non_null(flags);
	flags[2] = 6;
	refused_as(&b, s,
	           &(struct refusal){.packet = slice_of(copy, sizeof inform_shaaes - 1),
	                             .why = "privacy without authentication"});
	free(copy);
	snmptrap_settings_free(s);
	bench_free(&b);
}

/* ---- time */

static void informs_out_of_time(void **state UNUSED)
{
	struct bench b = bench_new();
	struct snmptrap_settings *s = settings(&b, users);
	instant t = b.env.received;
	static const struct {
		int seconds;
		bool good;
	} rows[] = {{0, true}, {150, true}, {-150, true}, {151, false}, {-151, false}, {86400, false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned flags = 0;
		b.env.received = t + rows[i].seconds * SECOND;
		assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, PACKET(inform_sha256)),
		                 rows[i].good ? DECODE_OK : DECODE_REFUSED);
		if (rows[i].good)
			continue;
		/* only an authenticated Report may move the sender's clock */
		assert_int_equal(reported(&b, &flags), USM_NOT_IN_WINDOW);
		assert_int_equal(flags, USM_FLAG_AUTH);
	}
	/* a stored packet has no time; who is not authenticated has none either */
	b.env.raw_mode = true;
	assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, PACKET(inform_sha256)), DECODE_OK);
	b.env.raw_mode = false;
	assert_int_equal(bench_decode(&b, &snmptrap_decoder, s, PACKET(inform_plain)), DECODE_OK);
	snmptrap_settings_free(s);
	bench_free(&b);
}

/* RFC 3414, section 2.2.2: boots counts when time is at its end. */
static void our_clock(void **state UNUSED)
{
	struct error err;
	struct usm *u = usm_new(&err);
	uint32_t boots, time;
	usm_own_engine(u, SLICE("12345"), 7, 1000 * SECOND);
	usm_clock(u, 900 * SECOND, &boots, &time);
	assert_true(boots == 7 && time == 0);
	usm_clock(u, 1061 * SECOND + 999, &boots, &time);
	assert_true(boots == 7 && time == 61);
	usm_clock(u, ((INT64_C(1) << 31) + 1005) * SECOND, &boots, &time);
	assert_true(boots == 8 && time == 5);
	usm_free(u);
}

static enum decode_result again_after(struct bench *b, const void *s, struct slice packet, int seconds)
{
	b->env.received += seconds * SECOND;
	return bench_decode(b, &snmptrap_decoder, s, packet);
}

/* Section 3.2, step 7 b: a trap counts for 150 s of its sender's time, and a reload changes nothing in that.
 */
static void traps_out_of_time(void **state UNUSED)
{
	struct bench b = bench_new();
	struct snmptrap_settings *s = settings(&b, users);
	assert_int_equal(again_after(&b, s, PACKET(trap_sha256), 0), DECODE_OK);
	assert_int_equal(again_after(&b, s, PACKET(trap_sha512), 150), DECODE_OK);
	assert_int_equal(again_after(&b, s, PACKET(trap_sha512), 1), DECODE_REFUSED);
	assert_non_null(strstr(b.batch.notes[0].text, "time window"));
	assert_int_equal(again_after(&b, s, PACKET(trap_plain), 0), DECODE_OK);
	/* new settings with the same users, then with others */
	struct snmptrap_settings *next = snmptrap_settings_new(NULL, 0);
	unsigned char id[32];
	size_t n = snmptrap_engine_id("unit", id);
	struct error err;
	snmptrap_settings_engine(next, slice_of(id, n), 1, 0);
	snmptrap_settings_adopt(next, s);
	snmptrap_settings_free(s);
	assert_int_equal(again_after(&b, next, PACKET(trap_sha256), 0), DECODE_REFUSED);
	assert_int_equal(snmptrap_settings_users(next, slice_str(users), &err), 0);
	assert_int_equal(again_after(&b, next, PACKET(trap_sha256), 0), DECODE_REFUSED);
	assert_int_equal(snmptrap_settings_users(next, slice_str(strchr(users, '\n') + 1), &err), 0);
	assert_int_equal(again_after(&b, next, PACKET(trap_sha256), 0), DECODE_REFUSED);
	assert_non_null(strstr(b.batch.notes[0].text, "time window"));
	assert_int_equal(again_after(&b, next, PACKET(trap_plain), 0), DECODE_REFUSED);
	/* a fault leaves them in force */
	assert_int_equal(snmptrap_settings_users(next, SLICE("{}"), &err), -1);
	b.env.received -= 151 * SECOND;
	assert_int_equal(again_after(&b, next, PACKET(trap_sha256), 0), DECODE_OK);
	snmptrap_settings_free(next);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_password_becomes_a_key), cmocka_unit_test(a_short_key_is_extended),
	    cmocka_unit_test(digests_of_messages),      cmocka_unit_test(names_of_algorithms),
	    cmocka_unit_test(faults_of_the_file),       cmocka_unit_test(an_engine_id_from_a_name),
	    cmocka_unit_test(traps_of_net_snmp),        cmocka_unit_test(informs_are_answered),
	    cmocka_unit_test(a_sender_finds_us),        cmocka_unit_test(what_is_not_proven_is_refused),
	    cmocka_unit_test(every_octet_counts),       cmocka_unit_test(privacy_without_authentication),
	    cmocka_unit_test(informs_out_of_time),      cmocka_unit_test(our_clock),
	    cmocka_unit_test(traps_out_of_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
