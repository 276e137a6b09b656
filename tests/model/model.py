"""A second opinion on the rule language: what carillon-rules(5) says, told by looking back over everything that
happened to a key. Slow and plain on purpose; it shares nothing with the daemon's engine. Times are milliseconds.

Left out: the map, incidents, tickets (muting between services is theirs) and what only a flood shows (eviction)."""
import datetime
import ipaddress
import re
import zoneinfo

UNIT = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000, "w": 604800000}
SEVERITIES = ["info", "warning", "minor", "major", "critical"]
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)
HOUR = UNIT["h"]
NONE = "(none)"


def span(text):
    return sum(int(n) * UNIT[u] for n, u in re.findall(r"(\d+)(ms|s|m|h|d|w)", str(text)))


# ---- match

def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def one(op, arg, value, lists):
    if op == "list":
        return any(value in [str(x) for x in lists[name]] for name in (arg if isinstance(arg, list) else [arg]))
    args = arg if isinstance(arg, list) else [arg]
    if op == "contains":
        return any(str(a) in value for a in args)
    if op == "starts":
        return any(value.startswith(str(a)) for a in args)
    if op == "ends":
        return any(value.endswith(str(a)) for a in args)
    if op == "like":
        return any(re.fullmatch("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in str(a)),
                                value, re.S) for a in args)
    if op == "regex":
        return any(re.search(a, value) for a in args)
    if op == "cidr":
        try:
            return any(ipaddress.ip_address(value) in ipaddress.ip_network(a) for a in args)
        except ValueError:
            return False
    n = number(value)
    return n is not None and {"gt": n > arg, "ge": n >= arg, "lt": n < arg, "le": n <= arg}[op]


def test(t, value, lists):
    if isinstance(t, list):
        return value is not None and value in [str(x) for x in t]
    if not isinstance(t, dict):
        return value is not None and value == str(t)
    for op, arg in t.items():
        if op == "exists":
            ok = (value is not None) == arg
        elif op == "not":
            ok = not test(arg, value, lists)
        else:
            ok = value is not None and one(op, arg, value, lists)
        if not ok:
            return False
    return True


class File:
    def __init__(self, doc):
        self.doc = doc
        self.lists = doc.get("lists", {})
        self.macros = doc.get("macros", {})

    def fits(self, m, event):
        for name, t in m.items():
            if name == "any":
                ok = any(self.fits(x, event) for x in t)
            elif name == "all":
                ok = all(self.fits(x, event) for x in t)
            elif name == "not":
                ok = not self.fits(t, event)
            elif name == "macro":
                ok = any(self.fits(self.macros[x], event) for x in (t if isinstance(t, list) else [t]))
            else:
                ok = test(t, event.get(name) or None, self.lists)  # an empty field is a missing one
            if not ok:
                return False
        return True

    def mentions(self, m, what):
        for name, t in m.items():
            if name in ("any", "all"):
                if any(self.mentions(x, what) for x in t):
                    return True
            elif name == "not":
                if self.mentions(t, what):
                    return True
            elif name == "macro":
                if any(self.mentions(self.macros[x], what) for x in (t if isinstance(t, list) else [t])):
                    return True
            elif what(name, t):
                return True
        return False


# ---- calendars

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def in_interval(i, local):
    """`to` is not inside any more; over midnight an interval belongs to the day on which it starts."""
    def day_fits(date):
        if "weekdays" not in i:
            return True
        for w in i["weekdays"]:
            a, _, b = w.partition("-")
            n, first, last = date.weekday(), WEEK.index(a), WEEK.index(b or a)
            if (n - first) % 7 <= (last - first) % 7:
                return True
        return False
    if "from" not in i:
        return day_fits(local.date())
    clock = local.strftime("%H:%M")
    if i["from"] < i["to"]:
        return day_fits(local.date()) and i["from"] <= clock < i["to"]
    return (day_fits(local.date()) and clock >= i["from"]) or \
        (day_fits(local.date() - datetime.timedelta(days=1)) and clock < i["to"])


