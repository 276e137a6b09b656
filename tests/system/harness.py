"""What the system tests share: a real daemon in a private directory, a private Redis, senders, and waiting.

Everything listens on free ports of 127.0.0.1 and is ended by its own process id. A check is one printed line
(`ok: …`, `FAILED: …`, `skipped: …`), because tests/run counts those."""

import atexit
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)  # a hostile number is no fault of the reader

SANITIZER_WORDS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "UndefinedBehaviorSanitizer",
                   "BUG: ", "bug:")

# ---- checks


class Checks:
    """Counts and prints; `end` gives the exit status that tests/run expects."""

    def __init__(self):
        self.passed = self.failed = 0
        self.daemons = []

    def check(self, condition, text, detail=""):
        if condition:
            self.passed += 1
            print("ok: " + text, flush=True)
        else:
            self.failed += 1
            print("FAILED: " + text + (": " + str(detail) if detail != "" else ""), flush=True)
        return bool(condition)

    def skip(self, text):
        print("skipped: " + text, flush=True)

    def wait(self, condition, timeout, text, detail=None):
        """Checks that `condition()` becomes true within `timeout` seconds; returns what it returned."""
        got, last = None, ""
        try:
            got = wait_for(condition, timeout)
        except TimeoutError as e:
            last = str(e)
        if not got and detail is not None:
            last = detail() if callable(detail) else detail
        self.check(got, text, last)
        return got

    def end(self):
        for d in self.daemons:
            d.cleanup(keep=self.failed > 0)
        sys.exit(1 if self.failed else 0)


def wait_for(condition, timeout=10.0, every=0.02):
    """Polls until `condition()` is true and returns its value; TimeoutError names the last exception, if there was one."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError) as e:
            last = e
        if time.monotonic() >= end:
            raise TimeoutError("not within %g s%s" % (timeout, ": %r" % last if last else ""))
        time.sleep(every)


def held_for(condition, seconds, every=0.05):
    """True if `condition()` stays true for the whole time: for what must NOT happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            return False
        time.sleep(every)
    return True


_given = set()


def free_port():
    """A port that is free for TCP and UDP and was not given out before."""
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as t, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            t.bind(("127.0.0.1", 0))
            port = t.getsockname()[1]
            try:
                u.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _given:
                _given.add(port)
                return port
    raise RuntimeError("no free port on 127.0.0.1")


def need(*tools):
    """False, with a loud line, if one of the tools is missing."""
    missing = [t for t in tools if shutil.which(t) is None]
    if missing:
        print("skipped: these programs are missing: " + " ".join(missing), flush=True)
    return not missing


# ---- configuration as text

def flow(value):
    """JSON is YAML flow style: enough for settings and maps."""
    return json.dumps(value, ensure_ascii=False)


def to_yaml(settings):
    if isinstance(settings, str):
        return settings
    return "".join("%s: %s\n" % (k, flow(v)) for k, v in settings.items())


def merge(a, b):
    """b over a, map by map."""
    out = dict(a)
    for k, v in b.items():
        out[k] = merge(out[k], v) if isinstance(v, dict) and isinstance(out.get(k), dict) else v
    return out


