/* Names for OIDs: modules of SMIv1 and SMIv2 are compiled, tables are read, instances find their object. */
#include "plugin_test.h"

#include "mib_shipped.h"
#include "plugins/snmptrap/smi.h"

static const char acme[] =
    "-- ---------- a line of hyphens ----------\n"
    "ACME-MIB DEFINITIONS ::= BEGIN\n"
    "IMPORTS MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises FROM SNMPv2-SMI\n"
    "        TEXTUAL-CONVENTION, DateAndTime, MacAddress, TruthValue FROM SNMPv2-TC\n"
    "        MODULE-COMPLIANCE FROM SNMPv2-CONF;\n"
    "acme MODULE-IDENTITY LAST-UPDATED \"202601010000Z\" ORGANIZATION \"a\" CONTACT-INFO \"b ::= { c }\"\n"
    "  DESCRIPTION \"SYNTAX INTEGER { no(1) } in a text\" ::= { enterprises 64999 }\n"
    "AcmeState ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION \"d\" SYNTAX INTEGER { ok(1), failed(2), off(-1) }\n"
    "AcmeFlags ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION \"d\" SYNTAX BITS { power(0), fan(1), temperature(9) }\n"
    "acmeObjects OBJECT IDENTIFIER ::= { acme 1 }\n"
    "acmeTable OBJECT-TYPE SYNTAX SEQUENCE OF AcmeEntry MAX-ACCESS not-accessible STATUS current DESCRIPTION \"t\" ::= { acmeObjects 1 }\n"
    "acmeEntry OBJECT-TYPE SYNTAX AcmeEntry MAX-ACCESS not-accessible STATUS current DESCRIPTION \"e\" INDEX { acmeIndex } ::= { acmeTable 1 }\n"
    "AcmeEntry ::= SEQUENCE { acmeIndex INTEGER, acmeState AcmeState }\n"
    "acmeIndex OBJECT-TYPE SYNTAX INTEGER (1..64) MAX-ACCESS read-only STATUS current DESCRIPTION \"i\" ::= { acmeEntry 1 }\n"
    "acmeState OBJECT-TYPE SYNTAX AcmeState MAX-ACCESS read-only STATUS current DESCRIPTION \"s\" DEFVAL { ok } ::= { acmeEntry 2 }\n"
    "acmeFlags OBJECT-TYPE SYNTAX AcmeFlags MAX-ACCESS read-only STATUS current DESCRIPTION \"s\" ::= { acmeEntry 3 }\n"
    "acmeDate OBJECT-TYPE SYNTAX DateAndTime MAX-ACCESS read-only STATUS current DESCRIPTION \"s\" ::= { acmeObjects 2 }\n"
    "acmePort OBJECT-TYPE SYNTAX MacAddress MAX-ACCESS read-only STATUS current DESCRIPTION \"s\" ::= { acmeObjects 3 }\n"
    "acmeTraps OBJECT IDENTIFIER ::= { acme events(0) }\n"
    "acmeFailed NOTIFICATION-TYPE OBJECTS { acmeState } STATUS current DESCRIPTION \"n\" ::= { acmeTraps 1 }\n"
    "END\n";
static const char old[] = "OLD-MIB DEFINITIONS ::= BEGIN IMPORTS enterprises FROM RFC1155-SMI TRAP-TYPE FROM RFC-1215;\n"
                          "old OBJECT IDENTIFIER ::= { enterprises 64998 }\n"
                          "oldDown TRAP-TYPE ENTERPRISE old VARIABLES { oldPort } DESCRIPTION \"x\" ::= 7\n"
                          "oldCold TRAP-TYPE ENTERPRISE snmp DESCRIPTION \"x\" ::= 0\n"
                          "oldPort OBJECT-TYPE SYNTAX INTEGER { open(1) } ACCESS read-only STATUS mandatory ::= { old 3 }\nEND\n";

