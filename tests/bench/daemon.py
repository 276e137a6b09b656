#!/usr/bin/env python3
"""daemon.py [CARILLOND] [--lines N] [--rules 10,1000,10000] [--keys N]: figures of the whole daemon, beside a raw TCP sink in the same run.

W1   CPU microseconds per 145-octet syslog line over TCP at so many regex rules; half of the lines are near misses, 1 % match
     (performance.md). CPU is user + system of all processes of the daemon; recording is off. The same lines twice: the first
     pass also opens an alert per (rule, host) and compiles the expressions that were hit, of which many rules have more; the
     second is what a line costs, and what is compared.
W5   resident octets of core per live window key (its text of 8 octets, list and table included) of a rule that counts by host,
     and what an unrelated line costs beside none and beside so many keys
idle resident memory (PSS, all roles together) with that many rules
W    events a second accepted durably when every line matches, and the latency of a webhook from POST to 202 (p50, p99)
R    time to recover so many journaled events after kill -9 of core

A benchmark, never a test: it prints, it judges nothing. Needs a release build; default build/daemon/carillond."""
import http.client, os, random, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HZ = os.sysconf("SC_CLK_TCK")


def option(name, default):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


CARILLOND = next((a for i, a in enumerate(sys.argv[1:], 1) if not a.startswith("--") and not sys.argv[i - 1].startswith("--")), TOP + "/build/daemon/carillond")
LINES = int(option("--lines", "400000"))
RULES = [int(x) for x in option("--rules", "10,1000,10000").split(",")]
RECOVER = int(option("--recover", "1000000"))
KEYS = int(option("--keys", "1000000"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children(pid):
    try:
        return [int(x) for x in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    except OSError:
        return []


def cpu(pids):
    total = 0
    for p in pids:
        f = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
        total += int(f[11]) + int(f[12])
    return total / HZ


def pss(pids):
    kib = 0
    for p in pids:
        m = re.search(r"^Pss:\s+(\d+)", open(f"/proc/{p}/smaps_rollup").read(), re.M)
        kib += int(m[1]) if m else 0
    return kib / 1024


class Daemon:
    """`listeners`: YAML lines of more listeners, `limits`: flow style; `syslog` says what that listener binds."""

    def __init__(self, rules, extra="", listeners="", limits="sender_rate: 100000000/s, events_per_second: 100000000, keys_per_rule: 10000000", syslog="tcp", intake="1"):
        self.dir = tempfile.mkdtemp(prefix="carillon-bench-")
        self.syslog, self.hooks, self.metrics = free_port(), free_port(), free_port()
        os.mkdir(self.dir + "/rules")
        for i, text in enumerate(rules):
            open(f"{self.dir}/rules/bench{i}.yaml", "w").write(text)
        open(self.dir + "/c.yaml", "w").write(f"""version: 1
instance: bench
listeners:
  syslog: {{bind: ["{syslog}://127.0.0.1:{self.syslog}"]}}
{listeners or "  traps: {enabled: false}"}
  hooks: {{bind: ["http://127.0.0.1:{self.hooks}"]}}
rules: {{path: ["{self.dir}/rules"]}}
map: {{path: "{self.dir}/none.yaml", hosts_file: false}}
limits: {{{limits}}}
state: {{path: "{self.dir}/state", snapshot: 1h}}
admin: {{socket: {{path: "{self.dir}/admin.sock", mode: "0600"}}, metrics: {{bind: ["http://127.0.0.1:{self.metrics}"]}}}}
log: {{level: info}}
intake: {intake}
record: {{enabled: false}}
{extra}""")
        env = dict(os.environ, CARILLON_DATA=TOP)
        self.log = open(self.dir + "/log", "w")
        self.p = subprocess.Popen([CARILLOND, "-c", self.dir + "/c.yaml"], env=env, stderr=self.log)
        end = time.time() + 60
        while time.time() < end:
            try:
                if "200" in self.get("/-/ready", True):
                    break
            except OSError:
                pass
            if self.p.poll() is not None:
                sys.exit("the daemon does not start:\n" + open(self.dir + "/log").read()[-2000:])
            time.sleep(0.05)

    def get(self, path, status=False):
        c = http.client.HTTPConnection("127.0.0.1", self.metrics, timeout=10)
        c.request("GET", path)
        r = c.getresponse()
        body = r.read().decode()
        c.close()
        return str(r.status) if status else body

    def counter(self, name):
        return sum(float(m) for m in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", self.get("/metrics"), re.M))

    def pids(self):
        return [self.p.pid] + children(self.p.pid)

    def role(self, name):
        return next(p for p in children(self.p.pid) if open(f"/proc/{p}/comm").read().strip() == name)

    def wait(self, name, n, limit=300):
        end = time.time() + limit
        # each look is a scrape, and is paid by the daemon
        while time.time() < end and self.counter(name) < n:
            time.sleep(0.1)
        return self.counter(name)

    def stop(self):
        self.p.terminate()
        self.p.wait()
        shutil.rmtree(self.dir)


def regex_rules(n):
    return [regex_file(k, min(k + 2000, n)) for k in range(0, n, 2000)]


def regex_file(first, last):
    out = ["version: 1", "package: bench", "rules:"]
    for i in range(first, last):
        out.append(f"  r{i}: {{summary: s{i} seen, by: [host], match: {{message: {{regex: \"session-{i:05d} (opened|closed) by user[0-9]+\"}}}}}}")
    return "\n".join(out) + "\n"


def lines(n, rules, seed=1):
    rnd, out = random.Random(seed), []
    for k in range(n):
        i = rnd.randrange(rules)
        if k % 100 == 0:
            text = f"session-{i:05d} opened by user{k % 10}"
        elif k % 2:
            text = f"session-x{i:05d} opened by user{k % 10}"
        else:
            text = f"connection from 10.0.{k % 256}.{k % 251} accepted for job{k % 97}"
        line = f"<30>Nov 22 12:00:{k % 60:02d} host{k % 50} app[{k % 9999}]: {text}"
        out.append(line.ljust(144, ".") + "\n")
    return "".join(out).encode()


def send(port, data):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    try:
        s.recv(1)
    except OSError:
        pass
    s.close()


def sink(data):
    """CPU per line of a process that only reads (256 KiB at a time)."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(1)
        os.write(w, b"%d\n" % s.getsockname()[1])
        c, _ = s.accept()
        buf = bytearray(262144)
        while c.recv_into(buf):
            pass
        os._exit(0)
    port = int(os.read(r, 16))
    s = socket.create_connection(("127.0.0.1", port))
    before = cpu([pid])
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime - before


def w1_pass(d, data, received, wanted):
    before, t0 = cpu(d.pids()), time.time()
    send(d.syslog, data)
    d.wait("carillon_events_received_total", received)
    wall = time.time() - t0
    d.wait("carillon_events_accepted_total", wanted, 20)
    return (cpu(d.pids()) - before) / LINES * 1e6, wall


def w1():
    data = lines(LINES, max(RULES))
    base = sink(data) / LINES * 1e6
    print(f"raw TCP sink                     {base:8.3f} us/line")
    first = None
    for n in RULES:
        data = lines(LINES, n)
        d = Daemon(regex_rules(n))
        memory = pss(d.pids())
        wanted = LINES // 100
        cold, _ = w1_pass(d, data, LINES, wanted)
        used, wall = w1_pass(d, data, 2 * LINES, 2 * wanted)
        first = first or used
        print(f"W1 {n:6d} regex rules           {used:8.3f} us/line  x{used / base:5.1f} of the sink  x{used / first:4.2f} of {RULES[0]} rules  "
              f"{LINES / wall:9.0f} lines/s  first pass {cold:.3f} us/line  received {d.counter('carillon_events_received_total'):.0f} of {2 * LINES}, "
              f"wanted {d.counter('carillon_events_accepted_total'):.0f} of {2 * wanted}  idle {memory:.1f} MB", flush=True)
        d.stop()


ALL = ["""version: 1
package: bench
rules:
  every: {summary: "line on ${host}", by: [host, app], match: {message: {contains: session}}}
  hook: {summary: "hook ${check}", by: [host], match: {source: hooks}}
"""]


COUNTING = ["""version: 1
package: bench
rules:
  many: {summary: "logins fail", by: [host], match: {message: {contains: "login failed"}}, when: {at_least: 5, within: 12h}}
"""]


def anonymous(pid):
    return int(re.search(r"^Anonymous:\s+(\d+)", open(f"/proc/{pid}/smaps_rollup").read(), re.M)[1]) * 1024


def live_keys():
    d = Daemon(COUNTING)
    unrelated, core, sent, part = lines(LINES, 1000), d.role("core"), 0, 50000
    none, _ = w1_pass(d, unrelated, LINES, 0)
    before = None
    while sent < KEYS:
        # the buffers of the way have grown once a part has gone through
        if sent == part:
            before = anonymous(core)
        send(d.syslog, "".join(f"<30>Nov 22 12:00:00 h{k:07d} app: login failed\n" for k in range(sent, sent + part)).encode())
        sent += part
        d.wait("carillon_events_accepted_total", sent)
    time.sleep(1)
    each = (anonymous(core) - before) / (sent - part)
    many, _ = w1_pass(d, unrelated, 2 * LINES + sent, sent)
    print(f"W5 {sent:8d} live keys           {each:8.1f} octets each in core  an unrelated line {many:.3f} us, x{many / none:4.2f} of {none:.3f} at none", flush=True)
    d.stop()


def durable():
    d = Daemon(ALL)
    data = "".join(f"<30>Nov 22 12:00:{k % 60:02d} host{k % 5000} app: session {k}".ljust(144, ".") + "\n" for k in range(LINES)).encode()
    before, t0 = cpu(d.pids()), time.time()
    send(d.syslog, data)
    got = d.wait("carillon_events_accepted_total", LINES)
    wall = time.time() - t0
    print(f"W  durable events                {got / wall:8.0f} events/s over TCP, {(cpu(d.pids()) - before) / LINES * 1e6:.2f} us CPU each, accepted {got:.0f} of {LINES}", flush=True)
    took = []

    def poster(k):
        c = http.client.HTTPConnection("127.0.0.1", d.hooks)
        for i in range(500):
            t = time.time()
            c.request("POST", "/hook", f'{{"host": "h{k}", "message": "m{i}", "status": "firing"}}', {"Content-Type": "application/json"})
            r = c.getresponse()
            r.read()
            took.append(time.time() - t)

    ts = [threading.Thread(target=poster, args=(k,)) for k in range(8)]
    t0 = time.time()
    [t.start() for t in ts]
    [t.join() for t in ts]
    took.sort()
    print(f"W  webhook POST to answer        p50 {took[len(took) // 2] * 1e3:.1f} ms  p99 {took[len(took) * 99 // 100] * 1e3:.1f} ms  ({len(took) / (time.time() - t0):.0f}/s, 8 clients)", flush=True)
    d.stop()


def recover():
    d = Daemon(ALL)
    chunk = 200000
    sent = 0
    while sent < RECOVER:
        n = min(chunk, RECOVER - sent)
        send(d.syslog, "".join(f"<30>Nov 22 12:00:{k % 60:02d} host{k % 5000} app: session {k}\n" for k in range(n)).encode())
        sent += n
        d.wait("carillon_events_accepted_total", sent)
    time.sleep(0.2)
    t0 = time.time()
    os.kill(d.role("core"), signal.SIGKILL)
    end = time.time() + 120
    found = []
    while time.time() < end and not found:
        found = re.findall(r'state recovered" rows=(\d+) seq=\d+ ms=(\d+)', open(d.dir + "/log").read())[1:]
        time.sleep(0.05)
    print(f"R  recovery of journaled events  rows {found[-1][0] if found else '?'}  replay {found[-1][1] if found else '?'} ms  kill to ready {time.time() - t0:.2f} s", flush=True)
    d.stop()


if __name__ == "__main__":
    print(f"{os.cpu_count()} CPUs, {CARILLOND}")
    if RULES != [0]:
        w1()
    if KEYS > 0:
        live_keys()
    durable()
    recover()