class Calendar:
    def __init__(self, doc, start, end):
        self.zone = zoneinfo.ZoneInfo(doc.get("timezone", "UTC"))
        self.doc = doc
        self.known = {}
        # an edge is on a whole minute
        self.edges = []
        before = self.active(start)
        for t in range(start // 60000 * 60000, end + 60000, 60000):
            if t > start and self.active(t) != before:
                before = not before
                self.edges.append(t)

    def active(self, t):
        minute = t // 60000
        if minute not in self.known:
            local = (START + datetime.timedelta(minutes=minute)).astimezone(self.zone)
            self.known[minute] = any(in_interval(i, local) for i in self.doc["times"]) and \
                not any(in_interval(i, local) for i in self.doc.get("except", []))
        return self.known[minute]

    def offset(self, t):
        return int((START + datetime.timedelta(milliseconds=t)).astimezone(self.zone).utcoffset().total_seconds()) * 1000


# ---- one key of one rule

class Alert:
    def __init__(self, **kw):
        self.state, self.calm, self.flapping, self.opened, self.closed = "pending", None, False, -1, -1
        self.trigger = None
        self.__dict__.update(kw)


class Key:
    """by: values. past: what was counted since the window was emptied. changes: of the condition, ever."""

    def __init__(self, rule, by):
        self.rule, self.by = rule, by
        self.past, self.changes, self.alert = [], [], None
        self.since, self.expected = None, False  # absence
        self.runs, self.waiting, self.seen = {}, None, 0  # steps
        self.served = []

    def empty(self):
        self.past, self.runs, self.waiting = [], {}, None
        self.served = [[] for _ in self.served]


class Rule:
    def __init__(self, model, name, doc):
        self.model, self.doc, self.id = model, doc, "p/" + name
        self.by = doc.get("by", ["host"])
        self.when = doc.get("when", {})
        self.within = span(self.when.get("within", 0))
        self.clear = doc.get("clear", {})
        self.trial = doc.get("mode") == "trial"
        during = doc.get("only_during")
        self.outside = isinstance(during, dict)
        self.calendar = None if during is None else model.calendars[during["not"] if self.outside else during]
        flap = doc.get("flap", {"changes": 8, "within": "1h", "settle": "10m"})
        self.flap = (flap["changes"], span(flap["within"])) if flap else None
        self.settle = span(flap["settle"]) if flap else 0
        self.open_after, self.close_after = span(doc.get("open_after", 0)), span(doc.get("close_after", 0))
        self.keys = {}
        f = model.file
        state = lambda name, t: name == "state"  # noqa: E731
        alerts = lambda name, t: name.startswith("alert.") or (name == "type" and t == "alert")  # noqa: E731
        if "match" in doc:
            self.states, self.hears = f.mentions(doc["match"], state), f.mentions(doc["match"], alerts)
        if "match" in self.clear:
            self.clear_hears = f.mentions(self.clear["match"], alerts)
        self.steps = []
        for s in self.when.get("steps", []):
            m = s.get("match", s.get("absent"))
            self.steps.append((m, "absent" in s, s.get("times", 1), f.mentions(m, state), f.mentions(m, alerts)))
        self.trailing = bool(self.steps) and self.steps[-1][1]

    def counts(self, t):
        return self.calendar is None or self.calendar.active(t) != self.outside

    def counts_all(self, start, end):
        if self.calendar is None:
            return True
        return self.counts(start) and not any(start < x < end for x in self.calendar.edges)

    def key(self, by, make=True):
        if by not in self.keys and make:
            self.keys[by] = Key(self, by)
            self.keys[by].served = [[] for _ in self.steps]
        return self.keys.get(by)


class Model:
    def __init__(self, doc, start, end):
        self.file = File(doc)
        self.now, self.order, self.own = start, 0, []
        self.closed = []
        self.calendars = {k: Calendar(v, start, end) for k, v in doc.get("calendars", {}).items()}
        self.edges = sorted((t, k) for k, c in self.calendars.items() for t in c.edges)
        self.rules = [Rule(self, k, v) for k, v in sorted(doc["rules"].items()) if v.get("mode") != "off"]
        for r in self.rules:
            if "fewer_than" in r.when and (r.by == [] or "expect" in r.when):
                for v in [()] if r.by == [] else [(str(x),) for x in self.file.lists[r.when["expect"]["list"]]]:
                    k = r.key(v)
                    k.since, k.expected = start, True

    # ---- alerts

    def severity(self, r, event):
        fixed = r.doc.get("severity", "${severity}")
        if not fixed.startswith("$"):
            return fixed
        for name in (fixed[2:-1], "severity"):
            if event.get(name) in SEVERITIES:
                return event[name]
        return "warning"

    def change(self, k, at):
        """A change of the condition; too many in a time hold the alert open, or open it."""
        a, r = k.alert, k.rule
        a.changed = at
        if r.flap is None:
            return
        k.changes.append(at)
        if sum(1 for x in k.changes if at - r.flap[1] < x) < r.flap[0] or a.flapping:
            return
        a.flapping = True
        if a.state == "pending":
            self.open(k)

    def tell(self, a, state):
        e = {n: v for n, v in zip(a.rule.by, a.by) if v != NONE}
        e.update({"type": "alert", "source": "carillon", "state": "problem", "severity": a.severity,
                  "alert.rule": a.rule.id, "alert.state": state, "alert.severity": a.severity,
                  "alert.count": str(a.count)})
        if a.service:
            e["service"] = a.service
        if a.host:
            e["host"] = a.host
        self.own.append((e, a.rule))

    def open(self, k):
        a = k.alert
        a.state, a.opened = "open", self.now
        self.order += 1
        a.order = self.order
        self.tell(a, "open")

    def begin(self, k, event, first, count, own=False):
        r = k.rule
        by = {n: v for n, v in zip(r.by, k.by) if v != NONE}
        src = by if event is None else event
        set_by_sender = event is None or own or bool(event.get("state"))
        k.alert = a = Alert(rule=r, by=k.by, count=count, first=first, since=self.now, held=self.now,
                            severity=self.severity(r, src), service=src.get("service"), host=src.get("host"),
                            stateless=not r.when and not r.clear and not set_by_sender)
        if r.open_after == 0:
            self.open(k)
        self.change(k, self.now)

    def again(self, k, first):
        a = k.alert
        a.held = self.now
        if a.calm is not None:
            a.calm, a.first = None, first
            self.change(k, self.now)

    def repeat(self, k, event, holds, first=None, own=False):
        a = k.alert
        a.count += 1
        if holds:
            self.again(k, first)
        if own or event.get("state"):
            a.stateless = False
        s = self.severity(k.rule, event)
        if SEVERITIES.index(s) > SEVERITIES.index(a.severity):
            a.severity = s
            if a.state == "open":
                self.tell(a, "open")

    def left(self, k):
        """The window of an alert that closed, was dropped, or is calm: empty. Absence is waited for anew where there
        are enough events, or the key is expected; else when it is heard again."""
        if "fewer_than" not in k.rule.when:
            k.empty()
        elif self.heard(k, self.now) < k.rule.when["fewer_than"]:
            k.past = []
            k.since = self.now if k.expected else None

    def close(self, k):
        a = k.alert
        a.state, a.closed = "closed", self.now
        k.alert = None
        self.closed.append(a)
        self.left(k)
        self.tell(a, "closed")

    def drop(self, k):
        k.alert = None
        self.left(k)

    def calm(self, k, moment):
        """The condition has ended at that moment."""
        a = k.alert
        pending = a.state == "pending"
        self.change(k, moment)
        if pending and a.state == "pending":
            self.drop(k)
            return
        a.calm = moment
        if self.end_of_calm(k) <= self.now:
            self.close(k)
        else:
            self.left(k)

    def end_of_calm(self, k):
        a, r = k.alert, k.rule
        return max(a.calm + r.close_after, a.changed + r.settle if a.flapping else 0)

    def over(self, k):
        """When the condition ends by itself, and since when it is calm then."""
        a, r = k.alert, k.rule
        if "fewer_than" in r.when:
            return None
        quiet = span(r.clear["quiet"]) if "quiet" in r.clear else 190000 if a.stateless else 24 * HOUR
        ends = [(a.held + quiet, 1, a.held)]
        if "fewer_than" in r.clear:
            d, n = span(r.clear["within"]), r.clear["fewer_than"]
            for t in sorted([a.first + d, a.held] + [e[0] + d for e in k.past if e[0] >= a.first]):
                if t >= max(a.first + d, a.held) and sum(1 for e in k.past if t - d < e[0] <= t) < n:
                    ends.append((t, 2, t))
                    break
        return min(ends)

    def cleared(self, k):
        a = k.alert
        if a is None:
            k.empty()
            if "fewer_than" in k.rule.when and k.since is not None:
                k.since = self.now
        elif a.calm is None:
            self.calm(k, self.now)

    # ---- time

    def heard(self, k, t):
        return sum(1 for e in k.past if t - k.rule.within < e[0] <= t)

    def missing_at(self, k):
        """The next moment at which fewer than n events stand in a whole window."""
        r, d = k.rule, k.rule.within
        if k.since is None or (k.alert is not None and k.alert.calm is None):
            return None
        moments = [k.since + d] + [e[0] + d for e in k.past]
        if r.calendar is not None:
            moments += [x + d for x in r.calendar.edges] + [self.now]
        for t in sorted(moments):
            if t >= max(self.now, k.since + d) and self.heard(k, t) < r.when["fewer_than"] and r.counts_all(t - d, t):
                return t
        return None

    def due(self, k):
        times = []
        a = k.alert
        if a is not None:
            if a.calm is not None:
                times.append(self.end_of_calm(k))
            else:
                end = self.over(k)
                if end is not None:
                    times.append(end[0])
                if a.state == "pending":
                    times.append(a.since + k.rule.open_after)
            if a.flapping:
                times.append(a.changed + k.rule.settle)
        if "fewer_than" in k.rule.when:
            t = self.missing_at(k)
            if t is not None:
                times.append(t)
        if k.waiting is not None:
            times.append(k.waiting[0] + k.rule.within)
        return min(times) if times else None

    def act(self, k):
        """What is due for this key now: first what makes the condition true, then what ends it."""
        r, a = k.rule, k.alert
        if k.waiting is not None and k.waiting[0] + r.within <= self.now:
            start, index = k.waiting
            k.waiting = None
            k.runs = {p: v for p, v in k.runs.items() if v[0] > start}
            if r.counts(self.now):
                if a is None:
                    self.begin(k, None, start, k.seen - index)
                else:
                    self.again(k, start)
            return
        if "fewer_than" in r.when and self.missing_at(k) == self.now:
            n = self.heard(k, self.now)
            if k.alert is not None:
                self.again(k, self.now)
            else:
                self.begin(k, None, self.now, n)
                if not r.counts(self.now) and k.alert.state == "pending":
                    self.drop(k)
            return
        if a is not None and a.flapping and a.changed + r.settle <= self.now:
            a.flapping = False
        if a is not None and a.calm is not None:
            if self.end_of_calm(k) <= self.now:
                self.close(k)
                return
        elif a is not None:
            end = self.over(k)
            if end is not None and end[0] <= self.now:
                self.calm(k, end[2])
                return
            if a.state == "pending" and a.since + r.open_after <= self.now:
                self.open(k)
                return

    def advance(self, to):
        while True:
            keys = [k for r in self.rules for k in r.keys.values()]
            times = [t for t in (self.due(k) for k in keys) if t is not None]
            if self.edges:
                times.append(self.edges[0][0])
            if not times or min(times) > to:
                break
            self.now = max(self.now, min(times))
            # outside of its times a rule has nothing pending; what is due comes next, and then the edges, as events
            for k in keys:
                if k.alert is not None and k.alert.state == "pending" and not k.rule.counts(self.now):
                    self.drop(k)
            for k in keys:
                while (self.due(k) or self.now + 1) <= self.now:
                    self.act(k)
            if self.own:
                self.settle()
                continue
            while self.edges and self.edges[0][0] <= self.now:
                self.edge(*self.edges.pop(0))
        self.now = to

    def edge(self, t, name):
        self.judge({"type": "calendar", "source": "carillon", "calendar": name,
                    "edge": "start" if self.calendars[name].active(t) else "end"}, None)
        self.settle()

    # ---- events

    def event(self, t, event):
        self.advance(t)
        self.judge(event, None)
        self.settle()

    def settle(self):
        while self.own:
            self.judge(*self.own.pop(0))

    def judge(self, event, of):
        """`of`: the rule whose alert this event is about."""
        f, own = self.file, event.get("type") in ("alert", "calendar", "internal")
        state = event.get("state") if event.get("state") in ("problem", "clear", "info") else "problem"
        for r in self.rules:
            if of is r or (of is not None and of.trial and not r.trial):
                continue
            by = tuple(event.get(n) or NONE for n in r.by)
            if "match" in r.clear and f.fits(r.clear["match"], event) and (of is None or r.clear_hears):
                k = r.key(by, False)
                if k is not None:
                    self.cleared(k)
                continue
            if r.steps:
                self.step(r, by, event, state, of, own)
                continue
            if not f.fits(r.doc["match"], event) or (of is not None and not r.hears):
                continue
            if not r.states and state == "clear":
                k = r.key(by, False)
                if k is not None:
                    self.cleared(k)
            elif (r.states or state == "problem") and r.counts(self.now):
                self.problem(r, r.key(by), event, own)

    def problem(self, r, k, event, own):
        w, d = r.when, r.within
        if not w:
            k.past.append((self.now, None))
            if k.alert is None:
                self.begin(k, event, self.now, 1, own)
            else:
                self.repeat(k, event, True, self.now, own)
            return
        if "fewer_than" in w:
            k.past.append((self.now, None))
            if k.since is None:
                k.since = self.now
            if k.alert is not None:
                self.repeat(k, event, False, None, own)
                if self.heard(k, self.now) >= w["fewer_than"] and k.alert.calm is None:
                    self.calm(k, self.now)
            return
        of, field = next(iter(w["of"].items())) if "of" in w else ("count", None)
        value = event.get(field) if field else "1"
        if not value or (of not in ("count", "distinct") and number(value) is None):
            return
        k.past.append((self.now, value))
        window = self.window(r, k)
        values = [e[1] for e in window]
        holds = self.value(of, values) is not None and self.value(of, values) >= w["at_least"]
        if k.alert is not None:
            self.repeat(k, event, holds, window[0][0], own)
        elif holds:
            self.begin(k, event, window[0][0], len(window), own)

    def window(self, r, k):
        kind, d = r.when.get("window", "sliding"), r.within
        if kind == "sliding":
            window = [e for e in k.past if e[0] > self.now - d]
            # counting asks only for the last n
            return window[-r.when["at_least"]:] if "of" not in r.when else window
        if kind == "session":
            n = len(k.past) - 1
            while n > 0 and k.past[n][0] - k.past[n - 1][0] <= d:
                n -= 1
            return k.past[n:]

        def slice_of(t):
            local = START + datetime.timedelta(milliseconds=t + (r.calendar.offset(self.now) if r.calendar else 0))
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight, (local - midnight) // datetime.timedelta(milliseconds=d)
        return [e for e in k.past if slice_of(e[0]) == slice_of(self.now)]

    @staticmethod
    def value(of, values):
        if of == "count":
            return len(values)
        if of == "distinct":
            return len(set(values))
        n = [float(v) for v in values]
        if of == "sum":
            return sum(n)
        if of == "min":
            return min(n)
        if of == "max":
            return max(n)
        if len(n) < 5:
            return None
        if of == "avg":
            return sum(n) / len(n)
        rank = -(-len(n) * int(of[1:]) // 100)  # nearest rank
        return sorted(n)[rank - 1]

    # ---- steps

    def step(self, r, by, event, state, of, own):
        f, fits, clears = self.file, [], False
        for m, absent, _, states, hears in r.steps:
            fit = f.fits(m, event) and (of is None or hears)
            if fit and not absent and not states and state != "problem":
                clears = clears or state == "clear"
                fit = False
            fits.append(fit and (absent or r.counts(self.now)))
        step = any(x and not s[1] for x, s in zip(fits, r.steps))
        if not any(fits) and not clears:
            return
        k = r.key(by)
        if clears and not step:
            self.cleared(k)
            return
        broken = [i for i, s in enumerate(r.steps) if fits[i] and s[1] and not fits[i - 1] and
                  not (i + 1 < len(fits) and fits[i + 1])]
        if r.trailing and k.alert is not None and len(fits) - 1 in broken and k.alert.calm is None:
            self.calm(k, self.now)
        if step:
            k.seen += 1
            k.past.append((self.now, None))
        if r.when.get("order") == "any":
            self.any_order(r, k, event, fits, own)
        else:
            self.strict(r, k, event, fits, broken, step, own)

    def fire(self, r, k, event, first, count, own):
        if k.alert is None:
            self.begin(k, event, first, count, own)
        else:
            self.repeat(k, event, True, first, own)

    def any_order(self, r, k, event, fits, own):
        if not any(fits):
            return
        for served, fit in zip(k.served, fits):
            if fit:
                served.append(self.now)
        met = sum(1 for s, (_, _, times, _, _) in zip(k.served, r.steps)
                  if sum(1 for t in s if t > self.now - r.within) >= times)
        if met < r.when.get("at_least", len(r.steps)):
            if k.alert is not None:
                self.repeat(k, event, False, None, own)
            return
        window = [e for e in k.past if e[0] > self.now - r.within]
        k.served = [[] for _ in r.steps]
        self.fire(r, k, event, window[0][0], len(window), own)

    def strict(self, r, k, event, fits, broken, step, own):
        """runs[(i, n)]: the latest start (and what was seen before it) of a run that has n events of step i."""
        k.runs = {p: v for p, v in k.runs.items() if self.now - v[0] <= r.within}
        plain = [i for i, s in enumerate(r.steps) if not s[1]]
        whole = {i: r.steps[i][2] for i in plain}
        for i in broken:
            k.runs.pop((max(p for p in plain if p < i), whole[max(p for p in plain if p < i)]), None)
            if i == len(r.steps) - 1:
                k.waiting = None
        fired = None
        for i in reversed(plain):
            if not fits[i]:
                continue
            new = {}
            prev = [p for p in plain if p < i]
            base = (self.now, k.seen - 1) if not prev else k.runs.get((prev[-1], whole[prev[-1]]))
            if base is not None:
                new[(i, 1)] = base
            for n in range(1, whole[i]):
                if (i, n) in k.runs:
                    new[(i, n + 1)] = k.runs[(i, n)]
            if not new and not (i == plain[-1] and r.trailing and False):
                continue
            done = new.get((i, whole[i]))
            if i == plain[-1]:
                new.pop((i, whole[i]), None)
                if done is not None and not r.trailing:
                    fired = done
                elif done is not None and k.waiting is None:
                    k.waiting = done
            for p, v in new.items():
                k.runs[p] = max(k.runs.get(p, v), v)
            break
        if fired is not None:
            k.runs, k.waiting = {}, None
            self.fire(r, k, event, fired[0], k.seen - fired[1], own)
        elif step and k.alert is not None:
            self.repeat(k, event, False, None, own)

    # ---- a look

    def muted_by(self, a):
        """Rules of the alerts that mute it and opened first; one of them, if several opened at one time."""
        found = []
        for item in a.rule.doc.get("suppressed_by", []):
            for r in self.rules:
                for k in r.keys.values():
                    b = k.alert
                    if b is None or b is a or b.state != "open" or r.trial:
                        continue
                    if "rule" in item:
                        refs = item["rule"] if isinstance(item["rule"], list) else [item["rule"]]
                        ok = r.id in ["p/" + x for x in refs]
                    else:
                        self.tell(b, "open")
                        ok = self.file.fits(item["match"], self.own.pop()[0])
                    if ok and all(self.same(a, b, n) for n in item["same"]):
                        found.append((b.opened, b.rule.id))
        first = min(found)[0] if found else None
        return sorted({r for t, r in found if t == first})

    @staticmethod
    def same(a, b, name):
        va, vb = [x.service if name == "service" else dict(zip(x.rule.by, x.by)).get(name) for x in (a, b)]
        return va is not None and va != NONE and va == vb

    def show(self, a):
        return {"rule": a.rule.id, "by": list(a.by), "state": a.state, "count": a.count, "severity": a.severity,
                "service": a.service, "flapping": a.flapping, "trial": a.rule.trial, "opened": a.opened,
                "closed": a.closed, "muted": self.muted_by(a) if a.state == "open" else []}

    def look(self, t):
        self.advance(t)
        return [self.show(k.alert) for r in self.rules for k in r.keys.values() if k.alert is not None]


def run(doc, start, steps):
    end = max([start] + [s["at"] for s in steps])
    m, looks = Model(doc, start, end), []
    for s in steps:
        if "event" in s:
            m.event(s["at"], s["event"])
        elif "look" in s:
            looks.append(m.look(s["at"]))
    return {"looks": looks, "closed": [m.show(a) for a in m.closed]}