static struct mib *compiled(const char *const *modules, size_t n)
{
	struct smi *s = smi_new();
	struct mib *m = mib_new();
	struct findings f = {0};
	struct buf table = {0};
	for (size_t i = 0; i < n; i++)
		assert_int_equal(smi_add(s, "test", slice_str(modules[i]), &f), 0);
	if (smi_write(s, &table, &f) != 0)
		fail_msg("%s", f.v[0].message);
	assert_int_equal(mib_add(m, "table", buf_slice(&table), &f), 0);
	mib_seal(m);
	buf_free(&table);
	smi_free(s);
	return m;
}

static void assert_object(const struct mib *m, const char *oid, const char *name, const char *index)
{
	struct slice found;
	const struct mib_object *o = mib_object(m, slice_str(oid), &found);
	if (o == NULL)
		fail_msg("%s has no name", oid);
	else
		assert_true(slice_is(o->name, name) && slice_is(found, index));
}

static void modules_become_names(void **state)
{
	(void)state;
	struct mib *m = compiled((const char *const[]){acme, old}, 2);
	struct slice index;
	assert_object(m, "1.3.6.1.4.1.64999.1.1.1.2.17", "acmeState", "17");
	assert_object(m, "1.3.6.1.4.1.64999.1.2.0", "acmeDate", "0");
	assert_object(m, "1.3.6.1.4.1.64998.3.0", "oldPort", "0");
	assert_null(mib_object(m, SLICE("1.3.6.1.4.1.64999.1.1.1.20.1"), &index));
	assert_null(mib_object(m, SLICE("1.3.6.1.4.1.64999.1.1.1"), &index)); /* a row is no variable */
	assert_null(mib_object(NULL, SLICE("1.3"), &index));
	assert_true(slice_is(mib_notification(m, SLICE("1.3.6.1.4.1.64999.0.1")), "ACME-MIB::acmeFailed"));
	assert_true(slice_is(mib_notification(m, SLICE("1.3.6.1.4.1.64999.1")), "ACME-MIB::acmeFailed")); /* without the zero */
	assert_true(slice_is(mib_notification(m, SLICE("1.3.6.1.4.1.64998.0.7")), "OLD-MIB::oldDown"));
	assert_true(slice_is(mib_notification(m, SLICE("1.3.6.1.6.3.1.1.5.1")), "OLD-MIB::oldCold"));
	assert_null(mib_notification(m, SLICE("1.3.6.1.4.1.64998.0.8")).p);
	assert_true(slice_is(mib_place(m, SLICE("1.3.6.1.4.1.64999")), "acme"));
	mib_free(m);
}

static void values_by_their_form(void **state)
{
	(void)state;
	struct mib *m = compiled((const char *const[]){acme}, 1);
	struct arena *a = arena_new(0);
	struct slice index;
	const struct mib_object *o = mib_object(m, SLICE("1.3.6.1.4.1.64999.1.1.1.2.1"), &index);
	assert_true(slice_is(mib_label(o, 2), "failed") && slice_is(mib_label(o, -1), "off") && mib_label(o, 3).p == NULL);
	o = mib_object(m, SLICE("1.3.6.1.4.1.64999.1.1.1.3.1"), &index);
	assert_int_equal(o->form, MIB_BITS);
	assert_true(slice_is(mib_bits(o, SLICE("\xc0\x40"), a), "power,fan,temperature"));
	assert_true(slice_is(mib_bits(o, SLICE("\x00"), a), "") && mib_bits(o, SLICE("\x20"), a).p == NULL);
	assert_int_equal(mib_object(m, SLICE("1.3.6.1.4.1.64999.1.2.0"), &index)->form, MIB_DATE);
	assert_int_equal(mib_object(m, SLICE("1.3.6.1.4.1.64999.1.3.0"), &index)->form, MIB_MAC);
	assert_true(slice_is(mib_date(SLICE("\x07\xea\x0b\x16\x06\x1e\x00\x05+\x01\x00"), a), "2026-11-22T06:30:00.5+01:00"));
	assert_true(slice_is(mib_date(SLICE("\x07\xea\x0b\x16\x06\x1e\x00\x00"), a), "2026-11-22T06:30:00.0"));
	assert_null(mib_date(SLICE("\x07\xea\x0d\x16\x06\x1e\x00\x00"), a).p); /* month 13 */
	assert_null(mib_date(SLICE("12"), a).p);
	arena_free(a);
	mib_free(m);
}

