#!/usr/bin/env python3
"""make-storm.py DIR: writes storm.jsonl and storm.map.yaml, the recording that is shipped for `rules backtest --events storm`.

An invented hour of a data centre with forty machines: a rack switch dies under nine of them and comes back, a database loses
its disk, a link flaps, a certificate runs out, and people mistype passwords all the while. The same bytes on every run."""
import base64
import datetime
import json
import os
import random
import sys

START = datetime.datetime(2026, 1, 12, 8, 0, 0, tzinfo=datetime.timezone.utc)
RACKS = 5
PER_RACK = 8


def stamp(at):
    return (START + datetime.timedelta(seconds=round(at, 3))).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Storm:
    def __init__(self):
        self.rng = random.Random(20260112)
        self.lines = []

    def add(self, at, listener, transport, peer, raw, **more):
        self.lines.append((at, len(self.lines), {"listener": listener, "transport": transport, "peer": peer, **more,
                                                 "raw": base64.b64encode(raw.encode()).decode()}))

    def syslog(self, at, host, app, text, severity, facility=3):
        self.add(at + self.rng.uniform(0, 0.4), "syslog", "udp", "192.0.2.%d" % (sum(host.encode()) % 250 + 1),
                 "<%d>1 %s %s %s - - - %s" % (facility * 8 + severity, stamp(at), host, app, text))

    def alert(self, at, name, firing, severity="critical", **labels):
        body = {"version": "4", "status": "firing" if firing else "resolved", "receiver": "carillon", "groupLabels": {},
                "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example", "groupKey": name,
                "alerts": [{"status": "firing" if firing else "resolved", "labels": {"alertname": name, "severity": severity, **labels},
                            "annotations": {"summary": "%s on %s" % (name, labels.get("instance", "?"))}, "startsAt": stamp(at),
                            "endsAt": "0001-01-01T00:00:00Z" if firing else stamp(at), "generatorURL": "http://prometheus.example"}]}
        self.add(at + self.rng.uniform(0, 2), "alertmanager", "http", "192.0.2.9", json.dumps(body),
                 path="/hook/alertmanager", headers={"content-type": "application/json"})

    def write(self, path):
        with open(path, "w") as f:
            for at, _, item in sorted(self.lines, key=lambda x: x[:2]):
                f.write(json.dumps({"received": stamp(at), **item}, separators=(",", ":")) + "\n")
            f.write(json.dumps({"received": stamp(3600), "end": True}, separators=(",", ":")) + "\n")


def host(rack, n):
    return "node-%d%02d" % (rack, n)


def rack_dies(s, at, rack, length):
    s.syslog(at, "agg-1", "LINK-3-UPDOWN", "Interface TenGigabitEthernet1/0/%d, changed state to down" % rack, 3, 23)
    for n in range(1, PER_RACK + 1):
        s.alert(at + s.rng.uniform(20, 60), "NodeDown", True, instance=host(rack, n) + ":9100")
    s.alert(at + 35, "NodeDown", True, instance="tor-%d" % rack)
    for n in range(1, PER_RACK + 1):
        s.alert(at + length + s.rng.uniform(5, 40), "NodeDown", False, instance=host(rack, n) + ":9100")
    s.alert(at + length + 10, "NodeDown", False, instance="tor-%d" % rack)
    s.syslog(at + length, "agg-1", "LINK-3-UPDOWN", "Interface TenGigabitEthernet1/0/%d, changed state to up" % rack, 5, 23)


def disk_dies(s, at, name, length):
    for k in range(12):
        s.syslog(at + k * 7, name, "kernel", "blk_update_request: I/O error, dev sda, sector %d op 0x0:(READ)" % s.rng.randrange(10 ** 8), 3, 0)
    s.alert(at + 40, "PostgresqlDown", True, instance=name + ":9187")
    for k in range(20):
        s.syslog(at + 15 + k * 5, host(2, 1 + k % 3), "orders", "connection to database at \"%s\" failed: Connection refused" % name, 3, 16)
    s.alert(at + length, "PostgresqlDown", False, instance=name + ":9187")


def link_flaps(s, at, times):
    for k in range(times):
        for state, sev in (("down", 3), ("up", 5)):
            s.syslog(at + k * 20 + (8 if state == "up" else 0), "agg-2", "LINK-3-UPDOWN",
                     "Interface TenGigabitEthernet1/0/4, changed state to %s" % state, sev, 23)


def everyday(s):
    for k in range(900):
        at, n = s.rng.uniform(0, 3590), host(s.rng.randint(1, RACKS), s.rng.randint(1, PER_RACK))
        text = s.rng.choice(("session opened for user deploy", "(root) CMD (run-parts /etc/cron.hourly)", "Started Session %d" % k))
        s.syslog(at, n, s.rng.choice(("systemd", "CRON", "sshd")), text, 6)
    for k in range(40):
        s.syslog(s.rng.uniform(0, 3590), host(1, 1), "sshd", "Failed password for root from 203.0.113.%d port %d ssh2"
                 % (k % 7, 40000 + k), 6, 4)


def write_map(path):
    need = {host(r, n): ["tor-%d" % r] for r in range(1, RACKS + 1) for n in range(1, PER_RACK + 1)}
    with open(path, "w") as f:
        f.write("# The map of `rules backtest --events storm`; made by make-storm.py.\nversion: 1\nservices:\n")
        for name in ("agg-1", "agg-2"):
            f.write("  %s: {kind: switch, owner: team-network, hosts: [%s]}\n" % (name, name))
        for r in range(1, RACKS + 1):
            f.write("  tor-%d: {kind: switch, owner: team-network, hosts: [tor-%d], needs: [{any: [agg-1, agg-2], at_least: 1}]}\n" % (r, r))
        for name, needs in need.items():
            f.write("  %s: {kind: server, owner: team-hosting, hosts: [%s], needs: [%s]}\n" % (name, name, ", ".join(needs)))
        f.write("  pg-1: {kind: database, owner: team-data, hosts: [pg-1], needs: [tor-1]}\n")
        f.write("  orders: {tier: 1, owner: team-shop, needs: [pg-1, {any: [%s], at_least: 2}]}\n" % ", ".join(host(2, n) for n in (1, 2, 3)))
        f.write("  reports: {tier: 3, owner: team-data, needs: [%s]}\n" % ", ".join(host(3, n) for n in (1, 2)))
        f.write("  search: {tier: 2, owner: team-search, needs: [{any: [%s], at_least: 1}]}\n" % ", ".join(host(r, 4) for r in (3, 4, 5)))


def main():
    s = Storm()
    everyday(s)
    rack_dies(s, 600, 3, 420)
    disk_dies(s, 1500, "pg-1", 500)
    link_flaps(s, 2400, 6)
    s.alert(2900, "CertificateExpiry", True, "warning", instance="shop.example:443")
    s.write(os.path.join(sys.argv[1], "storm.jsonl"))
    write_map(os.path.join(sys.argv[1], "storm.map.yaml"))


main()
