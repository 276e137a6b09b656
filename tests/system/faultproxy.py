#!/usr/bin/env python3
"""A reverse proxy on 127.0.0.1 that puts chosen faults between the daemon and a real ticket system.

    faultproxy.py LISTEN-PORT UPSTREAM-PORT SEED

It ends when its standard input does. Faults are set while it runs, on its own port, by any HTTP client:

    POST   /.faults   {"action": "lose-reply", "method": "POST", "prefix": "/REST/2.0/ticket", "times": 1}
    GET    /.faults   the faults that are left and the log of all requests
    DELETE /.faults   no faults any more; the log begins anew

The first fault that fits a request is used up once; `method` and `prefix` may be absent (any). With `chance` (0 to 1) it
strikes only that often, by a generator that starts from SEED. Actions:

    lose-request   cut the connection; the server never sees the request
    lose-reply     let the server do it, then cut the connection before the first octet of the answer
    half-reply     let the server do it, send the head and half of the body, then cut
    status         answer {"code", "headers", "body"} without asking the server
    delay          wait {"seconds"}, then forward
    late-reply     let the server do it, wait {"seconds"}, then answer
    garbage        let the server do it, but answer 200 with a page of HTML
"""

import http.client
import http.server
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request

CONTROL = "/.faults"
PAGE = b"<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>"
OWN_HEADERS = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Faults:
    """The faults that wait, and what was seen."""

    def __init__(self, seed):
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.rules, self.log = [], []

    def add(self, rule):
        with self.lock:
            self.rules.append(dict({"times": 1}, **rule))

    def clear(self):
        with self.lock:
            self.rules, self.log = [], []

    def shown(self):
        with self.lock:
            return json.dumps({"faults": [r for r in self.rules if r["times"] > 0], "log": self.log}).encode()

    def take(self, method, path):
        """The fault for this request (or None) and the request's line in the log."""
        entry = {"at": time.time(), "method": method, "path": path, "action": "pass"}
        with self.lock:
            self.log.append(entry)
            for rule in self.rules:
                fits = rule["times"] > 0 and rule.get("method", method) == method and path.startswith(rule.get("prefix", ""))
                if fits and self.random.random() < rule.get("chance", 1):
                    rule["times"] -= 1
                    entry["action"] = rule["action"]
                    return rule, entry
        return None, entry


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults, upstream = None, None

    def log_message(self, *_):
        pass

    def cut(self):
        """An end that nobody can take for a polite one."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def answer(self, code, headers, body, length=None):
        self.send_response_only(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def control(self, body):
        if self.command == "POST":
            self.faults.add(json.loads(body))
        elif self.command == "DELETE":
            self.faults.clear()
        self.answer(200, [("Content-Type", "application/json")], self.faults.shown())

    def forward(self, body, entry):
        """The server's status, headers and whole body; None if it cannot be had."""
        c = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in OWN_HEADERS}
        try:
            c.request(self.command, self.path, body, dict(headers, Connection="close"))
            r = c.getresponse()
            data = r.read()
        except (OSError, http.client.HTTPException) as e:
            entry["error"] = repr(e)
            return None
        finally:
            c.close()
        entry["status"] = r.status
        return r.status, [(k, v) for k, v in r.getheaders() if k.lower() not in OWN_HEADERS], data

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == CONTROL:
            self.control(body)
            return
        rule, entry = self.faults.take(self.command, self.path)
        action = entry["action"]
        if action == "lose-request":
            self.cut()
            return
        if action == "status":
            self.answer(rule["code"], list(rule.get("headers", {}).items()), rule.get("body", "").encode())
            return
        if action == "delay":
            time.sleep(rule["seconds"])
        got = self.forward(body, entry)
        if action == "lose-reply" or got is None:
            self.cut()
            return
        if action == "late-reply":
            time.sleep(rule["seconds"])
        status, headers, data = got
        if action == "garbage":
            self.answer(200, [("Content-Type", "text/html")], PAGE)
        elif action == "half-reply":
            self.answer(status, headers, data[:len(data) // 2], len(data))
            time.sleep(0.05)
            self.cut()
        else:
            self.answer(status, headers, data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # the client has gone: it may be killed at any moment


class FaultProxy:
    """The proxy as a process of its own, for a test."""

    def __init__(self, port, upstream, seed=1):
        self.port, self.url = port, "http://127.0.0.1:%d" % port
        self.process = subprocess.Popen([sys.executable, os.path.realpath(__file__), str(port), str(upstream), str(seed)],
                                        stdin=subprocess.PIPE)
        for _ in range(200):
            try:
                self.log()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the fault proxy does not answer")

    def call(self, method, value=None):
        data = json.dumps(value).encode() if value is not None else None
        with urllib.request.urlopen(urllib.request.Request(self.url + CONTROL, data, method=method), timeout=10) as r:
            return json.loads(r.read())

    def add(self, action, **more):
        self.call("POST", dict(more, action=action))

    def log(self):
        return self.call("GET")["log"]

    def left(self):
        return self.call("GET")["faults"]

    def clear(self):
        self.call("DELETE")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: faultproxy.py LISTEN-PORT UPSTREAM-PORT SEED")
    Handler.faults, Handler.upstream = Faults(int(sys.argv[3])), int(sys.argv[2])
    threading.Thread(target=Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever, daemon=True).start()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
