#!/usr/bin/env python3
"""intake.py [CARILLOND] [--only traps,syslog,hooks,idle,tls] [--seconds N] [--peers no]: figures of what comes in, beside raw
sinks in the same run and, where they are installed, beside snmptrapd, syslog-ng and Alertmanager.

traps   W4: CPU per SNMPv2c linkDown trap and what was lost at 200,000/s
syslog  the same for 145-octet lines over UDP at 400,000/s with 1,000 regex rules
hooks   W3: CPU per Alertmanager alert (API v2), accepted and journaled, in batches of 1, 10 and 100
idle    memory of 10,000 idle syslog connections
tls     CPU and lines/s of syslog over TLS beside plain TCP

CPU is user + system of all processes of a side. A benchmark, never a test: it prints, it judges nothing. Needs a release
build (default build/daemon/carillond, with build/tests/bench/bench-intake-load) and root for large socket buffers."""
import json, os, shutil, signal, socket, ssl, struct, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
import daemon as base
from daemon import Daemon, cpu, free_port, option, pss

LOAD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(base.CARILLOND))), "tests/bench/bench-intake-load")
ONLY = option("--only", "traps,syslog,hooks,idle,tls").split(",")
SECONDS = float(option("--seconds", "10"))
PEERS = option("--peers", "yes") == "yes"
LIMITS = "sender_rate: 100000000/s, events_per_second: 100000000, connections: 40000, sender_connections: 40000"
WORK = tempfile.mkdtemp(prefix="carillon-intake-")
ONE = """version: 1
package: bench
rules:
  one: {summary: "link of ${host}", by: [host], match: {snmp.var.ifIndex: 100}}
"""


def pool(name, payloads):
    path = os.path.join(WORK, name)
    with open(path, "wb") as f:
        for p in payloads:
            f.write(struct.pack("<I", len(p)) + p)
    return path


def load(*args):
    """(count, seconds) of the load program."""
    out = subprocess.run([LOAD, *map(str, args)], stdout=subprocess.PIPE, check=True).stdout.split()
    return int(out[0]), float(out[1])


class Sink:
    def __init__(self, kind):
        self.p = subprocess.Popen([LOAD, kind + "-sink"], stdout=subprocess.PIPE)
        self.port = int(self.p.stdout.readline())

    def end(self):
        time.sleep(0.5)
        self.p.terminate()
        n, used = self.p.stdout.read().split()
        self.p.wait()
        return int(n), float(used)


class Peer:
    """Another project's program, measured as the daemon is."""

    def __init__(self, *command, env=None):
        self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=WORK)
        time.sleep(1.5)

    def pids(self):
        return [self.p.pid] + base.children(self.p.pid)

    def end(self):
        self.p.terminate()
        self.p.wait()


def settle(count):
    """Waits until a counter stands still; returns it."""
    last, same = -1, 0
    while same < 10:
        n = count()
        same = same + 1 if n == last else 0
        last = n
        time.sleep(0.05)
    return last


def say(what, used, n, sent, seconds, note=""):
    print(f"{what:34s} {used / max(n, 1) * 1e6:8.3f} us each  {sent / seconds:9.0f}/s  lost {sent - n:.0f} of {sent:.0f} ({100 * (sent - n) / sent:.2f} %)  {note}", flush=True)
    return used / max(n, 1) * 1e6


