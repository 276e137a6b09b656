"""A private Prometheus Alertmanager that posts to the daemon's webhook at once and forgets everything afterwards."""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request

import harness

CONFIG = """route:
  receiver: carillon
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: carillon
    webhook_configs:
      - url: http://127.0.0.1:%d/hook/alertmanager
        send_resolved: true
        http_config:
          authorization: {type: Bearer, credentials: %s}
"""


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


class Alertmanager:
    def __init__(self, hook_port, token):
        self.dir = tempfile.mkdtemp(prefix="carillon-alertmanager-")
        self.port = harness.free_port()
        self.began = {}
        config = os.path.join(self.dir, "alertmanager.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(CONFIG % (hook_port, token))
        self.log = open(os.path.join(self.dir, "log"), "wb")
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", "--config.file=" + config, "--storage.path=" + os.path.join(self.dir, "data"),
             "--web.listen-address=127.0.0.1:%d" % self.port, "--cluster.listen-address=", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.dir)
        atexit.register(self.close)
        harness.wait_for(lambda: self.call("GET", "/-/ready") is not None, 20)

    def call(self, method, path, value=None):
        data = json.dumps(value).encode() if value is not None else None
        r = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(r, timeout=10) as answer:
            return answer.read()

    def alert(self, name, instance, service, severity, summary, firing):
        labels = {"alertname": name, "instance": instance, "severity": severity}
        if service is not None:
            labels["service"] = service
        key = (name, instance, service)
        began = self.began.setdefault(key, time.time() - 1)
        if not firing:
            del self.began[key]
        return {"labels": labels, "annotations": {"summary": summary or "%s on %s" % (name, instance)}, "startsAt": stamp(began),
                "endsAt": stamp(time.time() + 3600 if firing else time.time() - 1)}

    def fire(self, name, instance, service=None, severity="critical", summary=None):
        self.call("POST", "/api/v2/alerts", [self.alert(name, instance, service, severity, summary, True)])

    def end(self, name, instance, service=None, severity="critical"):
        self.call("POST", "/api/v2/alerts", [self.alert(name, instance, service, severity, None, False)])

    def log_text(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
