/* One case per E-code and W-code that the loader can give: code, exact place, text (language.md sections
 * 12, 17.20). */
#include <stdio.h>
#include <string.h>

#include "load_help.h"

struct fault {
	const char *text;
	const char *code;
	uint32_t line, col;
	const char *part;
};

/* A whole file around one rule's keys: the rule's first key stands in line 5, column 5. */
#define RULE(keys) "version: 1\npackage: net\nrules:\n  a:\n" keys
#define OK_KEYS    "    summary: Host ${host} is bad\n    match: {app: kernel}\n"

#define CAL(text)     "version: 1\ncalendars:\n  c: " text "\n"
#define TABLE(text)   "version: 1\ntables:\n  t: " text "\n"
#define SILENCE(text) "version: 1\nsilences:\n  s: " text "\n"

static const struct fault faults[] = {
    /* the file */
    {"version: 1\nrules: {a: [}\n", "E001", 2, 13, "not valid YAML"},
    {"version: 1\npackage: net\npackage: net\n", "E002", 3, 1, "duplicate key 'package'; first at 2:1"},
    {"version: 1\nrules: {}\ndescription: &x a\n", "E003", 3, 14, "macros"},
    {"version: 1\nruls: {}\n", "E004", 2, 1, "unknown key 'ruls' in the file; did you mean 'rules'?"},
    {"package: net\n", "E005", 1, 1, "the file needs 'version'"},
    {"version: 2\n", "E011", 1, 10, "'2' must be one of 1"},
    {"version: 1\npackage: Net\n", "E010", 2, 10,
     "id 'Net' is not valid; use lower-case letters, digits and '-'"},
    {"version: 1\nrules: [a]\n", "E007", 2, 8, "expected a map for 'rules', got a list"},
    {"version: 1\nrules:\n", "E027", 2, 1, "write a value for 'rules' or remove the key"},
    {"version: 1\nrules: {A: {}}\n", "E010", 2, 9, "id 'A' is not valid"},
    {"version: 1\nfields: {a: texts}\n", "E011", 2, 13,
     "'texts' must be one of text, number, ip, bool, time; did you mean 'text'?"},
    {"version: 1\nfields: {A: text}\n", "E010", 2, 10, "'A' is not valid"},
    {"version: 1\nfields: {any: text}\n", "E010", 2, 10, "'any' cannot be a field"},
    {"version: 1\nparams: {a: [1]}\n", "E007", 2, 13, "got a list"},
    {"version: 1\nparams: {a-b: 1}\n", "E010", 2, 10, "id 'a-b' is not valid"},
    {"version: 1\nlists: {a: b}\n", "E007", 2, 12, "expected a list for 'a', got text"},
    {"version: 1\nlists: {a: [b, null]}\n", "E027", 2, 16, "empty value"},
    {"version: 1\nlists: {a: {file: none.txt}}\n", "E092", 2, 19, "cannot read 'none.txt'"},
    {"version: 1\nlists: {a: {fil: x}}\n", "E004", 2, 13,
     "unknown key 'fil' in list 'a'; did you mean 'file'?"},
    {"version: 1\nlists: {a: {fil: x}}\n", "E005", 2, 9, "list 'a' needs 'file'"},
    /* what this version lacks */
    /* calendars */
    {CAL("{}"), "E005", 3, 3, "calendar 'c' needs 'times' or 'ical'"},
    {CAL("{tims: []}"), "E004", 3, 7, "unknown key 'tims' in calendar 'c'; did you mean 'times'?"},
    {CAL("{timezone: Europe/Berln, times: [{weekdays: [mon]}]}"), "E011", 3, 17,
     "'Europe/Berln' must be one of the IANA time zones, such as Europe/Berlin; did you mean 'Europe/Berlin'?"},
    {CAL("{timezone: ../x, times: [{weekdays: [mon]}]}"), "E011", 3, 17, "IANA"},
    {CAL("{times: []}"), "E027", 3, 14, "empty list"},
    {CAL("{times: [{}]}"), "E027", 3, 15, "empty interval"},
    {CAL("{times: [{weekdays: [mon-fry]}]}"), "E011", 3, 31, "'fry' must be one of mon, tue"},
    {CAL("{times: [{months: [jen]}]}"), "E011", 3, 25, "did you mean 'jan'"},
    {CAL("{times: [{month_days: [8-x]}]}"), "E007", 3, 29, "expected a day of the month such as"},
    {CAL("{times: [{month_days: [0]}]}"), "E008", 3, 29, "'month_days' must be between 1 and 31"},
    {CAL("{times: [{month_days: [14-8]}]}"), "E008", 3, 29, "the first not behind the second"},
    {CAL("{times: [{dates: [2026-02-30]}]}"), "E007", 3, 24, "expected a date such as"},
    {CAL("{times: [{dates: [2026-02-03..2026-02-01]}]}"), "E008", 3, 24, "must not be behind"},
    {CAL("{times: [{from: 08:00}]}"), "E005", 3, 16, "'from' needs 'to'"},
    {CAL("{times: [{from: 8:00, to: 09:00}]}"), "E007", 3, 22, "expected a time of day such as 08:00 for 'from'"},
    {CAL("{times: [{from: 08:00, to: 24:01}]}"), "E007", 3, 33, "for 'to', got '24:01'"},
    {CAL("{times: [{from: 08:00, to: 08:00}]}"), "E008", 3, 33, "'to' must differ from 'from'"},
    {CAL("{ical: none.ics}"), "E092", 3, 13, "cannot read 'none.ics': the file is missing"},
    {CAL("{ical: bad.ics}"), "E092", 3, 13, "cannot read 'bad.ics': line 1: this is no iCalendar file"},
    {CAL("{times: [{weekdays: [mon]}]}"), "W105", 3, 3, "unused calendar 'c'"},
    {RULE(OK_KEYS "    only_during: offce\n"), "E025", 7, 18, "there is no calendar 'offce'"},
    {RULE(OK_KEYS "    only_during: {nt: x}\n"), "E004", 7, 19, "unknown key 'nt'"},
    {RULE("    summary: Edge\n    match: {type: calendar, calendar: x}\n"), "E025", 6, 39,
     "there is no calendar 'x'"},
    {SILENCE("{match: {host: a}, reason: r, during: d}"), "E025", 3, 44, "there is no calendar 'd'"},
    {CAL("{times: [{weekdays: [mon]}]}\nsilences:\n  s: {match: {host: a}, reason: r, during: c, until: "
         "2026-01-05T00:00:00Z}"),
     "E070", 5, 47, "a silence has one end"},
    /* tables */
    {TABLE("{key: a}"), "E005", 3, 3, "table 't' needs 'file' or 'redis'"},
    {TABLE("{file: good.csv}"), "E005", 3, 3, "table 't' needs 'key'"},
    {TABLE("{redis: x, key: host}"), "W105", 3, 3, "unused table 't'"},
    {TABLE("{redis: x}"), "E005", 3, 3, "table 't' needs 'key'"},
    {TABLE("{file: none.csv, key: a}"), "E092", 3, 13, "cannot read 'none.csv': the file is missing"},
    {TABLE("{file: bad.csv, key: host}"), "E092", 3, 13, "cannot read 'bad.csv': line 3: 1 values"},
    {TABLE("{file: good.csv, key: hots}"), "E025", 3, 28, "there is no column 'hots' in 'good.csv'"},
    {TABLE("{file: good.csv, key: host}"), "W105", 3, 3, "unused table 't'"},
    {TABLE("{file: good.csv, key: host}\ndecoders:\n- id: d\n  match: {app: x}\n  lookup: [{table: u, key: "
           "\"${host}\", set: {x.a: site}}]"),
     "E025", 7, 20, "there is no table 'u'"},
    {TABLE("{file: good.csv, key: host}\ndecoders:\n- id: d\n  match: {app: x}\n  lookup: [{table: t, key: "
           "\"${hst}\", set: {x.a: site}}]"),
     "E061", 7, 31, "unknown field 'hst'"},
    {TABLE("{file: good.csv, key: host}\ndecoders:\n- id: d\n  match: {app: x}\n  lookup: [{table: t, key: "
           "\"${host}\", set: {x.a: sit}}]"),
     "E025", 7, 50, "there is no column 'sit' in table 'x/t'; did you mean 'site'?"},
    {TABLE("{file: good.csv, key: host}\ndecoders:\n- id: d\n  match: {app: x}\n  lookup: [{table: t, key: "
           "\"${host}\", set: {type: site}}]"),
     "E081", 7, 45, "'type' is read-only"},
    /* silences */
    {SILENCE("{match: {host: a}, reason: r}"), "E070", 3, 3, "a silence needs an end: add 'until' or 'during'"},
    {SILENCE("{match: {host: a}, reason: r, from: 2026-01-05T00:00:00Z}"), "E070", 3, 3,
     "a silence needs an end: add 'until' or 'during'"},
    {SILENCE("{match: {host: a}, reason: r, from: 2026-01-05T00:00:00Z, until: 2026-01-05T00:00:00Z}"), "E071", 3,
     71, "'until' is before 'from'"},
    {SILENCE("{match: {host: a}, reason: r, from: 2026-01-05T00:00:00Z, until: 2027-01-07T00:00:00Z}"), "E071", 3,
     71, "'until' is more than 1 year away"},
    {SILENCE("{match: {host: a}, reason: r, until: tomorrow}"), "E007", 3, 43, "expected a time such as"},
    {SILENCE("{match: {hots: a}, reason: r, until: 2026-01-05T00:00:00Z}"), "E020", 3, 15,
     "unknown field 'hots'"},
    {SILENCE("{match: {}, reason: r, until: 2026-01-05T00:00:00Z}"), "E028", 3, 14, "this match is empty"},
    {SILENCE("{match: {host: a}, until: 2026-01-05T00:00:00Z}"), "E005", 3, 3, "silence 's' needs 'reason'"},
    {SILENCE("{match: {host: a, any: [{service: b}, {app: c}]}, include_dependents: true, reason: r, until: "
             "2026-01-05T00:00:00Z}"),
     "E072", 3, 45, "with 'include_dependents' a silence may test 'service', 'host' and 'service.*' only"},
    {"version: 1\nmacros: {x: {app: a}}\nsilences:\n  s: {match: {macro: x}, include_dependents: true, reason: "
     "r, until: 2026-01-05T00:00:00Z}\n",
     "E072", 4, 22, "with 'include_dependents' a silence may test"},
    {SILENCE("{match: {service.tier: {le: 2}}, reason: r, until: 2026-01-05T00:00:00Z}"), "W114", 3, 7,
     "silence matches everything of service tier 1"},
    /* when, flap */
    {RULE(OK_KEYS "    flap: true\n"), "E007", 7, 11, "expected a map or false for 'flap'"},
    {RULE(OK_KEYS "    flap: {changes: 3, within: 1h}\n"), "E005", 7, 5, "'flap' of rule 'a' needs 'settle'"},
    {RULE(OK_KEYS "    close_after: 1min\n"), "E006", 7, 18, "got '1min'; write '1m'"},
    {RULE(OK_KEYS "    when: {fewer_than: 1}\n"), "E041", 7, 12,
     "'fewer_than' needs 'within': how much time may pass? Example: within: 5m"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: a}}, {match: {app: b}}]}\n"), "E041", 7, 12,
     "'steps' needs 'within'"},
    {"version: 1\nlists: {l: [x]}\nrules:\n  a:\n    summary: Host is bad\n    match: {app: kernel}\n    by: [host, "
     "app]\n    when: {fewer_than: 1, within: 1m, expect: {list: l}}\n",
     "E042", 8, 39, "'expect' needs exactly one field in 'by'"},
    {RULE(OK_KEYS "    when: {fewer_than: 1, within: 1m, expect: {list: l}}\n"), "E025", 7, 54,
     "there is no list 'l'"},
    {RULE(OK_KEYS "    when: {fewer_than: 1, within: 1m}\n    clear: {fewer_than: 1, within: 1m}\n"), "E004", 8, 13,
     "cannot end a 'when' of fewer_than"},
    {RULE(OK_KEYS "    when: {fewer_than: 1, within: 1m, of: {max: x.a}}\n"), "E004", 7, 39,
     "'of' belongs to 'at_least', not to 'fewer_than'; remove it"},
    {RULE(OK_KEYS "    when: {at_least: 1, within: 1m, order: any}\n"), "E004", 7, 37,
     "'order' belongs to 'steps', not to 'at_least'; remove it"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 1m, of: {}}\n"), "E005", 7, 37, "needs one of distinct, sum"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 1m, of: {mean: x.a}}\n"), "E004", 7, 42, "unknown key 'mean'"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 1m, of: {min: x.a, max: x.a}}\n"), "E004", 7, 52,
     "takes one value, and has 'min' already; remove 'max'"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 1m, of: {sum: nosuch}}\n"), "E020", 7, 47,
     "unknown field 'nosuch'"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 1m, of: {sum: app}}\n"), "E024", 7, 47,
     "'app' is text, but 'sum' compares numbers"},
    {RULE(OK_KEYS "    when: {at_least: 100001, within: 1m, of: {distinct: app}}\n"), "E008", 7, 22,
     "'at_least' must be between 1 and 100000"},
    {RULE(OK_KEYS "    when: {at_least: 20000, within: 1m, of: {distinct: app}}\n"), "E008", 7, 22,
     "'at_least' must be between 1 and 10000 with 'distinct'"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 1m, window: hopping}\n"), "E011", 7, 45,
     "'hopping' must be one of sliding, aligned, session"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}}], within: 1m}\n"), "E008", 7, 12,
     "'steps' must be between 2 and 16 steps long"},
    {RULE(OK_KEYS "    when: {steps: [{absent: {app: x}}, {match: {app: y}}], within: 1m}\n"), "E043", 7, 21,
     "a sequence cannot begin with 'absent'"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}}, {absent: {app: y}}], within: 1m, order: any}\n"), "E044", 7,
     40, "'absent' needs order: strict"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}}, {times: 2}], within: 1m}\n"), "E005", 7, 39,
     "step 2 of rule 'a' needs 'match' or 'absent'"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}}, {absent: {app: x}, times: 2}], within: 1m}\n"), "E004", 7,
     58, "'times' belongs to 'match', not to 'absent'"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}}, {match: {}}], within: 1m}\n"), "E028", 7, 47,
     "this match is empty"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}, name: a}, {match: {app: y}, name: a}], within: 1m}\n"), "E002",
     7, 72, "duplicate step 'a'"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}, name: A}, {match: {app: y}}], within: 1m}\n"), "E010", 7, 44,
     "id 'A' is not valid"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}}, {match: {app: y}}], within: 1m, at_least: 1}\n"), "E004", 7,
     71, "'at_least' of steps needs order: any"},
    {RULE(OK_KEYS "    when: {steps: [{match: {app: x}}, {match: {app: y}}], within: 1m, order: any, at_least: 3}\n"),
     "E008", 7, 93, "'at_least' must be between 1 and 2, the number of steps"},
    {RULE("    summary: ${steps.b.app} is bad\n    when: {steps: [{match: {app: x}, name: a}, {match: {app: y}}], "
          "within: 1m}\n"),
     "E061", 5, 16, "unknown field 'steps.b.app' in template"},
    /* rules: keys and values */
    {RULE(OK_KEYS "    macth: {app: x}\n"), "E004", 7, 5,
     "unknown key 'macth' in rule 'a'; did you mean 'match'?"},
    {RULE("    match: {app: x}\n"), "E005", 4, 3, "rule 'a' needs 'summary'"},
    {RULE("    summary: Host is bad\n"), "E005", 4, 3, "rule 'a' needs 'match'"},
    {RULE(OK_KEYS "    open_after: 5min\n"), "E006", 7, 17,
     "expected a duration such as 30s, 5m or 1h30m, got '5min'; write '5m'"},
    {RULE(OK_KEYS "    open_after: 30\n"), "E006", 7, 17, "got '30'; write '30s'"},
    {RULE(OK_KEYS "    open_after: soon\n"), "E006", 7, 17, "got 'soon'"},
    {RULE(OK_KEYS "    by: host\n"), "E007", 7, 9, "expected a list for 'by', got text; write [host]"},
    {RULE("    summary: {a: b}\n    match: {app: x}\n"), "E007", 5, 14,
     "expected text for 'summary', got a map; quote it"},
    {RULE("    summary: Host is bad\n    match: [{app: x}]\n"), "E007", 6, 12,
     "expected a map for 'match', got a list; remove the dash"},
    {RULE("    summary: no\n    match: {app: x}\n"), "E008", 5, 14, "'summary' must be between 3 and 200"},
    {RULE(OK_KEYS "    when: {at_least: 0, within: 1m}\n"), "E008", 7, 22,
     "'at_least' must be between 1 and 100000"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 8d}\n"), "E008", 7, 33,
     "'within' must be between 1ms and 1w"},
    {RULE(OK_KEYS "    when: {at_least: many, within: 1d}\n"), "E007", 7, 22,
     "expected a number for 'at_least', got 'many'"},
    {RULE(OK_KEYS "    mode: tria\n"), "E011", 7, 11,
     "'tria' must be one of live, trial, off; did you mean 'trial'?"},
    {RULE(OK_KEYS "    effect: broken\n"), "E011", 7, 13,
     "'broken' must be one of down, degraded, risk, none"},
    {RULE(OK_KEYS "    nature: overlod\n"), "E011", 7, 13, "did you mean 'overload'?"},
    {RULE(OK_KEYS "    severity: majr\n"), "E011", 7, 15, "did you mean 'major'?"},
    {RULE(OK_KEYS "    severity: ${sevrity}\n"), "E061", 7, 17,
     "unknown field 'sevrity' in template; did you mean 'severity'?"},
    {RULE(OK_KEYS "    severity: ${severity|lower}\n"), "E007", 7, 15, "a single ${field}"},
    {RULE(OK_KEYS "    by: [host, hots]\n"), "E020", 7, 16,
     "unknown field 'hots': no decoder sets it and no 'fields:' declares it; did you mean 'host'?"},
    {RULE(OK_KEYS "    by: [host, rack]\n"), "E020", 7, 16,
     "if it arrives like this, declare it: fields: {rack: text}"},
    {RULE(OK_KEYS "    by: [host, host]\n"), "E002", 7, 16, "duplicate field 'host' in 'by'"},
    {RULE(OK_KEYS "    tags: [a, ~]\n"), "E027", 7, 15, "empty value"},
    {RULE(OK_KEYS "    owner:\n"), "E027", 7, 5, "write a value for 'owner' or remove the key"},
    {RULE("    summary: ${hots} is bad\n    match: {app: x}\n"), "E061", 5, 16,
     "unknown field 'hots' in template; did you mean 'host'?"},
    {RULE("    summary: \"bad: ${rack}\"\n    match: {app: x}\n"), "E061", 5, 22,
     "available here: core fields"},
    {RULE("    summary: ${host|uper} is bad\n    match: {app: x}\n"), "E062", 5, 21, "uper"},
    {RULE("    summary: ${host is bad\n    match: {app: x}\n"), "E007", 5, 14, ""},
    /* conditions */
    {RULE("    summary: Host is bad\n    match: {}\n"), "E028", 6, 12,
     "this match is empty and would fit every event; write the condition or delete the rule"},
    {RULE("    summary: Host is bad\n    match: {any: []}\n"), "E028", 6, 18, "this match is empty"},
    {RULE("    summary: Host is bad\n    match: {program: a}\n"), "E020", 6, 13,
     "unknown field 'program': no decoder sets it and no 'fields:' declares it; did you mean 'app'? If it "
     "arrives like this, declare it: fields: {program: text}"},
    {RULE("    summary: Host is bad\n    match: {hsot: a}\n"), "E020", 6, 13,
     "unknown field 'hsot': no decoder sets it and no 'fields:' declares it; did you mean 'host'?"},
    {RULE("    summary: Host is bad\n    match: {app: {contain: a}}\n"), "E021", 6, 19,
     "unknown operator 'contain'; operators are: contains, starts, ends, like, regex, cidr, gt, ge, lt, le, "
     "list, exists, not; did you mean 'contains'?"},
    {RULE("    summary: Host is bad\n    match: {app: {regex: 'a(?=b)'}}\n"), "E022", 6, 26, "regex: "},
    {RULE("    summary: Host is bad\n    match: {app: {regex: [ok, '(']}}\n"), "E022", 6, 31, "regex: "},
    {RULE("    summary: Host is bad\n    match: {sender: {cidr: 10.1.2.3/16}}\n"), "E023", 6, 28,
     "'10.1.2.3/16' is not a network; write it like 10.1.0.0/16"},
    {RULE("    summary: Host is bad\n    match: {sender: {cidr: 2001:db8::1/32}}\n"), "E023", 6, 28,
     "write it like 2001:db8::/32"},
    {RULE("    summary: Host is bad\n    match: {sender: {cidr: here}}\n"), "E023", 6, 28,
     "'here' is not a network"},
    {RULE("    summary: Host is bad\n    match: {app: {ge: 5}}\n"), "E024", 6, 19,
     "'app' is text, but 'ge' compares numbers"},
    {RULE("    summary: Host is bad\n    match: {x.a: {ge: five}}\n"), "E007", 6, 23,
     "expected a number for 'ge', got 'five'"},
    {RULE("    summary: Host is bad\n    match: {service.tier: one}\n"), "E007", 6, 27,
     "expected a number for 'service.tier'"},
    {RULE("    summary: Host is bad\n    match: {app: {exists: maybe}}\n"), "E007", 6, 27,
     "expected true or false"},
    {RULE("    summary: Host is bad\n    match: {macro: m}\n"), "E025", 6, 20, "there is no macro 'm'"},
    {RULE("    summary: Host is bad\n    match: {app: {list: l}}\n"), "E025", 6, 25, "there is no list 'l'"},
    {RULE("    summary: Host is bad\n    match: {app: $p}\n"), "E025", 6, 18,
     "there is no param 'p' in package 'net'"},
    {RULE("    summary: Host is bad\n    match: {alert.rule: bb}\n"), "E025", 6, 25, "there is no rule 'bb'"},
    {RULE("    summary: Host is bad\n    match: {app: null}\n"), "E027", 6, 18,
     "empty value; to ask for a missing field write {exists: false}"},
    {RULE("    summary: Host is bad\n    match: {app: ~}\n"), "E027", 6, 18, "empty value"},
    {RULE("    summary: Host is bad\n    match: {app: \"\"}\n"), "E027", 6, 18, "empty value"},
    {RULE("    summary: Host is bad\n    match: {app: []}\n"), "E027", 6, 18, "empty list"},
    {RULE("    summary: Host is bad\n    match: {app: {}}\n"), "E028", 6, 18, "empty"},
    {RULE("    summary: Host is bad\n    match: {any: {app: x}}\n"), "E007", 6, 18,
     "put a dash before each condition"},
    {"version: 1\nmacros:\n  a: {macro: b}\n  b: {macro: a}\n", "E026", 4, 14,
     "macros form a cycle: a → b → a"},
    {"version: 1\nmacros:\n  a: {macro: c}\n  b: {macro: a}\n  c: {macro: b}\n", "E026", 5, 14,
     "macros form a cycle"},
    /* when, clear */
    {RULE(OK_KEYS "    when: {within: 5m}\n"), "E040", 7, 5,
     "'when' takes one of at_least, fewer_than, steps"},
    {RULE(OK_KEYS "    when: {at_least: 2, within: 5m, fewer_than: 1}\n"), "E040", 7, 37,
     "'when' takes one of"},
    {RULE(OK_KEYS "    when: {at_least: 2}\n"), "E041", 7, 12,
     "'at_least' needs 'within': how much time may pass? Example: within: 5m"},
    {RULE(OK_KEYS "    clear: {fewer_than: 2}\n"), "E041", 7, 13, "'fewer_than' needs 'within'"},
    {RULE(OK_KEYS "    clear: {within: 2m}\n"), "E005", 7, 13, "needs 'fewer_than'"},
    {RULE(OK_KEYS "    clear: {}\n"), "E005", 7, 5, "needs one of match, quiet, fewer_than"},
    {RULE(OK_KEYS "    clear: {macth: {app: b}}\n"), "E004", 7, 13, "did you mean 'match'?"},
    /* suppression, chaining */
    {RULE(OK_KEYS "    suppressed_by: [{rule: a}]\n"), "E051", 7, 28,
     "a rule cannot be suppressed by itself"},
    {RULE(OK_KEYS "    suppressed_by: [{rule: b}]\n  b:\n" OK_KEYS "    suppressed_by: [{rule: net/a}]\n"),
     "E051", 11, 28, "(also through net/a)"},
    {RULE(OK_KEYS "    suppressed_by: [{match: {alert.rule: a}}]\n"), "E051", 7, 5,
     "a rule cannot be suppressed by itself"},
    {RULE(OK_KEYS "    suppressed_by: [{rule: c}]\n"), "E025", 7, 28, "there is no rule 'c'"},
    {RULE(OK_KEYS "    suppressed_by: [{rule: b, same: [app]}]\n  b:\n" OK_KEYS), "E020", 7, 38,
     "'same' takes fields that are in 'by' of both rules, or 'service'"},
    {RULE(OK_KEYS "    suppressed_by: [{same: [host]}]\n"), "E005", 7, 21, "needs 'rule' or 'match'"},
    {RULE("    summary: On alerts\n    match: {alert.rule: net/b}\n  b:\n    summary: On alerts\n    match: "
          "{alert.rule: a}\n"),
     "E050", 7, 3,
     "rules form a cycle: net/b (7:3) → net/a (4:3) → net/b; a rule cannot depend on its own alert"},
    {RULE("    summary: On alerts\n    match: {type: alert}\n"), "E050", 4, 3,
     "rules form a cycle: net/a (4:3) → net/a"},
    {RULE("    summary: On alerts\n    match: {alert.rule: {starts: net/}, alert.state: open}\n"), "E050", 4,
     3, "rules form a cycle"},
    /* incident */
    {RULE(OK_KEYS "    incident: true\n"), "E007", 7, 15, "expected a map or false for 'incident'"},
    {RULE(OK_KEYS "    incident: {group: topologie}\n"), "E011", 7, 23,
     "'topologie' must be one of topology, alert; did you mean 'topology'?"},
    {RULE(OK_KEYS "    incident: {group: [rack]}\n"), "E020", 7, 24, "unknown field 'rack'"},
    {RULE(OK_KEYS "    incident: {wait: never}\n"), "E006", 7, 22, "got 'never'"},
    {RULE(OK_KEYS "    incident: {priority: P6}\n"), "E011", 7, 26, "'P6' must be one of auto, P1"},
    {RULE(OK_KEYS "    incident: {assign: \"${service.asign}\"}\n"), "E061", 7, 27,
     "did you mean 'service.assign'?"},
    {RULE(OK_KEYS "    incident: {fields: {a: \"${b}\"}}\n"), "E061", 7, 31, "unknown field 'b' in template"},
    {RULE(OK_KEYS "    incident: {titel: x}\n"), "E004", 7, 16,
     "unknown key 'titel' in 'incident' of rule 'a'; did you mean 'title'?"},
    /* decoders */
    {"version: 1\ndecoders: [{match: {app: a}}]\n", "E005", 2, 12, "decoder needs 'id'"},
    {"version: 1\ndecoders: [{id: a}]\n", "E005", 2, 17, "decoder 'a' needs 'match'"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}}, {id: a, match: {app: b}}]\n", "E002", 2, 43,
     "duplicate decoder 'x/a'; first at rules/x.yaml:2:12"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, set: {source: c}}]\n", "E081", 2, 43,
     "'source' is read-only"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, set: {service.tier: c}}]\n", "E081", 2, 43,
     "'service.tier' is read-only"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, extract: {message: \"${time} x\"}}]\n", "E081", 2, 59,
     "'time' is read-only"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, extract: {message: \"a ${b}${c:int}\"}}]\n", "E080", 2, 63,
     ""},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, extract: {mesage: \"a ${b}\"}}]\n", "E020", 2, 47,
     "did you mean 'message'?"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, set: {severity: bad}}]\n", "E011", 2, 53,
     "'bad' must be one of critical"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, set: {state: {from: x.a, map: {up: cleer}}}}]\n",
     "E011", 2, 72, "did you mean 'clear'?"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, set: {state: {map: {up: clear}}}}]\n", "E005", 2, 43,
     "'set' of 'state' needs 'from'"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, set: {check: \"${alert.coun}\"}}]\n", "E061", 2, 53,
     "did you mean 'alert.count'?"},
    {"version: 1\ndecoders: [{id: a, match: {app: b}, drop: false}]\n", "E007", 2, 43,
     "expected true for 'drop'"},
    /* tests */
    {"version: 1\ntests: [{events: [], expect: [{at: 0s, alerts: []}]}]\n", "E005", 2, 9,
     "test 1 needs 'name'"},
    {"version: 1\ntests: [{name: n, rules: [q], events: [], expect: [{at: 0s, alerts: []}]}]\n", "E090", 2,
     27, "test names rule 'q', which does not exist or is off"},
    {"version: 1\ntests: [{name: n, events: [{at: 0s}], expect: [{at: 0s, alerts: []}]}]\n", "E005", 2, 28,
     "event 1 of test 'n' needs one of event, syslog"},
    {"version: 1\ntests: [{name: n, events: [{at: 0s, event: {hots: x}}], expect: [{at: 0s, alerts: []}]}]\n",
     "E020", 2, 45, "did you mean 'host'?"},
    {"version: 1\ntests: [{name: n, events: [{at: 0s, syslog: x, event: {host: x}}], expect: [{at: 0s, "
     "alerts: []}]}]\n",
     "E004", 2, 48, "takes one of"},
    {"version: 1\ntests: [{name: n, events: [], expect: [{at: 0s, alerts: [{rule: q}]}]}]\n", "E090", 2, 65,
     "test names rule 'q'"},
    {"version: 1\ntests: [{name: n, events: [], expect: [{at: 0s, alert: []}]}]\n", "E004", 2, 49,
     "did you mean 'alerts'?"},
    {"version: 1\ntests: [{name: n, map: none.yaml, events: [], expect: [{at: 0s, alerts: []}]}]\n", "E092",
     2, 24, "cannot read 'none.yaml'"},
    {"version: 1\ntests: [{name: n, start: now, events: [], expect: [{at: 0s, alerts: []}]}]\n", "E007", 2,
     26, "expected a time"},
    {"version: 1\ntests: [{name: n, events: [{at: 0s, ticket: {root: a}}], expect: [{at: 0s, incidents: "
     "[{stat: open}]}]}]\n",
     "E005", 2, 45, "needs one of state, priority, merged_into"},
    {"version: 1\ntests: [{name: n, events: [{at: 0s, ticket: {root: a}}], expect: [{at: 0s, incidents: "
     "[{stat: open}]}]}]\n",
     "E004", 2, 89, "did you mean 'state'?"},
    /* lints */
    {RULE("    summary: Host is bad\n    match: {severity: bad}\n"), "W101", 6, 23, "this can never be true"},
    {RULE("    summary: Host is bad\n    match: {x.a: {gt: 5, lt: 3}}\n"), "W101", 6, 18,
     "no number is above 5 and below 3"},
    {RULE("    summary: Host is bad\n    match: {message: {not: {contains: x}}}\n"), "W103", 6, 5,
     "tried for every event"},
    {RULE("    summary: Host is bad\n    match: {message: {regex: failed}}\n"), "W104", 6, 30,
     "use contains"},
    {"version: 1\nparams: {p: 1}\n", "W105", 2, 10, "unused param 'p'"},
    {"version: 1\nlists: {l: [a]}\n", "W105", 2, 9, "unused list 'l'"},
    {"version: 1\nmacros: {m: {app: a}}\n", "W105", 2, 10, "unused macro 'm'"},
    {RULE(OK_KEYS), "W106", 4, 3, "rule 'a' has no test"},
    {RULE(OK_KEYS "tests: [{name: n, events: [], expect: [{at: 0s, alerts: [{rule: a}]}]}]\n"), "W107", 4, 3,
     "none where it must stay silent"},
    {RULE(OK_KEYS), "W108", 4, 3, "rule 'a' has no owner and no runbook"},
    {RULE(OK_KEYS "    open_after: 5m\n    clear: {quiet: 5m}\n"), "W109", 7, 17,
     "the alert opens only if the event repeats"},
    {RULE("    summary: Host is bad\n    match: {message: {exists: true, contains: x}}\n"), "W112", 6, 23,
     "condition always true here; remove it"},
};

