/* The table of codes. Knows nothing of the loader: the test that loads every example holds the two together. */
#include "rules/codes.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define HEAD "version: 1\npackage: demo\n"
/* a rule with these keys added, in line 4 and 5; what is added begins in line 7 */
#define RULE(keys)                                                                                           \
	HEAD "rules:\n  disk-full:\n    summary: Disk of ${host} is full\n    match: {app: kernel}\n" keys
/* a rule with this match in line 6 */
#define MATCH(match) HEAD "rules:\n  disk-full:\n    summary: Disk of ${host} is full\n    match: " match "\n"
/* the same, with a list; what is added begins in line 8 */
#define LISTED(keys)                                                                                         \
	HEAD "lists: {agents: [web1, web2]}\nrules:\n  disk-full:\n    summary: Disk of ${host} is full\n"    \
	     "    match: {app: kernel}\n" keys
/* a rule with these steps in line 6 */
#define STEPS(steps, more)                                                                                   \
	HEAD "rules:\n  disk-full:\n    summary: Disk of ${host} is full\n    when: {steps: [" steps           \
	     "], within: 5m" more "}\n"
#define DECODER(keys) HEAD "decoders:\n  - id: df\n    match: {app: df}\n" keys
#define SILENCE(keys) HEAD "silences:\n  works:\n    match: {service: db1}\n    reason: CHG0049911\n" keys
#define TEST(keys)    RULE("") "tests:\n  - name: a full disk\n" keys
#define DEEP          "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
#define PEOPLE        "    owner: team-linux\n    runbook: https://wiki.example/disk\n"
#define OPENS                                                                                                \
	"  - name: opens\n    events: [{at: 0s, event: {host: a, app: kernel}}]\n"                           \
	"    expect: [{at: 1s, alerts: [{rule: disk-full}]}]\n"
#define SILENT                                                                                               \
	"  - name: stays silent\n    events: [{at: 0s, event: {host: a, app: cron}}]\n"                      \
	"    expect: [{at: 1s, alerts: []}]\n"
#define TWO(keys)                                                                                            \
	RULE("") "  disk-slow:\n    summary: Disk of ${host} is slow\n    match: {app: smartd}\n" keys

