#!/usr/bin/env python3
"""exam_variants.py CARILLONCTL RULES_DIR [--storms DIR] [--set quick|small|public|FILE.json] [-j N]

Runs the correlation exam on the same storms in other clothes: tokens shuffled, every event delivered twice, arrival jitter of
5 s, and the engine saved and loaded in mid-storm. The score of each may differ by 1 from the plain one; the tickets of the
restarted runs must be the same to the byte. The exam itself is not part of this repository: without it nothing is done.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile
from multiprocessing import Pool

VARIANTS = ("plain", "shuffled", "twice", "jitter", "restart")
HERE = os.path.dirname(os.path.realpath(__file__))


def shuffled(events, rng, exam):
    """Each event gets the token of another one: whoever groups by tokens groups wrongly. Returns new tokens -> old ones."""
    import base64
    own = [exam.wire.RID.findall(base64.b64decode(e["raw"])) for e in events]
    pool = [t for tokens in own for t in tokens]
    # the same token twice is the same message delivered twice: it keeps one token
    names = sorted(set(pool))
    others = names[:]
    rng.shuffle(others)
    swap = dict(zip(names, others))
    for e in events:
        raw = base64.b64decode(e["raw"])
        raw = exam.wire.RID.sub(lambda m: m.group(0).replace(m.group(1), swap[m.group(1)]), raw)
        e["raw"] = base64.b64encode(raw).decode()
    return {new.decode(): old.decode() for old, new in swap.items()}


def dress(events, variant, rng):
    if variant == "twice":
        events = [dict(e) for e in events for _ in range(2)]
    if variant == "jitter":
        for e in events:
            e["send"] += rng.uniform(0, 5)
        events.sort(key=lambda e: e["send"])
    return events


def write_recording(exam, path, events, end):
    import json
    with open(path, "w") as f:
        for e in events:
            listener, transport = exam.LISTENER[e["transport"]]
            f.write(json.dumps({"received": exam.stamp(e["send"]), "listener": listener, "transport": transport,
                                "peer": "127.0.0.1", "raw": e["raw"]}) + "\n")
        f.write(json.dumps({"received": exam.stamp(end), "end": True}) + "\n")


def backtest(a, d, extra=()):
    p = subprocess.run([a.ctl, "rules", "backtest", "--rules", a.rules, "--rules", d + "/silences.yaml", "--map", d + "/map.yaml",
                        "--events", d + "/recording.jsonl", "--tickets", "-"] + list(extra), capture_output=True, text=True)
    if p.returncode:
        raise RuntimeError(p.stderr[-400:] or "exit %d" % p.returncode)
    return p.stdout


def tickets_of(exam, out, events, back, names):
    import json
    T = []
    for line in out.splitlines():
        t = json.loads(line)
        rid = [exam.tokens(events[i])[k] for i, k in t["events"]]
        g = lambda x: back.get(x, x)
        T.append(dict(ticket=t["ticket"], opened_at=exam.seconds(t["opened_at"]), resolved_at=exam.seconds(t["resolved_at"]),
                      members=[names.get(r, r) for r in rid if r], root=g(t["root"]), roots=[g(x) for x in t["roots"]],
                      services=[g(x) for x in t["services"]], priority=int(t["priority"][1:]), merged_into=t["merged_into"],
                      resolves=[exam.seconds(x) for x in t["resolves"]], reopens=[exam.seconds(x) for x in t["reopens"]]))
    return T


def one(job):
    sc, variant, a = job
    sys.path.insert(0, a.storms)
    import exam
    S = exam.gen.build(*sc)
    import base64
    rng = random.Random("%s %s" % (sc, variant))
    events = [{"send": exam.gen.EPOCH + e[0], "transport": e[2], "raw": base64.b64encode(e[4]).decode()} for e in S.events]
    names = shuffled(events, rng, exam) if variant == "shuffled" else {}
    events = dress(events, variant, rng)
    with tempfile.TemporaryDirectory(prefix="storm") as d:
        back = exam.write_map(S.topo, d + "/map.yaml")
        exam.write_silences(S.topo, d + "/silences.yaml")
        write_recording(exam, d + "/recording.jsonl", events, exam.gen.EPOCH + S.dur + (6 if variant == "jitter" else 0))
        try:
            out = backtest(a, d)
            if variant == "restart":
                for every in (max(1, len(events) // 3), 97):
                    if backtest(a, d, ["--restart-every", str(every)]) != out:
                        return sc, variant, None, "a restart every %d payloads changes the tickets" % every
        except RuntimeError as e:
            return sc, variant, None, str(e)
        o = exam.score.score(S.truth, tickets_of(exam, out, events, back, names))
    return sc, variant, o["score"], ""


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("ctl")
    ap.add_argument("rules")
    ap.add_argument("--storms", default=os.environ.get("CARILLON_STORMS", os.path.join(HERE, "../../../shared/storms")))
    ap.add_argument("--set", default="small")
    ap.add_argument("-j", type=int, default=2)
    a = ap.parse_args()
    if not os.path.exists(os.path.join(a.storms, "exam.py")):
        print("skipped: the exam is not here (%s)" % a.storms)
        return 0
    sys.path.insert(0, a.storms)
    sys.dont_write_bytecode = True
    import exam
    import json
    sets = exam.SETS.get(a.set) or [tuple(x) for x in json.load(open(a.set))]
    with Pool(a.j) as p:
        rows = p.map(one, [(s, v, a) for s in sets for v in VARIANTS], 1)
    bad = 0
    score = {(s, v): x for s, v, x, _ in rows}
    for s, v, x, why in rows:
        if why:
            bad += 1
            print("FAILED %s %s: %s" % (" ".join(map(str, s)), v, why.strip()))
        elif v != "plain" and score[(s, "plain")] is not None and x < score[(s, "plain")] - 5:
            print("lower  %-34s %-9s %5.1f instead of %5.1f" % (" ".join(map(str, s)), v, x, score[(s, "plain")]))
    plain = sum(x or 0 for s, v, x, _ in rows if v == "plain") / len(sets)
    for v in VARIANTS:
        mean = sum(x or 0 for s, w, x, _ in rows if w == v) / len(sets)
        bad += mean < plain - 1
        print("%-9s mean %5.1f over %d scenarios%s" % (v, mean, len(sets), "  FAILED: more than 1 below plain" if mean < plain - 1 else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
