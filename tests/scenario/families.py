"""Storms that the correlation exam has not: damage against the arrows, tipping redundancy, needs that the map lacks, warnings
that stand for ever, blind monitoring, slow pollers, two faults in one chain. Form: a --plugin of the exam's generator.

    exam.py CARILLONCTL rules --plugin tests/scenario/families.py --set tests/scenario/families.json -v

What is true is said for each: root, hurt services, when. The exam itself is not part of this repository.
"""
import copy
import sys

import gen

EPOCH_LATE = 1500       # seconds: late enough that what stands since the beginning is old


def members(S, to):
    return S.topo.groups[to]["members"] if to in S.topo.groups else [to]


def needs(S, n, *kinds):
    """What n needs directly, through groups too."""
    return [m for d, _ in S.true.deps[n] for m in members(S, d) if m in S.N and (not kinds or S.N[m]["kind"] in kinds)]


def users(S, n):
    return [c for c, _ in S.true.rdeps[n]] + [c for g in S.true.memb[n] for c, _ in S.true.rdeps[g]]


def without(S, drop):
    """The daemon's map loses these edges; the truth keeps them."""
    m = copy.copy(S.topo)
    m.edges = [e for e in S.topo.edges if not drop(e)]
    m.maint = S.topo.maint
    m._ef = {}
    for e in m.edges:
        m._ef.setdefault(e["from"], []).append(e)
    S.true = S.topo
    m.freeze()
    S.topo = m


def hurting(S, *kinds, level=2, limit=400, least=2):
    """Components whose loss hurts a business service, in a fixed order, shuffled by the seed."""
    c = sorted(S.kinds(*kinds))
    S.rf.shuffle(c)
    for n in c:
        st = S.blast(n, level)
        if S.biz(st) and least <= len(st) <= limit:
            yield n, st


def alert(S, f, n, cls, on, off, sev="warning", lv=1, own=False, tr="am"):
    return dict(cls=cls, tr=tr, subj=n, t_on=on, t_off=off, sev=sev, stateful=True, rep=0, cap=0, reporter=n, peer=None,
                faults={f["id"]}, lv=lv, own=own, real_on=on)


def times(S, late=0):
    t0 = S.rf.uniform(400, 900) + late
    return t0, t0 + S.rf.uniform(700, 1400)


@gen.family("against_arrows", "a service dies; its callers retry and overload the stores beside it")
def _(S):
    t0, t1 = times(S)
    for n, st in hurting(S, "service", "cache", "db"):
        beside = sorted({d for c in users(S, n) if c in S.N for d in needs(S, c, "db", "cache") if d not in st and d != n})
        if beside:
            S.rf.shuffle(beside)
            S.fault(n, t0, t1, kind="retry_storm", seeds=[(d, 1, t0 + S.rf.uniform(15, 60)) for d in beside[:2]])
            return
    gen.one(S, ("service",), t0, t1, kind="retry_storm")


@gen.family("tipping", "one of a group is lost and nothing happens; minutes later a second one is, and the group breaks")
def _(S):
    t0, t1 = times(S)
    groups = sorted(g for g, x in S.topo.groups.items() if len(x["members"]) > x["need"])
    S.rf.shuffle(groups)
    for g in groups:
        m = list(S.topo.groups[g]["members"])
        spare = len(m) - S.topo.groups[g]["need"]
        if spare != 1 or any(S.biz(S.blast(x)) for x in m[:2]):
            continue
        second = gen.propagate(S.true, [(m[1], 2, 0.0)], S.resilient, S.rf, {m[0]: 2})
        if not S.biz(second):
            continue
        late = S.rf.uniform(400, 700)
        S.fault(m[0], t0, t1 + late, kind="first_loss")
        S.fault(m[1], t0 + late, t1 + late, kind="tipping", predown={m[0]: 2}, also_ok=[m[0]])
        return
    gen.one(S, ("host", "db"), t0, t1, kind="tipping")


def missing(S, says):
    t0, t1 = times(S)
    for n, st in hurting(S, "db", "cache", "service", least=4):
        callers = sorted(c for c in users(S, n) if c in st and S.N[c]["kind"] == "service")
        edges = [e for e in S.topo.edges if e["from"] in callers[:1] and (e["to"] == n or n in members(S, e["to"]))]
        if not edges:
            continue
        for c in callers[:1]:
            S.logs[c] = says
            S.cov[c] = True
        lost = {id(e) for e in edges}
        without(S, lambda e: id(e) in lost)
        S.fault(n, t0, t1, kind="missing_need")
        return
    gen.one(S, ("db",), t0, t1, kind="missing_need")


@gen.family("missing_named", "a need is not in the map; the log of the caller names the peer")
def _(S):
    missing(S, True)


@gen.family("missing_mute", "a need is not in the map, and no line names it")
def _(S):
    missing(S, False)