static void test_faults(void **state)
{
	(void)state;
	size_t bad = 0;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		const struct fault *x = &faults[i];
		struct loaded l = load_text(x->text);
		bool found = false;
		for (size_t k = 0; k < l.f.n; k++)
			found = found ||
			        (strcmp(l.f.v[k].code, x->code) == 0 && l.f.v[k].mark.line == x->line &&
			         l.f.v[k].mark.col == x->col && strstr(l.f.v[k].message, x->part) != NULL &&
			         strcmp(l.f.v[k].file, "rules/x.yaml") == 0);
		/* a warning never stops, an error always does */
		bool stopped = l.rs == NULL;
		if (!found || stopped != (x->code[0] == 'E')) {
			fprintf(stderr, "case %zu: wanted %s at %u:%u \"%s\"%s in\n%s", i, x->code, x->line,
			        x->col, x->part, stopped ? "" : " (loaded)", x->text);
			print_findings(&l);
			bad++;
		}
		loaded_free(&l);
	}
	assert_int_equal(bad, 0);
}

static void test_all_in_one_run(void **state)
{
	(void)state;
	struct rules_file files[] = {
	    {.name = "b.yaml",
	     .text = SLICE(
	         "version: 1\nrules:\n  a: {summary: Bad thing, match: {hots: x}, macth: 1, by: host}\n")},
	    {.name = "a.yaml", .text = SLICE("version: 1\nrules: {b: {summary: x}}\nlists: 5\n")}};
	struct loaded l = load_files(files, 2, NULL);
	assert_null(l.rs);
	assert_finding(&l, "E020", 3, 35, "hots");
	assert_finding(&l, "E004", 3, 45, "macth");
	assert_finding(&l, "E007", 3, 59, "by");
	assert_finding(&l, "E008", 2, 22, "summary");
	assert_finding(&l, "E005", 2, 9, "needs 'match'");
	assert_finding(&l, "E007", 3, 8, "lists");
	assert_string_equal(l.f.v[0].file, "a.yaml"); /* sorted */
	struct buf b = {0};
	rules_summary(&l.counts, &l.f, &b);
	assert_non_null(strstr(buf_cstr(&b), "2 files, 2 rules, 0 tests: 6 errors, "));
	buf_free(&b);
	loaded_free(&l);
}