static void what_is_missing_is_said(void **state)
{
	(void)state;
	static const char lost[] = "LOST-MIB DEFINITIONS ::= BEGIN IMPORTS above FROM ABOVE-MIB;\nlost OBJECT IDENTIFIER ::= { above 1 }\nEND\n";
	static const char circle[] = "C-MIB DEFINITIONS ::= BEGIN a OBJECT IDENTIFIER ::= { b 1 } b OBJECT IDENTIFIER ::= { a 1 } END";
	struct smi *s = smi_new();
	struct findings f = {0};
	struct buf out = {0};
	assert_int_equal(smi_add(s, "lost", SLICE(lost), &f), 0);
	assert_int_equal(smi_write(s, &out, &f), -1);
	assert_non_null(strstr(f.v[0].message, "'lost' hangs on 'above', which nobody defines; add the file of module ABOVE-MIB"));
	assert_int_equal(f.v[0].mark.line, 2);
	findings_clear(&f);
	smi_known(s, SLICE(". 1.3.6.1.4.1.5 above\n"));
	assert_int_equal(smi_write(s, &out, &f), 0);
	assert_int_equal(smi_add(s, "c", SLICE(circle), &f), 0);
	assert_int_equal(smi_write(s, &out, &f), -1);
	assert_int_equal(smi_add(s, "readme", SLICE("no module"), &f), -1);
	assert_int_equal(smi_add(s, "cut", SLICE("X DEFINITIONS ::= BEGIN a OBJECT IDENTIFIER ::= { iso 3 }"), &f), -1);
	findings_clear(&f);
	buf_free(&out);
	smi_free(s);
}

static void damaged_tables_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"? 1.3 a", "= 1..3 a", "= 1.3. a", "= 1.3 ", "= 1.3 a b", "= 1.3 a enum x", "= 1.3 a enum x=y",
	                                  "! 1.3 a", "@ ", "= a", "=", "= 1.3 a\x01"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct mib *m = mib_new();
		struct findings f = {0};
		char text[64];
		snprintf(text, sizeof text, "# head\n%s\n", bad[i]);
		if (mib_add(m, "t", slice_str(text), &f) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(f.v[0].mark.line, 2);
		findings_clear(&f);
		mib_free(m);
	}
}

static void shipped_tables(void **state)
{
	(void)state;
	struct mib *m = mib_shipped();
	struct slice index;
	assert_true(mib_len(m) > 800);
	assert_true(slice_is(mib_notification(m, SLICE("1.3.6.1.2.1.33.2.0.1")), "UPS-MIB::upsTrapOnBattery"));
	assert_true(slice_is(mib_notification(m, SLICE("1.3.6.1.4.1.8072.4.0.2")), "NET-SNMP-AGENT-MIB::nsNotifyShutdown"));
	assert_true(slice_is(mib_place(m, SLICE("1.3.6.1.2.1.33.1.6.3.2")), "upsAlarmOnBattery"));
	const struct mib_object *o = mib_object(m, SLICE("1.3.6.1.2.1.2.2.1.8.7"), &index);
	assert_true(slice_is(mib_label(o, 7), "lowerLayerDown") && slice_is(index, "7"));
	assert_object(m, "1.3.6.1.2.1.25.2.3.1.3.31", "hrStorageDescr", "31");
	assert_object(m, "1.3.6.1.4.1.2021.9.1.9.1", "dskPercent", "1");
	mib_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(modules_become_names),       cmocka_unit_test(values_by_their_form),
	    cmocka_unit_test(what_is_missing_is_said),    cmocka_unit_test(damaged_tables_are_refused),
	    cmocka_unit_test(shipped_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