@gen.family("standing", "degraded warnings stand since hours on what a fresh fault hurts, and on what it needs")
def _(S):
    t0, t1 = times(S, EPOCH_LATE)
    for n, st in hurting(S, "service", "db", least=3):
        near = sorted({d for x in [n] + sorted(st)[:6] if x in S.N for d in needs(S, x, "host", "vm", "db", "k8s_node", "service") if d not in st})
        if len(near) < 2:
            continue
        S.rf.shuffle(near)
        for x in near[:3]:
            cls = {"db": "PostgresqlSlowQueries", "service": "HighErrorRate"}.get(S.N[x]["kind"], "HostHighLoad")
            f = S.fault(x, 10, S.dur + 9999, level=1, pattern="chronic", kind="chronic", expect="optional")
            f["aff"] = {x: [(1, 10, S.dur + 9999, None)]}
            f["_aff"] = set()
            f["only"] = [alert(S, f, x, cls, S.rf.uniform(10, 60), S.dur + 9999, own=True)]
        S.fault(n, t0, t1, kind="beside_standing")
        return
    gen.one(S, ("service",), t0, t1, kind="beside_standing")


@gen.family("blind", "the poller is cut off: dozens of hosts seem dead, no service is")
def _(S):
    t0, t1 = times(S)
    hosts = sorted(S.kinds("host", "vm"))
    poller, watched = hosts[0], hosts[1:45]
    S.hides = (poller, watched)
    S.topo.hides = S.hides
    f = S.fault(poller, t0, t1, kind="blind")
    f["aff"] = {poller: [(2, t0, t1, None)]}
    f["_aff"] = {poller}
    f["services_override"] = []
    f["only"] = [alert(S, f, h, "HostDown", t0 + S.rf.uniform(20, 90), t1 + S.rf.uniform(5, 60), "critical", 2) for h in watched]


@gen.family("slow_poller", "the cause is polled every five minutes: it is reported last of all")
def _(S):
    t0, t1 = times(S)
    for n, st in hurting(S, "host", "access_switch", "storage", "db", least=4):
        S.cov[n] = True
        f = S.fault(n, t0, t1 + 400, kind="slow_poller")
        seen = S.obs

        def obs(x):
            before = len(S.alerts)
            seen(x)
            mine = [a for a in S.alerts[before:] if a["subj"] == n and a["tr"] == "am"]
            S.alerts[before:] = [a for a in S.alerts[before:] if a["subj"] != n or a["tr"] == "am"]
            for a in mine:
                a["t_on"] = min(a["t_off"] - 1, a["real_on"] + S.rf.uniform(230, 310))
        S.obs = obs
        return
    gen.one(S, ("host",), t0, t1, kind="slow_poller")


@gen.family("chain", "a database fails; minutes later a service above it crashes of its own, and stays down longer")
def _(S):
    t0, t1 = times(S)
    for n, st in hurting(S, "db", "cache", least=4):
        above = sorted(c for c in st if S.N[c]["kind"] == "service" and S.biz(S.blast(c)))
        if above:
            c = S.rf.choice(above)
            S.fault(n, t0, t0 + 420, kind="chain_lower")
            S.fault(c, t0 + 700, t1 + 900, kind="chain_upper")
            return
    gen.one(S, ("db",), t0, t1, kind="chain")


@gen.family("front_missing", "the map knows that callers need the load balancer, and not what that needs")
def _(S):
    t0, t1 = times(S)
    for n, st in hurting(S, "service", "db", "host", "vm", least=3):
        if any(S.N[x]["kind"] == "lb" for x in st):
            without(S, lambda e: S.N[e["from"]]["kind"] == "lb" and "port" not in e)
            S.fault(n, t0, t1, kind="front_missing")
            return
    without(S, lambda e: e["from"] in S.N and S.N[e["from"]]["kind"] == "lb" and "port" not in e)
    gen.one(S, ("service", "lb"), t0, t1, kind="front_missing")


@gen.family("leaf_load", "a bad release of a service floods its store, which complains first; then the service fails")
def _(S):
    t0, t1 = times(S)
    for n, st in hurting(S, "service"):
        leaves = [d for d in needs(S, n, "db", "cache") if d not in st]
        if leaves:
            d = sorted(leaves)[0]
            S.cov[d] = S.cov[n] = True
            f = S.fault(n, t0, t1, kind="leaf_load")
            f["pre_alert"] = [alert(S, f, d, "PostgresqlSlowQueries" if S.N[d]["kind"] == "db" else "RedisHighLatency", t0 - 20, t1, "warning", 1)]
            return
    gen.one(S, ("service",), t0, t1, kind="leaf_load")


@gen.family("tiny", "one fault on a map of a few dozen services at most")
def _(S):
    t0, t1 = times(S)
    gen.one(S, ("host", "db", "service", "access_switch"), t0, t1, kind="tiny")


# ---- the exam writes no `hides`: what the map of family `blind` needs is added to what it wrote

def add_hides(path, hides):
    poller, watched = hides
    out = []
    with open(path) as f:
        for line in f:
            name = line.strip().split(":")[0].strip('"')
            if line.startswith("  ") and name == poller:
                line = line.replace("{name:", "{hides: true, name:", 1)
            elif line.startswith("  ") and name in watched:
                need = "{service: %s, effect: none}" % poller
                line = line.replace("needs: [", "needs: [%s, " % need, 1) if "needs: [" in line else line.rstrip()[:-1] + ", needs: [%s]}\n" % need
            out.append(line)
    with open(path, "w") as f:
        f.writelines(out)


main = sys.modules["__main__"]
if hasattr(main, "write_map") and not hasattr(main, "plain_write_map"):
    main.plain_write_map = main.write_map

    def write_map(topo, path):
        back = main.plain_write_map(topo, path)
        if getattr(topo, "hides", None):
            add_hides(path, topo.hides)
        return back
    main.write_map = write_map