static void test_hundred_errors(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_str(&b, "version: 1\nrules:\n");
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "  r%d: {summary: Bad thing, match: {hots%d: x}}\n", i, i);
	struct loaded l = load_text(buf_cstr(&b));
	assert_null(l.rs);
	assert_int_equal(l.f.errors, 300);
	assert_true(count_code(&l, "E020") == 100);
	loaded_free(&l);
	buf_free(&b);
}

static void test_set_by_hint(void **state)
{
	(void)state;
	struct loaded l = load_text("version: 1\ndecoders:\n  - id: df\n    match: {app: df}\n    extract: "
	                            "{message: \"used=${used_pct:int}\"}\n"
	                            "rules:\n  a: {summary: Bad disk, match: {used_pc: 5}}\n");
	assert_finding(&l, "E020", 7, 34, "did you mean 'used_pct' (set by decoder 'df', x.yaml:3)?");
	loaded_free(&l);
}

/* A faulty pattern is reported once; the fields that it names are not unknown for that. */
static void test_no_cascade(void **state)
{
	(void)state;
	struct loaded l = load_text(
	    "version: 1\ndecoders:\n  - id: d\n    match: {app: d}\n    extract: {message: \"a ${b}${c:int}\"}\n"
	    "rules:\n  a: {summary: Bad thing, match: {b: x, c: {ge: 5}}}\n");
	assert_null(l.rs);
	assert_int_equal(l.f.errors, 1);
	assert_finding(&l, "E080", 5, 31, "");
	loaded_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_faults), cmocka_unit_test(test_all_in_one_run),
	    cmocka_unit_test(test_hundred_errors), cmocka_unit_test(test_set_by_hint),
	    cmocka_unit_test(test_no_cascade)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