def datagrams(kind, rate, path, make_daemon, port, peers):
    sink = Sink("udp")
    sent, seconds = load("udp", sink.port, rate, SECONDS, 4, path)
    n, used = sink.end()
    raw = say(f"{kind} raw UDP sink", used, n, sent, seconds)
    mine = None
    for pace in (rate, rate // 10):
        d = make_daemon()
        before = cpu(d.pids())
        sent, seconds = load("udp", port(d), pace, SECONDS, 4, path)
        n = settle(lambda: d.counter("carillon_events_received_total"))
        used = cpu(d.pids()) - before
        kernel = sum(float(line.rsplit(" ", 1)[1]) for line in d.get("/metrics").splitlines()
                     if line.startswith("carillon_events_dropped_total{") and 'reason="kernel"' in line)
        now = say(f"{kind} carillon", used, n, sent, seconds, f"(the kernel's buffers: {kernel:.0f})  x{used / max(n, 1) * 1e6 / raw:.1f} of the sink")
        mine = mine or now  # of the full pace, where batches are full
        d.stop()
    for peer in peers:
        peer(path, mine)


# ---- SNMP


def tlv(tag, body):
    return bytes([tag, len(body)]) + body if len(body) < 128 else bytes([tag, 0x81, len(body)]) + body


def oid(text):
    parts = [int(p) for p in text.split(".")]
    out = bytes([parts[0] * 40 + parts[1]])
    for p in parts[2:]:
        piece = [p & 0x7f]
        while p > 0x7f:
            p >>= 7
            piece.insert(0, 0x80 | (p & 0x7f))
        out += bytes(piece)
    return tlv(6, out)


def number(tag, v):
    return tlv(tag, v.to_bytes(v.bit_length() // 8 + 1, "big"))


def trap(k):
    index = k % 100 + 1
    binds = [("1.3.6.1.2.1.1.3.0", number(0x43, 100000 + k)), ("1.3.6.1.6.3.1.1.4.1.0", oid("1.3.6.1.6.3.1.1.5.3")),
             (f"1.3.6.1.2.1.2.2.1.1.{index}", number(2, index)), (f"1.3.6.1.2.1.2.2.1.7.{index}", number(2, 1)),
             (f"1.3.6.1.2.1.2.2.1.8.{index}", number(2, 2))]
    body = b"".join(tlv(0x30, oid(name) + value) for name, value in binds)
    return tlv(0x30, number(2, 1) + tlv(4, b"public") + tlv(0xa7, number(2, k + 1) + number(2, 0) + number(2, 0) + tlv(0x30, body)))


def trap_daemon(rules=ONE):
    port = free_port()
    d = Daemon([rules], limits=LIMITS, listeners=f'  traps: {{bind: ["udp://127.0.0.1:{port}"]}}', intake="auto")
    d.traps = port
    return d


def snmptrapd(path, mine):
    if not shutil.which("snmptrapd"):
        return
    port, log = free_port(), WORK + "/snmptrapd.log"
    with open(WORK + "/snmptrapd.conf", "w") as f:
        f.write("disableAuthorization yes\n")
    p = Peer("snmptrapd", "-f", "-n", "-C", "-c", WORK + "/snmptrapd.conf", "-Lf", log, "-p", WORK + "/snmptrapd.pid", f"udp:127.0.0.1:{port}",
             env={**os.environ, "SNMP_PERSISTENT_DIR": WORK})
    before = cpu(p.pids())
    sent, seconds = load("udp", port, 5000, 3, 4, path)

    def logged():
        with open(log, "rb") as f:
            text = f.read()
            return text.count(b"snmpTrapOID") or text.count(b".6.3.1.1.4.1.0")  # with MIBs or without
    n = settle(logged)
    used = cpu(p.pids()) - before
    p.end()
    say("W4 snmptrapd to a file", used, n, sent, seconds, f"x{used / max(n, 1) * 1e6 / mine:.0f} of carillon")


def traps():
    path = pool("traps", (trap(k) for k in range(5000)))
    datagrams("W4", 200000, path, trap_daemon, lambda d: d.traps, [snmptrapd] if PEERS else [])


# ---- syslog over UDP


def syslog_ng(path, mine):
    import peers
    program = shutil.which("syslog-ng") or peers.program("syslog-ng")
    if not program:
        return
    port, out = free_port(), WORK + "/syslog-ng.out"
    with open(WORK + "/syslog-ng.conf", "w") as f:
        f.write(f'@version: 3.38\noptions {{ stats-freq(0); }};\nsource s {{ network(ip("127.0.0.1") port({port}) transport("udp") so-rcvbuf(33554432)); }};\n'
                f'destination d {{ file("{out}"); }};\nlog {{ source(s); destination(d); }};\n')
    options = ["--module-path=" + peers.path("usr/lib/syslog-ng/3.38")] if program.startswith(peers.ROOT) else []
    p = Peer(program, "-F", "--no-caps", "-f", WORK + "/syslog-ng.conf", "-R", WORK + "/persist", "-c", WORK + "/ctl", "-p", WORK + "/pid", *options,
             env=peers.environment())
    before = cpu(p.pids())
    sent, seconds = load("udp", port, 400000, SECONDS, 4, path)

    def written():
        return os.path.getsize(out) if os.path.exists(out) else 0
    settle(written)
    used = cpu(p.pids()) - before
    p.end()
    with open(out, "rb") as f:
        n = sum(piece.count(b"\n") for piece in iter(lambda: f.read(1 << 20), b""))
    os.unlink(out)
    say("U  syslog-ng to a file", used, n, sent, seconds, f"without rules; x{used / max(n, 1) * 1e6 / mine:.1f} of carillon")


def syslog():
    path = pool("lines", base.lines(20000, 1000).splitlines())
    datagrams("U ", 400000, path, lambda: Daemon(base.regex_rules(1000), limits=LIMITS, syslog="udp", intake="auto"), lambda d: d.syslog,
              [syslog_ng] if PEERS else [])


# ---- webhooks

ALERTS = """version: 1
package: bench
rules:
  any: {summary: "${check} on ${host}", by: [host, check], match: {source: alertmanager}}
"""


def alert(k, now):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now)), time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now + 3600))
    return {"labels": {"alertname": "HighLoad%d" % (k % 20), "instance": "host-%d:9100" % (k // 20), "job": "node", "severity": "warning", "cluster": "main"},
            "annotations": {"summary": "load of host-%d is high" % (k // 20), "description": "load is %d.%d for 5 minutes" % (k % 90, k % 10)},
            "startsAt": stamp[0], "endsAt": stamp[1], "generatorURL": "http://prometheus.example.net:9090/graph?g0.expr=node_load1+%3E+8&g0.tab=1"}


def post(port, batch, path, total):
    good, seconds = load("post", port, "/api/v2/alerts", 64, total // batch, path)
    return good * batch, seconds


def hooks():
    now, listeners = time.time(), '  traps: {enabled: false}\n  alertmanager: {type: webhook, on: hooks, profile: alertmanager}'
    for batch, total in ((1, 60000), (10, 300000), (100, 600000)):
        path = pool("alerts%d" % batch, (json.dumps([alert(k + i, now) for i in range(batch)]).encode() for k in range(0, 20000, batch)))
        sink = Sink("http")
        n, seconds = post(sink.port, batch, path, total)
        taken, used = sink.end()
        raw = used / max(taken * batch, 1) * 1e6
        print(f"W3 batches of {batch:3d}  raw HTTP sink     {raw:8.3f} us/alert  {n / seconds:9.0f}/s", flush=True)
        d = Daemon([ALERTS], limits=LIMITS, listeners=listeners, intake="auto")
        for what in ("new alerts", "known alerts"):
            before, was, roles = cpu(d.pids()), d.counter("carillon_events_accepted_total"), {p: cpu([p]) for p in d.pids()}
            count = 20000 if what == "new alerts" else total
            n, seconds = post(d.hooks, batch, path, count)
            got = d.wait("carillon_events_accepted_total", was + count, 20) - was
            used = (cpu(d.pids()) - before) / max(got, 1) * 1e6
            parts = " ".join(f"{open(f'/proc/{p}/comm').read().strip()} {(cpu([p]) - roles[p]) / max(got, 1) * 1e6:.2f}" for p in d.pids() if cpu([p]) > roles[p])
            print(f"W3 batches of {batch:3d}  carillon          {used:8.3f} us/alert  {n / seconds:9.0f}/s  accepted and journaled {got:.0f} of {count} ({what})  "
                  f"x{used / raw:.1f} of the sink  [{parts}]", flush=True)
        d.stop()
        if PEERS and shutil.which("prometheus-alertmanager"):
            alertmanager(batch, path, total // 10, used)


def alertmanager(batch, path, total, mine):
    port = free_port()
    with open(WORK + "/am.yml", "w") as f:
        f.write("route: {receiver: none, group_by: ['...'], group_wait: 1h}\nreceivers: [{name: none}]\n")
    p = Peer("prometheus-alertmanager", "--config.file=" + WORK + "/am.yml", "--storage.path=" + WORK + "/am", f"--web.listen-address=127.0.0.1:{port}",
             "--cluster.listen-address=", "--log.level=error")
    before = cpu(p.pids())
    n, seconds = post(port, batch, path, total)
    time.sleep(1)
    used = (cpu(p.pids()) - before) / max(n, 1) * 1e6
    p.end()
    print(f"W3 batches of {batch:3d}  Alertmanager      {used:8.3f} us/alert  {n / seconds:9.0f}/s  x{used / mine:.1f} of carillon", flush=True)


# ---- connections


def idle():
    d = Daemon([ONE], limits=LIMITS)
    before = pss(d.pids())
    want = 10000
    open_here = []
    try:
        for i in range(want):
            s = socket.socket()
            s.bind(("127.0.0.%d" % (i % 200 + 1), 0))
            s.connect(("127.0.0.1", d.syslog))
            open_here.append(s)
    except OSError as e:
        print(f"idle: {len(open_here)} connections, then: {e}")
    for s in open_here[::100]:
        s.sendall(b"<13>hello\n")
    d.wait("carillon_events_received_total", len(open_here) // 100, 30)
    used = pss(d.pids()) - before
    print(f"idle {len(open_here)} connections            {used:8.1f} MB more than {before:.1f} MB, {used * 1048576 / len(open_here):.0f} octets each; one in 100 sent a "
          f"line, {d.counter('carillon_events_received_total'):.0f} came", flush=True)
    for s in open_here:
        s.close()
    d.stop()


def tls():
    from pki import Pki
    p = Pki(WORK + "/pki")
    ca = p.authority("ca")
    cert, key = p.issue("server", "ca", "IP:127.0.0.1,DNS:localhost")
    n, secure = base.LINES, free_port()
    data = base.lines(n, 1000)
    rates = []
    for what in ("TCP", "TLS"):
        d = Daemon(base.regex_rules(1000), limits=LIMITS,
                   listeners=f'  traps: {{enabled: false}}\n  secure: {{type: syslog, bind: ["tls://127.0.0.1:{secure}"], tls: {{cert: "{cert}", key: "file:{key}"}}}}')
        before, t0 = cpu(d.pids()), time.time()
        if what == "TCP":
            base.send(d.syslog, data)
        else:
            s = ssl.create_default_context(cafile=ca).wrap_socket(socket.create_connection(("127.0.0.1", secure)), server_hostname="127.0.0.1")
            s.sendall(data)
            s.unwrap().close()
        got = d.wait("carillon_events_received_total", n, 60)
        wall, used = time.time() - t0, cpu(d.pids()) - before
        rates.append((got / wall, used / got * 1e6))
        print(f"syslog over {what}                    {used / got * 1e6:8.3f} us/line  {got / wall:9.0f} lines/s  received {got:.0f} of {n}", flush=True)
        d.stop()
    print(f"TLS beside TCP                     {100 * rates[1][0] / rates[0][0]:.0f} % of the lines/s (the sender encrypts on the same machine), "
          f"{100 * rates[0][1] / rates[1][1]:.0f} % of the lines per CPU second", flush=True)


if __name__ == "__main__":
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {base.CARILLOND}", flush=True)
    try:
        for name in ONLY:
            globals()[name]()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"load {os.getloadavg()[0]:.1f} at the end", flush=True)
