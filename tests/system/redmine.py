"""A private Redmine that tests share, read with the operator's key, and the daemon's configuration for it.

As with Request Tracker (way.py) its data stays in one directory between the tests, because making it takes half a minute; its
server runs only during a test and is ended by the test that started it."""

import atexit
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import harness

HERE = harness.HERE
PACKAGE = "/usr/share/redmine"
STATES = {1: "open", 2: "open", 3: "resolved", 4: "open", 5: "resolved", 6: "wontfix"}


class NoRedmine(Exception):
    """It cannot be had on this machine; the text says why."""


def directory():
    """One for each user and each version of the scripts that fill it."""
    h = hashlib.sha256()
    for name in ("redmine-up", "redmine-seed.rb"):
        with open(os.path.join(HERE, name), "rb") as f:
            h.update(f.read())
    return os.path.join(tempfile.gettempdir(), "carillon-redmine-%d-%s" % (os.getuid(), h.hexdigest()[:12]))


class Redmine:
    """The ticket system and what an operator sees in it. Only issues made after this object count. `deferred`: SQLite as
    Rails has it, so that two writers at once are a genuine 500."""

    def __init__(self, deferred=False):
        self.dir = directory()
        os.makedirs(self.dir, 0o700, exist_ok=True)
        self.lock = open(os.path.join(self.dir, "lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.port = harness.free_port()
        self.vars = {}
        self.down()  # one that a killed test left
        atexit.register(self.down)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was registered is done
        self.up(deferred)
        self.first = max([0] + [int(t["id"]) for t in self.pages(1)])

    def up(self, deferred=False):
        began = time.monotonic()
        r = subprocess.run([os.path.join(HERE, "redmine-up"), self.dir, str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=900, env=dict(os.environ, REDMINE_SQLITE_DEFERRED="1" if deferred else ""))
        if r.returncode != 0 and not os.path.isdir(PACKAGE):
            raise NoRedmine(" ".join(r.stderr.split())[-300:])
        if r.returncode != 0:
            raise RuntimeError("redmine-up ended with status %d: %s" % (r.returncode, r.stderr[-2000:]))
        self.vars = dict(line.split("=", 1) for line in r.stdout.splitlines())
        return time.monotonic() - began

    def down(self):
        subprocess.run([os.path.join(HERE, "redmine-down"), self.dir], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    # -- what the operator sees and does

    def request(self, method, path, body=None, timeout=60):
        r = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), None if body is None else json.dumps(body).encode(),
                                   method=method, headers={"X-Redmine-API-Key": self.vars["HUMAN_TOKEN"], "Content-Type": "application/json"})
        for _ in range(20):
            try:
                with urllib.request.urlopen(r, timeout=timeout) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as e:
                if e.code != 500:
                    raise
                time.sleep(0.2)  # the operator too meets the genuine ones
        raise RuntimeError("nothing but 500 for %s %s" % (method, path))

    def pages(self, most=100):
        """All issues, the newest first."""
        out = []
        for page in range(most):
            got = self.request("GET", "/issues.json?project_id=incidents&status_id=*&sort=id:desc&limit=100&offset=%d" % (100 * page))["issues"]
            out += [self.plain(i) for i in got]
            if len(got) < 100 or out[-1]["id"] and int(out[-1]["id"]) <= getattr(self, "first", 0):
                break
        return out

    def plain(self, i):
        fields = {str(f["id"]): f.get("value") for f in i.get("custom_fields", [])}
        return {"id": str(i["id"]), "subject": i["subject"], "state": STATES.get(i["status"]["id"], "?"), "priority": i["priority"]["id"],
                "key": fields.get(self.vars["CF_DEDUP"]) or ""}

    def tickets(self):
        return [t for t in self.pages() if int(t["id"]) > self.first]

    def issue(self, number):
        return self.plain(self.request("GET", "/issues/%s.json" % number)["issue"])

    def notes(self, number):
        i = self.request("GET", "/issues/%s.json?include=journals" % number)["issue"]
        return [j["notes"] for j in i["journals"] if j.get("notes")]

    def status_changes(self, number):
        """The states that it was given, in their order."""
        i = self.request("GET", "/issues/%s.json?include=journals" % number)["issue"]
        return [STATES[int(d["new_value"])] for j in i["journals"] for d in j["details"] if d["name"] == "status_id"]


def redmine(checks, deferred=False):
    """A Redmine, or the end of this test, said loudly."""
    try:
        began = time.monotonic()
        r = Redmine(deferred)
        print("Redmine answers at %s after %.0f s" % (r.vars["URL"], time.monotonic() - began), flush=True)
        return r
    except NoRedmine as e:
        checks.skip("NOTHING HERE WAS PROVEN: there is no Redmine on this machine: %s" % e)
        checks.end()


def settings(rm, secret, base=None, **more):
    """The `tickets` part of the configuration: times are short, all else is the profile's."""
    v = rm.vars
    return {"default": harness.merge({
        "profile": "redmine",
        "conf": {"base": base or v["URL"], "project": "incidents", "project_id": v["PROJECT_ID"], "tracker_id": v["TRACKER_ID"],
                 "cf_dedup": v["CF_DEDUP"], "cf_ci": v["CF_CI"], "cf_count": v["CF_COUNT"]},
        "secret": {"token": "file:" + secret},
        "check": False,  # a trial ticket would be counted
        "update_every": "1s",
        "storm": {"creates": 0},
        "retry": {"first": "300ms", "max": "4s", "give_up": "24h"},
        "breaker": {"failures": 5, "pause": "2s"},
    }, more)}
