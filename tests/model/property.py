#!/usr/bin/env python3
"""The daemon's engine against an independent model of the rule language (model.py), on generated rule files and event
streams. A difference is shrunk to a small file and printed.

    tests/model/property.py --driver build/tests/model/model-driver [--seeds N] [--first SEED] [--jobs N] [--whole]
    tests/model/property.py --driver build/tests/model/model-driver --found tests/model/found.jsonl

Exit 0: they agree on all; 1: they differ; 2: a file that was generated is refused."""
import argparse
import copy
import json
import multiprocessing
import random
import subprocess
import sys

import model

UNITS = [("s", 1000), ("s", 10000), ("m", 60000), ("m", 300000)]
HOSTS, KINDS, TEXTS = ["h1", "h2"], ["a", "b", "c"], ["disk full", "link down", "link up", "x"]
FIELDS = {"kind": "text", "n": "number", "text": "text", "level": "text", "addr": "ip"}


class Make:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.unit = self.r.choice([u for _, u in UNITS])

    def maybe(self, p):
        return self.r.random() < p

    def span(self, low, high):
        ms = self.r.randint(low, high) * self.unit
        return "0" if ms == 0 else "%dms" % ms if ms % 1000 else "%ds" % (ms // 1000)

    # ---- conditions

    def condition(self, depth=0):
        r, pick = self.r, self.r.choice
        kind = r.randrange(16 if depth < 2 else 11)
        if kind < 3:
            return {"kind": pick(KINDS)}
        if kind == 3:
            return {"kind": r.sample(KINDS, 2)}
        if kind == 4:
            return {"n": {pick(["gt", "ge", "lt", "le"]): r.randint(1, 8)}}
        if kind == 5:
            return {"text": pick([{"contains": "link"}, {"starts": "link"}, {"ends": ["down", "full"]},
                                  {"like": "*k ?own"}, {"regex": "^link (up|down)$"}, {"contains": ["x", "disk"]}])}
        if kind == 6:
            return {"addr": {"cidr": pick(["10.0.0.0/8", "10.1.0.0/16", "192.168.1.1"])}}
        if kind == 7:
            return {pick(["kind", "text", "n"]): {"exists": self.maybe(0.7)}}
        if kind == 8:
            return {"kind": {"list": "some"}}
        if kind == 9:
            return {"kind": {"not": pick(KINDS)}}
        if kind == 10:
            return {"severity": r.sample(model.SEVERITIES, 3)}
        if kind == 11:
            return {"any": [self.condition(depth + 1), self.condition(depth + 1)]}
        if kind == 12:
            return {"all": [self.condition(depth + 1), self.condition(depth + 1)]}
        if kind == 13:
            return {"not": self.condition(depth + 1)}
        if kind == 14:
            return {"macro": pick(["one", "two", ["one", "two"]])}
        return {**self.condition(2), **self.condition(2)}

    def match(self, earlier):
        m = self.condition()
        if self.maybe(0.15):
            m = {**m, "state": self.r.choice(["problem", "clear", ["problem", "clear"]])}
        if earlier and self.maybe(0.2):
            m = {"type": "alert", "alert.rule": "p/" + self.r.choice(earlier)}
            if self.maybe(0.7):
                m["alert.state"] = self.r.choice(["open", "closed"])
            if self.maybe(0.2):
                m["alert.severity"] = self.r.sample(model.SEVERITIES, 2)
        elif self.calendars and self.maybe(0.1):
            m = {"type": "calendar", "calendar": self.r.choice(self.calendars)}
            if self.maybe(0.7):
                m["edge"] = self.r.choice(["start", "end"])
        return m

    # ---- rules

    def when(self, rule, earlier):
        r = self.r
        form = r.randrange(10)
        if form < 2:
            return
        if form < 4:
            rule["when"] = {"at_least": r.randint(1, 4), "within": self.span(2, 20)}
        elif form < 6:
            of = r.choice(["distinct", "sum", "avg", "min", "max", "p50", "p90", "p95", "p99", None])
            w = {"at_least": r.randint(1, 3) if of in (None, "distinct") else r.randint(1, 25) if of == "sum" else
                 r.randint(2, 8), "within": self.span(2, 30)}
            if of is not None:
                w["of"] = {of: "text" if of == "distinct" and self.maybe(0.5) else "n"}
            if self.maybe(0.6) or of is None:
                w["window"] = r.choice(["sliding", "aligned", "session"])
            rule["when"] = w
        elif form < 7:
            w = rule["when"] = {"fewer_than": r.randint(1, 3), "within": self.span(3, 15)}
            if self.maybe(0.5):
                rule["by"] = r.choice([["host"], ["kind"]])
                w["expect"] = {"list": "hosts" if rule["by"] == ["host"] else "some"}
        else:
            self.steps(rule, earlier)

    def steps(self, rule, earlier):
        r = self.r
        w = rule["when"] = {"steps": [], "within": self.span(3, 20)}
        strict = self.maybe(0.65)
        for i in range(r.randint(2, 4)):
            absent = strict and i > 0 and "absent" not in w["steps"][-1] and self.maybe(0.3)
            s = {"absent" if absent else "match": self.match(earlier)}
            if not absent and self.maybe(0.3):
                s["times"] = r.randint(2, 3)
            w["steps"].append(s)
        if not strict:
            w["order"] = "any"
            if self.maybe(0.4):
                w["at_least"] = r.randint(1, len(w["steps"]))
        del rule["match"]

    def rule(self, earlier):
        r = self.r
        rule = {"summary": "a rule", "incident": False, "match": self.match(earlier)}
        if self.maybe(0.6):
            rule["by"] = r.choice([["host"], [], ["host", "kind"], ["kind"], ["service"], ["service", "host"]])
        self.when(rule, earlier)
        if self.maybe(0.3):
            rule["open_after"] = self.span(0, 8)
        if self.maybe(0.3):
            rule["close_after"] = self.span(0, 10)
        if self.maybe(0.55):
            c = rule["clear"] = {}
            if self.maybe(0.45):
                c["match"] = self.match(earlier)
            if self.maybe(0.6):
                c["quiet"] = self.span(1, 15)
            if not c or self.maybe(0.3):
                c["quiet"] = self.span(1, 15)
            if "fewer_than" not in rule.get("when", {}) and self.maybe(0.3):
                c["fewer_than"], c["within"] = r.randint(1, 3), self.span(1, 15)
        flap = r.randrange(4)
        if flap == 0:
            rule["flap"] = False
        elif flap < 3:
            rule["flap"] = {"changes": r.randint(2, 5), "within": self.span(3, 40), "settle": self.span(2, 12)}
        if self.calendars and self.maybe(0.35):
            c = r.choice(self.calendars)
            rule["only_during"] = {"not": c} if self.maybe(0.3) else c
        if self.maybe(0.5):
            rule["severity"] = r.choice(model.SEVERITIES + ["${level}"])
        if self.maybe(0.1):
            rule["mode"] = "trial"
        if earlier and self.maybe(0.35):
            rule["suppressed_by"] = [self.mute(rule, earlier) for _ in range(r.randint(1, 2))]
        return rule

    def mute(self, rule, earlier):
        other = self.r.choice(earlier)
        both = [x for x in rule.get("by", ["host"]) if x in self.rules[other].get("by", ["host"])]
        same = [x for x in both if self.maybe(0.7)]
        if "service" not in same and self.maybe(0.1):
            same.append("service")
        if self.maybe(0.7):
            return {"rule": other, "same": same}
        m = {"alert.rule": "p/" + other}
        if self.maybe(0.5):
            m["severity"] = self.r.sample(model.SEVERITIES, 3)
        return {"match": m, "same": same}

    def calendar(self):
        """Whole minutes, so that some edges fall between the events."""
        zone = self.r.choice([None, "UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
        c = {"times": []} if zone is None else {"timezone": zone, "times": []}
        cal = model.Calendar({**c, "times": [{}]}, 0, 0)
        for _ in range(self.r.randint(1, 2)):
            a = self.start + self.r.randint(-10, 60) * self.unit
            b = a + self.r.randint(1, 60) * self.unit
            i = {}
            words = [self.clock(t + cal.offset(t)) for t in (a, b)]
            if words[0] != words[1]:
                i["from"], i["to"] = words
            if self.maybe(0.3) or not i:
                d = self.r.choice(model.WEEK)
                i["weekdays"] = [self.r.choice([d, "mon-fri", "sat-tue"])]
            c["times"].append(i)
        if self.maybe(0.2):
            c["except"] = [{"weekdays": [self.r.choice(model.WEEK)]}]
        return c

    @staticmethod
    def clock(ms):
        return "%02d:%02d" % (ms // 3600000 % 24, ms // 60000 % 60)

    # ---- the stream

    def event(self):
        r, e = self.r, {"type": "webhook", "source": "test"}
        if self.maybe(0.9):
            e["host"] = r.choice(HOSTS)
        if self.maybe(0.85):
            e["kind"] = r.choice(KINDS)
        if self.maybe(0.7):
            e["n"] = str(r.randint(1, 9)) if self.maybe(0.9) else r.choice(["2.5", "-1", "x", ""])
        if self.maybe(0.6):
            e["text"] = r.choice(TEXTS)
        if self.maybe(0.4):
            e["state"] = r.choice(["problem", "clear", "clear", "info"])
        if self.maybe(0.4):
            e["severity"] = r.choice(model.SEVERITIES)
        if self.maybe(0.3):
            e["level"] = r.choice(model.SEVERITIES + ["odd"])
        if self.maybe(0.3):
            e["service"] = r.choice(["s1", "s2"])
        if self.maybe(0.3):
            e["addr"] = r.choice(["10.1.2.3", "10.2.0.1", "192.168.1.1", "fe80::1"])
        return e

    def stream(self):
        r, t, steps = self.r, self.start, []
        few = [self.event() for _ in range(r.randint(2, 6))]  # repeats are what most rules are about
        for _ in range(r.randint(5, 60)):
            steps.append({"at": t, "event": copy.copy(r.choice(few)) if self.maybe(0.7) else self.event()})
            if self.maybe(0.3):
                steps.append({"at": t, "look": True})
            if self.maybe(0.05):
                steps.append({"at": t, "restart": True})
            gap = r.choice([0, 0, 1, 1, 1, 2, 2, 3, 5, 8, 13, 40])
            if self.maybe(0.3) and gap > 0:
                steps.append({"at": t + r.randint(0, gap) * self.unit - (1 if self.maybe(0.5) else 0), "look": True})
                steps[-1]["at"] = max(steps[-1]["at"], t)
            t += gap * self.unit
        for k in (1, 10, 100, 2000):
            steps.append({"at": t + k * self.unit, "look": True})
        return steps

    def scenario(self):
        self.start = self.r.randint(0, 14 * 24 * 60) * 60000
        self.calendars, self.rules, cals = [], {}, {}
        for i in range(self.r.choice([0, 0, 1, 2])):
            cals["c%d" % i] = self.calendar()
        self.calendars = sorted(cals)
        doc = {"version": 1, "package": "p", "fields": FIELDS, "lists": {"some": ["a", "b"], "hosts": ["h1", "h3"]}}
        if cals:
            doc["calendars"] = cals
        doc["macros"] = {"one": {"kind": "a", "n": {"exists": True}}, "two": {"text": {"contains": "link"}}}
        for i in range(self.r.choice([1, 1, 2, 3, 4])):
            self.rules["r%d" % i] = self.rule(sorted(self.rules))
        # the order of rules in a file means nothing
        doc["rules"] = {k: self.rules[k] for k in self.r.sample(sorted(self.rules), len(self.rules))}
        return {"doc": doc, "start": self.start, "steps": self.stream()}


# ---- both answers

class Driver:
    def __init__(self, path):
        self.path, self.process = path, None

    def ask(self, s):
        if self.process is None:
            self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = json.dumps({"rules": json.dumps(s["doc"]), "start": s["start"], "steps": s["steps"]})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if answer:
            return json.loads(answer)
        self.process.wait()
        self.process = None
        return {"stopped": True}


def sorted_alerts(alerts):
    return sorted(alerts, key=lambda a: (a["rule"], a["by"], a["opened"], a["closed"]))


def compare(s, got, want):
    """None, or what differs first."""
    moments = [x["at"] for x in s["steps"] if "look" in x]
    for at, g, w in list(zip(moments, got["looks"], want["looks"])) + [("the end", got["closed"], want["closed"])]:
        g, w = sorted_alerts(g), sorted_alerts(w)
        for a, b in zip(g, w):
            muted = [] if a["muted"] is None else [a["muted"]]
            if (muted and muted[0] in b["muted"]) or (not muted and not b["muted"]) or a["state"] == "closed":
                b["muted"] = a["muted"]
        if g != w:
            return at, [x for x in g if x not in w], [x for x in w if x not in g]
    return None


def differs(driver, s):
    got = driver.ask(s)
    if "errors" in got:
        return "refused", got["errors"]
    if "stopped" in got:
        return "stopped", "the engine ended"
    d = compare(s, got, model.run(s["doc"], s["start"], s["steps"]))
    return None if d is None else ("differ", d)


# ---- shrinking

def smaller(s):
    """Scenarios with less in them, big steps first."""
    n = len(s["steps"])
    size = n // 2
    while size >= 1:
        for i in range(0, n, size):
            yield {**s, "steps": s["steps"][:i] + s["steps"][i + size:]}
        size //= 2
    for path in list(paths(s["doc"])):
        if path[-1] == "incident":  # correlation may end alerts, of which the model knows nothing
            continue
        doc = copy.deepcopy(s["doc"])
        at = doc
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]
        yield {**s, "doc": doc}
    for i, x in enumerate(s["steps"]):
        for name in x.get("event", {}):
            e = {k: v for k, v in x["event"].items() if k != name}
            yield {**s, "steps": s["steps"][:i] + [{**x, "event": e}] + s["steps"][i + 1:]}


def paths(node, prefix=()):
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield prefix + (key,)
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        if isinstance(node[key], (dict, list)):
            yield from paths(node[key], prefix + (key,))


def shrink(driver, s, what, budget=3000):
    while True:
        for t in smaller(s):
            budget -= 1
            if budget < 0:
                return s
            try:
                d = differs(driver, t)
            except Exception:  # what the model cannot read any more
                continue
            if d is not None and d[0] == what:
                s = t
                break
        else:
            return s


def show(seed, s, d):
    out = ["seed %d: %s" % (seed, d[0])]
    out.append(json.dumps({k: v for k, v in s["doc"].items() if k != "fields"}))
    for x in s["steps"]:
        out.append("  %8.3fs %s" % ((x["at"] - s["start"]) / 1000, json.dumps(x.get("event", "restart" if "restart" in x else "look"))))
    if d[0] == "differ":
        at = d[1][0] if isinstance(d[1][0], str) else "%.3fs" % ((d[1][0] - s["start"]) / 1000)
        for who, alerts in (("engine", d[1][1]), ("model ", d[1][2])):
            for a in alerts or ["nothing"]:
                a = dict(a) if isinstance(a, dict) else a
                if isinstance(a, dict):
                    for k in ("opened", "closed"):
                        a[k] = (a[k] - s["start"]) / 1000 if a[k] >= 0 else "-"
                out.append("  at %s, %s: %s" % (at, who, a))
    else:
        out.append("  %s" % (d[1],))
    return "\n".join(out)


def work(args):
    path, seeds, wish = args
    driver, found = Driver(path), []
    for seed in seeds:
        s = Make(seed).scenario()
        d = differs(driver, s)
        if d is not None:
            if wish and d[0] != "refused":
                s = shrink(driver, s, d[0])
                d = differs(driver, s)
            found.append((d[0], show(seed, s, d)))
            if len(found) >= 3:
                break
    return found


def replay(path, driver):
    """What once differed: scenarios with a name, one per line."""
    failed = 0
    for line in open(path):
        s = json.loads(line)
        d = differs(driver, s)
        print("%s: %s" % ("FAILED" if d else "ok", s["name"]))
        if d:
            failed += 1
            print(show(0, s, d))
    return failed


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--driver", required=True)
    p.add_argument("--seeds", type=int, default=1000)
    p.add_argument("--first", type=int, default=1)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--whole", action="store_true", help="do not shrink")
    p.add_argument("--found", metavar="FILE", help="replay these scenarios instead")
    a = p.parse_args()
    if a.found:
        return 1 if replay(a.found, Driver(a.driver)) else 0
    seeds = range(a.first, a.first + a.seeds)
    parts = [(a.driver, list(seeds)[i::a.jobs], not a.whole) for i in range(a.jobs)]
    with multiprocessing.Pool(a.jobs) as pool:
        found = [x for part in pool.map(work, parts) for x in part]
    for _, text in found[:4]:
        print(text)
    print("%d rule sets from seed %d: %s" % (a.seeds, a.first, "%d differ" % len(found) if found else "no difference"))
    return 0 if not found else 2 if all(w == "refused" for w, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
