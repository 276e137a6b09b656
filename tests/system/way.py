"""What the tests of the whole way share: a private Request Tracker, read with the operator's token, and the daemon's
configuration for it.

Request Tracker's data stays in one directory between the tests, because making it takes a while; its server runs only
during a test and is ended by the test that started it."""

import atexit
import base64
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
import urllib.parse
import urllib.request

import harness

HERE = harness.HERE
PACKAGE = "/usr/share/request-tracker5"


class NoTracker(Exception):
    """It cannot be had on this machine; the text says why."""


def tracker_directory():
    """One for each user and each version of the scripts that fill it."""
    h = hashlib.sha256()
    for name in ("rt-up", "rt-seed.pl"):
        with open(os.path.join(HERE, name), "rb") as f:
            h.update(f.read())
    return os.path.join(tempfile.gettempdir(), "carillon-rt-%d-%s" % (os.getuid(), h.hexdigest()[:12]))


class Tracker:
    """The ticket system and what an operator sees in it. Only tickets made after this object count."""

    def __init__(self):
        self.dir = tracker_directory()
        os.makedirs(self.dir, 0o700, exist_ok=True)
        self.lock = open(os.path.join(self.dir, "lock"), "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another test uses the Request Tracker in %s; waiting for it" % self.dir, flush=True)
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.port = harness.free_port()
        self.vars = {}
        self.down()  # one that a killed test left
        atexit.register(self.down)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was registered is done
        self.up()
        self.first = max([0] + [int(t["id"]) for t in self.search("id > 0", order="DESC", pages=1)])

    def up(self):
        began = time.monotonic()
        r = subprocess.run([os.path.join(HERE, "rt-up"), self.dir, str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=900)
        if r.returncode != 0 and not os.path.isdir(PACKAGE):
            raise NoTracker(" ".join(r.stderr.split())[-300:])
        if r.returncode != 0:
            raise RuntimeError("rt-up ended with status %d: %s" % (r.returncode, r.stderr[-2000:]))
        self.vars = dict(line.split("=", 1) for line in r.stdout.splitlines())
        return time.monotonic() - began

    def down(self):
        subprocess.run([os.path.join(HERE, "rt-down"), self.dir], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def release(self):
        """Ends it and lets others have it, this process too."""
        self.down()
        self.lock.close()

    # -- what the operator sees

    def get(self, path, timeout=60):
        url = path if path.startswith("http") else self.vars["API"] + path
        r = urllib.request.Request(url, headers={"Authorization": "token " + self.vars["HUMAN_TOKEN"], "Accept": "application/json"})
        with urllib.request.urlopen(r, timeout=timeout) as answer:
            return json.loads(answer.read() or b"null")

    def search(self, what, order="ASC", pages=100):
        query = "Queue='%s' AND %s" % (self.vars["QUEUE"], what)
        fields = {"query": query, "fields": "Subject,Status,Priority,CustomFields", "orderby": "id", "order": order, "per_page": "100"}
        out = []
        for page in range(1, pages + 1):
            got = self.get("/tickets?" + urllib.parse.urlencode(dict(fields, page=page)))
            out += [self.plain(t) for t in got["items"]]
            if len(got["items"]) < 100:
                break
        return out

    @staticmethod
    def plain(t):
        fields = {f["name"]: f["values"] for f in t["CustomFields"]}
        return {"id": str(t["id"]), "subject": t["Subject"], "status": t["Status"], "priority": int(t["Priority"]), "fields": fields,
                "key": (fields.get("DedupKey") or [""])[0]}

    def tickets(self):
        return self.search("id > %d" % self.first)

    def ticket(self, number):
        return self.plain(self.get("/ticket/%s" % number))

    def history(self, number):
        """[(type, old, new, text)] of all its transactions, the first one first."""
        out = []
        page = "/ticket/%s/history?fields=Type,Field,OldValue,NewValue&per_page=100" % number
        while page:
            got = self.get(page)
            for t in got["items"]:
                text = self.text(t["id"]) if t["Type"] in ("Create", "Comment", "Correspond") else ""
                out.append((t["Type"], t.get("OldValue"), t.get("NewValue"), text))
            page = got.get("next_page")
        return out

    def text(self, transaction):
        out = ""
        for a in self.get("/transaction/%s/attachments" % transaction)["items"]:
            out += base64.b64decode(self.get("/attachment/%s" % a["id"]).get("Content") or "").decode("utf-8", "replace")
        return out


def tracker(checks):
    """A Tracker, or the end of this test, said loudly."""
    try:
        began = time.monotonic()
        t = Tracker()
        print("Request Tracker answers at %s after %.0f s" % (t.vars["URL"], time.monotonic() - began), flush=True)
        return t
    except NoTracker as e:
        checks.skip("NOTHING HERE WAS PROVEN: there is no Request Tracker on this machine: %s" % e)
        checks.end()


def ticket_settings(rt, secret, base=None, **more):
    """The `tickets` part of the configuration: times are short, all else is the profile's."""
    return {"default": harness.merge({
        "profile": "rt",
        "conf": {"base": base or rt.vars["URL"], "queue": rt.vars["QUEUE"], "assign_field": "AssignmentGroup"},
        "secret": {"token": "file:" + secret},
        "check": False,  # a trial ticket would be counted
        "update_every": "1s",
        "retry": {"first": "500ms", "max": "4s", "give_up": "24h"},
        "breaker": {"failures": 5, "pause": "3s"},
    }, more)}


def outbox(daemon):
    return daemon.get("/api/v1/tickets/outbox?limit=1000")["outbox"]


def outbox_text(daemon):
    """What an operator reads: carillonctl's table."""
    code, out, err = daemon.ctl("tickets", "outbox")
    return out if code == 0 else "exit status %d: %s" % (code, err)


def tell(what):
    print("    " + what, flush=True)