static const struct code codes[] = {
    {"E001", "The file is not valid YAML, or holds a second document.",
     "Nothing of the file can be used. One file is one document; the message names the place where reading "
     "stopped.",
     HEAD "rules: {disk-full: [}\n", RULE(""), false},
    {"E002", "The same key or name stands there twice.",
     "YAML readers silently take one of the two; carillon refuses to guess which one was meant.",
     HEAD "package: other\n", HEAD, false},
    {"E003", "Anchors, aliases, tags and merge keys are not used here.",
     "A reader must see what a rule says where it stands. Use 'macros' for conditions, 'lists' for values and "
     "'params' for constants.",
     HEAD "description: &text some text\n", HEAD "description: some text\n", false},
    {"E004", "A key that nothing here knows.",
     "A misspelt key would do nothing, and nobody would notice. The message proposes the nearest name.",
     RULE("    macth: {app: df}\n"), RULE(""), false},
    {"E005", "Something that must be there is missing.",
     "The message names what lacks it; it is reported at the key of that thing.",
     HEAD "rules:\n  disk-full:\n    match: {app: kernel}\n", RULE(""), false},
    {"E006", "Not a duration.",
     "A duration is one or more numbers with a unit of ms s m h d w, such as 30s, 5m or 1h30m.",
     RULE("    open_after: 5min\n"), RULE("    open_after: 5m\n"), false},
    {"E007", "Text, a number, a list or a map where another of them must stand.",
     "The message says what was expected and, where it can, what to remove or to quote.",
     RULE("    by: host\n"), RULE("    by: [host]\n"), false},
    {"E008", "A number, duration or text outside of its limits.", "The message names both ends.",
     RULE("    when: {at_least: 0, within: 1m}\n"), RULE("    when: {at_least: 2, within: 1m}\n"), false},
    {"E009", "The file is too large or nested too deeply.",
     "At most 1 MiB and 32 levels, 2000 tests in one condition with its macros: limits keep a damaged file from "
     "stopping the daemon. Split the file, or put the values into 'lists: {x: {file: …}}'.",
     HEAD "lists: {a: " DEEP "}\n", HEAD "lists: {a: [x]}\n", false},
    {"E010", "A name with characters that names cannot have.",
     "Packages, rules, lists and macros take lower-case letters, digits and '-', beginning with a letter; "
     "fields and params '_' instead of '-'. A name is part of keys and URLs, so it must be plain.",
     HEAD "macros:\n  Noise: {app: cron}\n", HEAD "macros:\n  noise: {app: cron}\n", false},
    {"E011", "A word that is none of those possible here.",
     "The message lists the words and proposes the nearest.", RULE("    effect: broken\n"),
     RULE("    effect: down\n"), false},
    {"E020", "A field that nobody sets.",
     "A test on it could never be true. Fields are the core fields, what decoders set, what 'fields:' declares, "
     "and everything below syslog., snmp., body. and x.",
     MATCH("{hsot: web1}"), MATCH("{host: web1}"), false},
    {"E021", "An operator that does not exist.",
     "Operators are contains, starts, ends, like, regex, cidr, gt, ge, lt, le, list, exists and not. A bare value "
     "or a list means equals.",
     MATCH("{message: {contain: full}}"), MATCH("{message: {contains: full}}"), false},
    {"E022", "A regular expression that cannot be used.",
     "Either its syntax is wrong, or it needs look-around or back-references, which cannot be matched in one "
     "pass. Use a second condition, or 'not:'.",
     MATCH("{message: {regex: 'disk(?= full)'}}"), MATCH("{message: {regex: 'disk .*full$'}}"), false},
    {"E023", "Not a network.",
     "Networks are written like 10.1.0.0/16 or 2001:db8::/32, without host bits: 10.1.2.3/16 could mean two "
     "things.",
     MATCH("{sender: {cidr: 10.1.2.3/16}}"), MATCH("{sender: {cidr: 10.1.0.0/16}}"), false},
    {"E024", "A text is compared like a number.",
     "gt, ge, lt and le need a field whose type is number. Capture it as ${name:int} or ${name:num}, or declare it "
     "under 'fields:'.",
     MATCH("{app: {ge: 90}}"), HEAD "fields: {used_pct: number}\nrules:\n  disk-full:\n"
                                    "    summary: Disk of ${host} is full\n    match: {used_pct: {ge: 90}}\n",
     false},
    {"E025", "A reference to something that does not exist.",
     "A plain name is looked for in the same package, package/name in the other one.",
     MATCH("{macro: noise}"), HEAD "macros:\n  noise: {app: cron}\nrules:\n  disk-full:\n"
                                   "    summary: Disk of ${host} is full\n    match: {macro: noise}\n",
     false},
    {"E026", "Macros that contain each other.", "Nothing would ever come out of it.",
     HEAD "macros:\n  a: {macro: b}\n  b: {macro: a}\n", HEAD "macros:\n  a: {macro: b}\n  b: {app: cron}\n",
     false},
    {"E027", "A value is missing.",
     "There is no null: an absent field and an empty one are the same. To ask for a missing field write "
     "{exists: false}.",
     MATCH("{message: full, app: null}"), MATCH("{message: full, app: {exists: false}}"), false},
    {"E028", "A condition without a test.",
     "It would fit every event. Write the condition, or delete the rule.", MATCH("{}"), MATCH("{app: kernel}"),
     false},
    {"E040", "'when' has none or several of its three forms.",
     "at_least counts, fewer_than waits for what does not come, steps follow a sequence: exactly one of them.",
     RULE("    when: {within: 5m}\n"), RULE("    when: {at_least: 3, within: 5m}\n"), false},
    {"E041", "A number of events without the time in which they count.",
     "Three failures in a minute are an attack, three in a year are not.", RULE("    when: {at_least: 3}\n"),
     RULE("    when: {at_least: 3, within: 5m}\n"), false},
    {"E042", "Keys are expected, but it is not clear of which field.",
     "The list holds values of one field: the one in 'by'.",
     LISTED("    by: [host, app]\n    when: {fewer_than: 1, within: 5m, expect: {list: agents}}\n"),
     LISTED("    by: [host]\n    when: {fewer_than: 1, within: 5m, expect: {list: agents}}\n"), false},
    {"E043", "A sequence that begins with what must not come.",
     "Nothing would say when the waiting begins: put a 'match' before it, or use fewer_than.",
     STEPS("{absent: {app: b}}, {match: {app: a}}", ""), STEPS("{match: {app: a}}, {absent: {app: b}}", ""), false},
    {"E044", "Something must not come, in no order.",
     "Between which steps it must be absent is only clear in a strict order.",
     STEPS("{match: {app: a}}, {absent: {app: b}}", ", order: any"), STEPS("{match: {app: a}}, {absent: {app: b}}", ""),
     false},
    {"E050", "Rules that see each other's alerts.",
     "An alert is an event that rules may match; if the way leads back to where it began, one event could ring "
     "for ever.",
     MATCH("{type: alert}"), MATCH("{app: kernel}"), false},
    {"E051", "A rule that is suppressed by itself.",
     "While it is open it would mute itself, so nobody would ever hear of it.",
     RULE("    suppressed_by: [{rule: disk-full}]\n"), TWO("    suppressed_by: [{rule: disk-full}]\n"), false},
    {"E061", "A field in a template that nobody sets.",
     "The place would stay empty. The message lists what is available there.",
     HEAD "rules:\n  disk-full:\n    summary: Disk of ${hots} is full\n    match: {app: kernel}\n", RULE(""),
     false},
    {"E062", "A filter that does not exist.",
     "Filters are default:x, lower, upper, trim, short, limit:80, join:', ', duration and time.",
     HEAD "rules:\n  disk-full:\n    summary: Disk of ${host|uper} is full\n    match: {app: kernel}\n",
     HEAD "rules:\n  disk-full:\n    summary: Disk of ${host|upper} is full\n    match: {app: kernel}\n", false},
    {"E063", "A ticket connection that carillon.yaml does not have.",
     "The name stands below 'tickets:' there; the examples belong to a configuration with the connection 'rt'.",
     RULE("    incident: {ticket: rtt}\n"), RULE("    incident: {ticket: rt}\n"), false},
    {"E070", "A silence without one end.",
     "A silence that nobody ends hides the next fault too. It ends at a time ('until', with an optional 'from') or is "
     "in force in the times of a calendar ('during').",
     SILENCE(""), SILENCE("    until: 2026-01-05T06:00:00Z\n"), false},
    {"E071", "A silence that ends before it begins, or too late.",
     "'until' must be behind 'from' and at most one year away. What comes again and again is a calendar: 'during'.",
     SILENCE("    from: 2026-01-05T00:00:00Z\n    until: 2026-01-04T00:00:00Z\n"),
     SILENCE("    from: 2026-01-05T00:00:00Z\n    until: 2026-01-06T00:00:00Z\n"), false},
    {"E072", "A maintenance that asks for more than services.",
     "With 'include_dependents' a silence names services: they count as missing capacity, and what they explain gets "
     "no ticket. Events do not come into it, so only 'service', 'host' and 'service.*' can be tested.",
     HEAD "silences:\n  works:\n    match: {app: mysql}\n    reason: CHG0049911\n    include_dependents: true\n"
          "    until: 2026-01-05T06:00:00Z\n",
     SILENCE("    include_dependents: true\n    until: 2026-01-05T06:00:00Z\n"), false},
    {"E080", "A pattern in which the end of a capture cannot be found.",
     "Two captures side by side need text between them, or a type on the first that ends by itself.",
     DECODER("    extract: {message: \"${mount}${used}\"}\n"),
     DECODER("    extract: {message: \"${mount} ${used}\"}\n"), false},
    {"E081", "A field that decoders cannot set.",
     "time, received, source, type, sender and everything below service. say where an event comes from.",
     DECODER("    set: {sender: 10.0.0.1}\n"), DECODER("    set: {host: web1}\n"), false},
    {"E090", "A test names a rule that does not exist or is off.",
     "The test would prove nothing.",
     TEST("    rules: [disk-ful]\n    events: [{at: 0s, event: {host: a, app: kernel}}]\n"
          "    expect: [{at: 1s, alerts: []}]\n"),
     TEST("    rules: [disk-full]\n    events: [{at: 0s, event: {host: a, app: kernel}}]\n"
          "    expect: [{at: 1s, alerts: [{rule: disk-full}]}]\n"),
     false},
    {"E091", "No file fits a name with * or ?.",
     "A check of nothing would pass, and nobody would notice that the files have moved.",
     "carillonctl rules test 'rules/*.yml'", "carillonctl rules test 'rules/*.yaml'", true},
    {"E092", "A file that cannot be read.",
     "Lists, tables and calendars name files relative to the rule file.",
     HEAD "lists: {scanners: {file: scaners.txt}}\n", HEAD "lists: {scanners: [10.9.0.4]}\n", false},
    {"W101", "A condition that can never be true.",
     "Two tests of it exclude each other, or a decoder always sets another value. The rule would stay silent for "
     "ever.",
     MATCH("{app: kernel, all: [{app: cron}]}"), MATCH("{app: [kernel, cron]}"), false},
    {"W102", "Two rules that fit the same events.",
     "Every event that fits one of them also fits the other with the same 'by': two alerts will describe one "
     "thing. Narrow one, or let one suppress the other.",
     RULE("  disk-broken:\n    summary: Disk of ${host} is broken\n"
          "    match: {app: kernel, message: {contains: I/O error}}\n"),
     RULE("  disk-broken:\n    summary: Disk of ${host} is broken\n"
          "    match: {app: smartd, message: {contains: I/O error}}\n"),
     false},
    {"W103", "A rule that is tried for every event.",
     "None of its conditions can be looked up. Add one that can: an equal value, or a text with a whole word.",
     MATCH("{not: {app: kernel}}"), MATCH("{app: smartd, message: {not: {contains: PASSED}}}"), false},
    {"W104", "A regular expression without special characters.",
     "contains, starts or a bare value says the same, faster and without surprises.",
     MATCH("{message: {regex: disk full}}"), MATCH("{message: {contains: disk full}}"), false},
    {"W105", "Something that is defined and never used.",
     "Either a rule forgot it, or it can go.", HEAD "params: {tries: 5}\n",
     HEAD "params: {tries: 5}\nrules:\n  disk-full:\n    summary: Disk of ${host} is full\n"
          "    match: {app: kernel}\n    when: {at_least: $tries, within: 1m}\n",
     false},
    {"W106", "A rule without a test.",
     "Nobody knows whether it works. A test is an event and what it must cause.", RULE(""),
     RULE("") "tests:\n" OPENS SILENT, false},
    {"W107", "A rule with tests, but none in which it must stay silent.",
     "A rule that always fires passes such tests. Add an event that comes close, and 'alerts: []'.",
     RULE("") "tests:\n" OPENS, RULE("") "tests:\n" OPENS SILENT, false},
    {"W108", "A rule without owner or runbook.",
     "Whoever gets the ticket at night must know whom to ask and what to do. 'owner' may stand once per file.",
     RULE(""), RULE(PEOPLE), false},
    {"W109", "'open_after' is not shorter than 'clear.quiet'.",
     "The alert is cleared by silence before it may open, unless the event repeats.",
     RULE("    open_after: 10m\n    clear: {quiet: 5m}\n"), RULE("    open_after: 5m\n    clear: {quiet: 10m}\n"),
     false},
    {"W110", "'suppressed_by' can never apply.",
     "The two rules share no value of a field that must be the same.",
     HEAD "rules:\n  disk-full:\n    summary: Disk is full\n    match: {app: kernel, host: web1}\n"
          "  disk-slow:\n    summary: Disk is slow\n    match: {app: smartd, host: web2}\n"
          "    suppressed_by: [{rule: disk-full, same: [host]}]\n",
     HEAD "rules:\n  disk-full:\n    summary: Disk is full\n    match: {app: kernel, host: web1}\n"
          "  disk-slow:\n    summary: Disk is slow\n    match: {app: smartd, host: web1}\n"
          "    suppressed_by: [{rule: disk-full, same: [host]}]\n",
     false},
    {"W111", "'by' uses a field that some fitting events lack.",
     "All of them would share one alert under (none). Test the field, or take another one.",
     HEAD "decoders:\n  - id: df\n    match: {app: df}\n    extract: {message: \"${mount} ${used_pct:int}%\"}\n"
          "rules:\n  disk-full:\n    summary: Disk of ${host} is full\n    match: {app: [df, kernel]}\n"
          "    by: [host, mount]\n",
     HEAD "decoders:\n  - id: df\n    match: {app: df}\n    extract: {message: \"${mount} ${used_pct:int}%\"}\n"
          "rules:\n  disk-full:\n    summary: Disk of ${host} is full\n"
          "    match: {app: df, mount: {exists: true}}\n    by: [host, mount]\n",
     false},
    {"W112", "A condition that is always true where it stands.",
     "It says nothing; remove it, or it was meant otherwise.",
     MATCH("{app: {starts: ker, exists: true}}"), MATCH("{app: {starts: ker}}"), false},
    {"W113", "A pattern that can never be reached.",
     "The first pattern that fits wins, and an earlier one fits everything that this one fits.",
     DECODER("    extract: {message: [\"disk ...\", \"disk ${mount} full\"]}\n"),
     DECODER("    extract: {message: [\"disk ${mount} full\", \"disk ...\"]}\n"), false},
    {"W114", "A silence that mutes everything of the most important services.",
     "It would hide an outage of a business service of tier 1. Name the service, the host or the rule that is meant.",
     HEAD "silences:\n  works:\n    match: {service.tier: {le: 2}}\n    reason: CHG0049911\n"
          "    until: 2026-01-05T06:00:00Z\n",
     SILENCE("    until: 2026-01-05T06:00:00Z\n"), false},
};

const struct code *codes_all(size_t *n)
{
	*n = ARRAY_LEN(codes);
	return codes;
}

const struct code *codes_find(struct slice code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (code.n == strlen(codes[i].code) && strncasecmp(code.p, codes[i].code, code.n) == 0)
			return &codes[i];
	return NULL;
}
