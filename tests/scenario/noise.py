#!/usr/bin/env python3
"""noise.py CARILLONCTL [FOLDER]

An hour of noise: every syslog line of a folder of vectors (JSON lines with `input` in base64), in a fixed order, spread over
an hour, through "rules backtest" with all packs of this repository and a map that has nothing to do with them. Prints every
incident that would have been opened, with the line that began it, for a person to judge. The vectors are no part of this
repository; without them nothing is done. A look, not a test.
"""
import base64
import datetime
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
MAP = "version: 1\nservices:\n" + "".join("  app-%d: {tier: %d, needs: [store-%d]}\n  store-%d: {kind: db, hosts: [store-%d]}\n"
                                          % (i, 1 + i % 4, i, i, i) for i in range(10))
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)


def stamp(seconds):
    return (START + datetime.timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def main():
    ctl = sys.argv[1]
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.join(TOP, "..", "shared", "corpora", "dev", "syslog")
    lines = []
    for path in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
        for line in open(path):
            v = json.loads(line)
            if v.get("input"):
                lines.append((v.get("id", "?"), base64.b64decode(v["input"])))
    if not lines:
        print("skipped: there are no vectors in", folder)
        return 0
    random.Random(1).shuffle(lines)
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/map.yaml", "w") as f:
            f.write(MAP)
        with open(d + "/recording.jsonl", "w") as f:
            for i, (_, raw) in enumerate(lines):
                f.write(json.dumps({"received": stamp(3600.0 * i / len(lines)), "listener": "syslog", "transport": "udp",
                                    "peer": "127.0.0.1", "raw": base64.b64encode(raw).decode()}) + "\n")
            f.write(json.dumps({"received": stamp(5400), "end": True}) + "\n")
        p = subprocess.run([ctl, "rules", "backtest", "--rules", TOP + "/rules", "--map", d + "/map.yaml",
                            "--events", d + "/recording.jsonl", "--tickets", "-"], capture_output=True, text=True,
                           env=dict(os.environ, CARILLON_DATA=TOP))
    print(p.stderr.strip())
    if p.returncode:
        return 1
    tickets = [json.loads(t) for t in p.stdout.splitlines() if t.strip()]
    print("%d lines in an hour, %d incidents, %d of them hurt a service of the map"
          % (len(lines), len(tickets), sum(bool(t["services"]) for t in tickets)))
    for t in tickets:
        name, raw = lines[t["events"][0][0]] if t["events"] else ("-", b"")
        print("%s %-30s %3d events  %s: %s" % (t["priority"], str(t["root"])[:30], len(t["events"]), name,
                                               raw.decode("utf-8", "replace").replace("\n", " ")[:150]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