# ---- the daemon


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """carillond with its own directory, ports, rules and map. `fast`: the release build. Settings are merged over a
    configuration whose times are short; `rules` is {file name: text}; `map` is text, a map of services, or None."""

    def __init__(self, checks, config=None, rules=None, map=None, fast=False, args=(), env=None, credentials=None):
        self.checks = checks
        self.dir = tempfile.mkdtemp(prefix="carillon-test-")
        self.binary = os.environ.get("CARILLOND_FAST" if fast else "CARILLOND")
        self.ctl_binary = os.environ.get("CARILLONCTL_FAST" if fast else "CARILLONCTL")
        if not self.binary:
            sys.exit("FAILED: CARILLOND%s is not set: run this by tests/run" % ("_FAST" if fast else ""))
        self.args = list(args)
        self.env = {**os.environ, "CARILLON_DATA": TOP, **(env or {})}
        self.process = None
        self.log_path = os.path.join(self.dir, "log")
        self.log_from = 0
        self.syslog_port, self.trap_port, self.hook_port, self.metrics_port = (free_port() for _ in range(4))
        self.admin_path = os.path.join(self.dir, "admin.sock")
        self.config_path = os.path.join(self.dir, "carillon.yaml")
        self.rules_dir = os.path.join(self.dir, "rules")
        self.map_path = os.path.join(self.dir, "map.yaml")
        self.state_dir = os.path.join(self.dir, "state")
        os.mkdir(self.rules_dir)
        if credentials:
            cred = os.path.join(self.dir, "credentials")
            os.mkdir(cred, 0o700)
            for name, value in credentials.items():
                self.write(os.path.join(cred, name), value, 0o400)
            self.env["CREDENTIALS_DIRECTORY"] = cred
        self.settings = merge(self.default_settings(), config or {})
        self.write_config()
        for name, text in (rules or {}).items():
            self.write_rule(name, text)
        if map is not None:
            self.write_map(map)
        checks.daemons.append(self)
        atexit.register(self.kill)

    def default_settings(self):
        return {
            "version": 1,
            "instance": "test",
            "listeners": {
                "syslog": {"bind": ["udp://127.0.0.1:%d" % self.syslog_port, "tcp://127.0.0.1:%d" % self.syslog_port]},
                "traps": {"bind": ["udp://127.0.0.1:%d" % self.trap_port]},
                "hooks": {"bind": ["http://127.0.0.1:%d" % self.hook_port]},
            },
            "rules": {"path": [self.rules_dir]},
            "map": {"path": self.map_path, "hosts_file": False},
            "correlation": {"settle": "500ms", "settle_warn": "1s", "debounce": "2s", "storm_quiet": "200ms"},
            "state": {"path": self.state_dir},
            "admin": {"socket": {"path": self.admin_path, "mode": "0600"},
                      "metrics": {"bind": ["http://127.0.0.1:%d" % self.metrics_port]}},
        }

    # -- files

    @staticmethod
    def write(path, text, mode=0o644):
        tmp = path + ".new"
        with open(tmp, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(tmp, mode)
        os.rename(tmp, path)

    def write_config(self, text=None):
        self.write(self.config_path, to_yaml(self.settings) if text is None else text)

    def write_rule(self, name, text):
        path = os.path.join(self.rules_dir, name)
        if text is None:
            os.unlink(path)
        else:
            self.write(path, text)
        return path

    def write_map(self, services):
        text = services if isinstance(services, str) else \
            "version: 1\nservices:\n" + "".join("  %s: %s\n" % (k, flow(v)) for k, v in services.items())
        self.write(self.map_path, text)

    # -- life

    def start(self, wait=True, timeout=30):
        if os.path.exists(self.log_path):
            self.log_from = os.path.getsize(self.log_path)
        self.log_file = open(self.log_path, "ab")
        began = time.monotonic()
        self.process = subprocess.Popen([self.binary, "-c", self.config_path] + self.args, stdin=subprocess.DEVNULL,
                                        stdout=self.log_file, stderr=self.log_file, env=self.env, cwd=self.dir)
        if wait:
            try:
                wait_for(lambda: self.process.poll() is not None or self.all_there(), timeout)
            except TimeoutError as e:
                self.fail_loudly("the daemon is not ready: %s" % e)
            if self.process.poll() is not None:
                self.fail_loudly("the daemon ended with %s instead of starting" % self.process.returncode)
        return time.monotonic() - began

    def fail_loudly(self, text):
        self.checks.check(False, text)
        print(self.log_tail(60), flush=True)
        self.checks.end()

    def all_there(self):
        """Ready, and every listening role runs (core may turn before the intakes have their sockets)."""
        status, _, _ = self.request("GET", "/-/ready")
        return status == 200 and self.listening()

    def listening(self):
        for listener in self.settings.get("listeners", {}).values():
            if not isinstance(listener, dict):
                continue
            for bind in listener.get("bind", []):
                m = re.match(r"(tcp|http)://127\.0\.0\.1:(\d+)", bind)
                if m and not can_connect(int(m.group(2))):
                    return False
        return len([r for r in self.roles() if r.startswith("intake")]) > 0

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, quietly=False):
        """SIGTERM; the daemon must end with status 0 and the log must hold no report of a sanitizer."""
        if self.process is None:
            return None
        began = time.monotonic()
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            rc = self.process.wait(25)
        except subprocess.TimeoutExpired:
            rc = "nothing within 25 s"
            self.kill()
        took = time.monotonic() - began
        self.process = None
        self.log_file.close()
        reports = self.sanitizer_reports()
        if rc != 0 or reports or not quietly:
            self.checks.check(rc == 0 and not reports, "SIGTERM ends the daemon cleanly (%.1f s)" % took,
                              "status %s %s" % (rc, reports[:3]))
        return took

    def sanitizer_reports(self):
        return [line for line in self.log_text(True).splitlines() if any(w in line for w in SANITIZER_WORDS)]

    def kill(self):
        """Everything that this object started, at once."""
        if self.process is None:
            return
        pids = list(self.roles().values())
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process = None

    def cleanup(self, keep=False):
        self.kill()
        if keep:
            print("the daemon's files are kept in %s" % self.dir, flush=True)
            print(self.log_tail(25), flush=True)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def reload_signal(self):
        self.process.send_signal(signal.SIGHUP)

    # -- looking

    def log_text(self, whole=False):
        with open(self.log_path, "rb") as f:
            f.seek(0 if whole else self.log_from)
            return f.read().decode("utf-8", "replace")

    def log_tail(self, n=30):
        return "\n".join("    | " + line for line in self.log_text(True).splitlines()[-n:])

    def log_mark(self):
        return os.path.getsize(self.log_path)

    def log_since(self, mark):
        with open(self.log_path, "rb") as f:
            f.seek(mark)
            return f.read().decode("utf-8", "replace")

    def roles(self):
        """{process name: pid} of the parent's children."""
        out = {}
        if not self.alive():
            return out
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
                pids = [int(p) for p in f.read().split()]
        except OSError:
            return out
        for pid in pids:
            try:
                with open("/proc/%d/comm" % pid) as f:
                    name = f.read().strip()
                with open("/proc/%d/stat" % pid) as f:
                    if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                        continue
            except OSError:
                continue
            out[name] = pid
        return out

    def request(self, method, path, body=None, timeout=15, headers=None):
        """(status, body as bytes, headers) over the admin socket."""
        c = UnixConnection(self.admin_path, timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, r.read(), dict(r.getheaders())
        finally:
            c.close()

    def get(self, path):
        status, body, _ = self.request("GET", path)
        if status != 200:
            raise ValueError("%s: %d %s" % (path, status, body[:300]))
        return json.loads(body)

    def post(self, path, value=None):
        """(status, decoded body)"""
        status, body, _ = self.request("POST", path, json.dumps(value).encode() if value is not None else b"")
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode("utf-8", "replace")

    def alerts(self, **where):
        return [a for a in self.get("/api/v1/alerts")["alerts"] if all(a.get(k) == v for k, v in where.items())]

    def incidents(self, **where):
        return [i for i in self.get("/api/v1/incidents")["incidents"] if all(i.get(k) == v for k, v in where.items())]

    def metrics(self):
        """{'name{labels}': value}"""
        status, body, _ = self.request("GET", "/metrics")
        if status != 200:
            raise ValueError("metrics: %d" % status)
        out = {}
        for line in body.decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                out[name] = float(value)
        return out

    def counter(self, name, **labels):
        """The sum over all rows that have these labels."""
        total = 0.0
        for key, value in self.metrics().items():
            base, _, rest = key.partition("{")
            if base == name and all('%s="%s"' % kv in rest for kv in labels.items()):
                total += value
        return total

    def ready_check(self, name):
        _, body, _ = self.request("GET", "/-/ready")
        return next(c for c in json.loads(body)["checks"] if c["name"] == name)

    def ctl(self, *args, timeout=60):
        r = subprocess.run([self.ctl_binary, "--socket", self.admin_path] + list(args), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=self.env, timeout=timeout)
        return r.returncode, r.stdout.decode("utf-8", "replace"), r.stderr.decode("utf-8", "replace")

    # -- senders

    def udp(self, payload, port=None):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(payload if isinstance(payload, bytes) else payload.encode(), ("127.0.0.1", port or self.syslog_port))

    def tcp(self, payload, port=None, finish=True):
        """Sends, says that this was all, and waits until the other side has closed too; returns what it said."""
        with socket.create_connection(("127.0.0.1", port or self.syslog_port), 10) as s:
            s.sendall(payload if isinstance(payload, bytes) else payload.encode())
            if not finish:
                return b""
            s.shutdown(socket.SHUT_WR)
            return read_all(s)

    def trap(self, oid, *varbinds, community="public", inform=False, options=()):
        tool = "snmpinform" if inform else "snmptrap"
        return subprocess.run([tool, "-v2c", "-c", community, "-r", "2", "-t", "3", *options,
                               "127.0.0.1:%d" % self.trap_port, "", oid, *varbinds],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)

    def hook(self, value, path="/", headers=None, timeout=15, method="POST"):
        """(status, body) of a webhook."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        c = http.client.HTTPConnection("127.0.0.1", self.hook_port, timeout=timeout)
        try:
            c.request(method, path, body, merge({"Content-Type": "application/json"}, headers or {}))
            r = c.getresponse()
            return r.status, r.read().decode("utf-8", "replace")
        finally:
            c.close()

    def raw_http(self, octets, port=None, timeout=10):
        """Octets as they are; returns everything until the server closes or is silent for `timeout` seconds."""
        with socket.create_connection(("127.0.0.1", port or self.hook_port), timeout) as s:
            try:
                s.sendall(octets)
            except OSError:
                pass
            return read_all(s, timeout)


def read_all(s, timeout=10):
    s.settimeout(timeout)
    out = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return out
            out += piece
    except OSError:
        return out


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Tail:
    """`events tail` over the API: lines gather in `lines` while this is open."""

    def __init__(self, daemon):
        self.lines, self.broken = [], []  # broken: lines that are no JSON; a fault of the daemon
        self.connection = UnixConnection(daemon.admin_path, None)
        self.connection.request("GET", "/api/v1/events/stream")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        # front has to tell each intake first: seen several times in a row, it has told them all
        wait_for(lambda: all(self.seen(daemon) for _ in range(4)), 10)
        self.lines.clear()

    def seen(self, daemon):
        name = "tail-%d" % time.monotonic_ns()
        daemon.hook({"check": name})
        try:
            return wait_for(lambda: self.find(check=name), 0.3, 0.005)
        except TimeoutError:
            return False

    def run(self):
        try:
            r = self.connection.getresponse()
            while True:
                line = r.readline()
                if not line:
                    return
                if line.strip():
                    try:
                        self.lines.append(json.loads(line.decode("utf-8")))
                    except ValueError as e:
                        self.broken.append((str(e), line[:500]))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            return

    def find(self, **where):
        """Lines whose own or event keys are these values (a str value may also be contained)."""
        def fits(line):
            for k, v in where.items():
                have = line.get(k, line.get("event", {}).get(k))
                if have != v and not (isinstance(v, str) and isinstance(have, str) and v in have):
                    return False
            return True
        return [line for line in list(self.lines) if fits(line)]

    def close(self):
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass
        self.connection.close()
        self.thread.join(5)


# ---- Redis


class Redis:
    """A private redis-server; nothing of it is kept."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="carillon-redis-")
        self.port = free_port()
        self.process = None
        atexit.register(self.close)

    def start(self):
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.dir,
                                         "--save", "", "--appendonly", "no", "--daemonize", "no"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.cli("PING") == "PONG", 15)

    def cli(self, *args, text=None):
        """Plain redis-cli: with arguments, or with commands on its standard input."""
        r = subprocess.run(["redis-cli", "-p", str(self.port), *args], input=text.encode() if text is not None else None,
                           stdin=subprocess.DEVNULL if text is None else None, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=15)
        return r.stdout.decode().strip()

    def url(self, db=0):
        return "redis://127.0.0.1:%d/%d" % (self.port, db)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- rules that several tests use

DECODERS = """version: 1
package: dec
decoders:
  - id: ping
    match: {app: ping}
    set: {check: ping, severity: critical, state: problem}
  - id: pong
    match: {app: pong}
    set: {check: ping, severity: critical, state: clear}
"""

REACH = """version: 1
package: reach
owner: team-network
rules:
  unreachable:
    summary: ${host} does not answer ping
    match: {check: ping}
    effect: down
  api-errors:
    summary: ${service.name} answers with errors
    match: {check: http-5xx}
    by: [service]
    effect: degraded
"""

RULES = {"10-dec.yaml": DECODERS, "20-reach.yaml": REACH}


def syslog_line(host, app="ping", text="100% loss", pri=10):
    """RFC 5424."""
    return "<%d>1 %s %s %s - - - %s" % (pri, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), host, app, text)
