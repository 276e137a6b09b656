"""Ticket systems that cannot run here, as their documentation describes them, in our own words: only what the shipped profiles
use, strict about what is sent, with state. Not the products themselves: what passes here fits the documentation."""

import base64
import http.server
import json
import re
import threading
import urllib.parse

SECRET = "s3cr3t-of-the-test"


class Refused(Exception):
    def __init__(self, status, body):
        self.status, self.body = status, body


def need(condition, what):
    if not condition:
        raise Refused(400, {"error": what})


class System:
    """Tickets by id; each a dict with key, title, body, state, notes, and whatever else the system keeps."""

    bad_auth = (401, {"error": "unauthorised"})
    open, done = "open", "closed"
    key_addressed = False
    secrets = {"token": SECRET}
    conf = {}

    def __init__(self):
        self.t, self.n, self.log = {}, 0, []

    def authorised(self, r):
        return r.headers.get("Authorization") == "Bearer " + SECRET

    def new(self, **values):
        self.n += 1
        at = "2026-11-22T06:00:%02dZ" % (self.n % 60)
        self.t[str(self.n)] = dict(values, id=self.n, notes=[], state=values.get("state", self.open), at=at)
        return self.t[str(self.n)]

    def one(self, number):
        if number not in self.t:
            raise Refused(404, {"error": "not found"})
        return self.t[number]

    def by(self, key):
        return [t for t in self.t.values() if t["key"] == key]

    def shown(self, text):
        """What a person sees of a body or a note."""
        return text


def basic(r, user, password):
    return r.headers.get("Authorization") == "Basic " + base64.b64encode((user + ":" + password).encode()).decode()


def unhtml(text):
    m = re.fullmatch(r"<pre>([^<>]*)</pre>", text, re.S)
    assert m, "not inert HTML: %r" % text
    return m[1].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&#39;", "'").replace("&amp;", "&")


def unfence(text):
    m = re.fullmatch(r"(`{3,})text\n(.*?)\n?\1", text, re.S)
    assert m and m[1] not in m[2], "not a closed fence: %r" % text
    return m[2]


class ServiceNow(System):
    open, done = "1", "6"
    secrets = {"client_id": "me", "client_secret": SECRET}
    conf = {"close_code": "Solved"}
    login = "/oauth_token.do"

    def authorised(self, r):
        return r.path == self.login or r.headers.get("Authorization") == "Bearer tok-1"

    def row(self, t):
        return {"sys_id": str(t["id"]), "number": "INC%d" % t["id"], "state": t["state"], "correlation_id": t["key"], "priority": "4",
                "short_description": t["title"], "impact": t["impact"], "urgency": t["urgency"], "sys_updated_on": t["at"][:19].replace("T", " "),
                "sys_updated_by": "me", "assigned_to": ""}

    def handle(self, r):
        if r.path == self.login:
            need(r.form.get("grant_type") == ["client_credentials"] and r.form.get("client_id") == ["me"], "grant")
            if r.form.get("client_secret") != [SECRET]:
                return 401, {"error": "access_denied"}
            return 200, {"access_token": "tok-1", "expires_in": 1799, "token_type": "Bearer"}
        if r.path == "/api/now/table/change_request":
            return 200, {"result": [{"number": "CHG1", "short_description": "disks", "start_date": "2026-11-22 07:00:00",
                                     "end_date": "2026-11-22 08:00:00", "cmdb_ci": "db1", "business_service": "shop", "state": "-1"}]}
        base = "/api/now/table/incident"
        need(r.path.startswith(base), "path")
        if r.method == "GET" and r.path == base:
            q = r.query["sysparm_query"][0]
            m = re.match(r"correlation_id=([^^]*)\^correlation_display=carillon\^ORDERBY", q)
            rows = self.by(m[1]) if m else list(self.t.values())
            return 200, {"result": [self.row(t) for t in rows][:int(r.query["sysparm_limit"][0])]}
        if r.method == "POST":
            b = r.json
            need(len(b["short_description"]) <= 160 and len(b["description"]) <= 4000, "length")
            need(b["impact"] in "123" and b["urgency"] in "123" and "priority" not in b, "impact")
            return 201, {"result": self.row(self.new(key=b["correlation_id"], title=b["short_description"], body=b["description"],
                                                     impact=b["impact"], urgency=b["urgency"]))}
        t = self.one(r.path[len(base) + 1:])
        for k, v in (r.json or {}).items():
            need(k in ("short_description", "description", "impact", "urgency", "state", "work_notes", "close_code", "close_notes", "cmdb_ci"), k)
            if k == "work_notes":
                need("[code]" not in v, "markup")
                t["notes"].append(v)
            t[{"short_description": "title"}.get(k, k)] = v
        need(t["state"] != "6" or r.method != "PATCH" or "close_code" in t, "data policy: close_code")
        return 200, {"result": self.row(t)}


class ServiceNowEvents(System):
    key_addressed = True
    secrets = {"password": SECRET}
    conf = {"user": "me"}

    def authorised(self, r):
        return basic(r, "me", SECRET)

    def handle(self, r):
        need(r.path == "/api/global/em/jsonv2" and r.method == "POST", "path")
        for e in r.json["records"]:
            need(e["source"] and e["message_key"] and e["severity"] in "012345", "event")
            old = self.by(e["message_key"])
            t = old[0] if old else self.new(key=e["message_key"], title="", body="")
            t.update(title=e.get("additional_info", t["title"]), body=e["description"] if e["severity"] != "0" else t["body"],
                     state="closed" if e["severity"] == "0" else "open")
        return 200, {"result": {"Default Bulk Endpoint": "%d events were inserted" % len(r.json["records"])}}


class Jira(System):
    version, secrets, conf = "3", {"api_token": SECRET}, {
        "user": "me@x", "project": "OPS", "issue_type": "Incident", "resolve_transition": "Done", "reopen_transition": "Reopen",
        "ack_transition": "Start"}
    open, done = "new", "done"
    moves = {"new": {"Start": "indeterminate", "Done": "done"}, "indeterminate": {"Done": "done"}, "done": {"Reopen": "new"}}

    def authorised(self, r):
        return basic(r, "me@x", SECRET)

    def issue(self, t):
        return {"id": str(1000 + t["id"]), "key": "OPS-%d" % t["id"], "fields": {
            "status": {"name": "x", "statusCategory": {"key": t["state"]}}, "labels": t["labels"], "resolution": None, "summary": t["title"],
            "priority": {"name": t["priority"]}, "assignee": None, "updated": t["at"]}}

    def text(self, v):
        need(isinstance(v, dict) and v["type"] == "doc" and v["version"] == 1, "an Atlassian document")
        out = ""
        for p in v["content"]:
            need(p["type"] == "paragraph", "paragraph")
            for n in p["content"]:
                need(n["type"] == "hardBreak" or (n["type"] == "text" and n["text"] and "marks" not in n), "inline")
                out += "\n" if n["type"] == "hardBreak" else n["text"]
        return out

    def handle(self, r):
        api = "/rest/api/%s" % self.version
        if r.path in (api + "/search/jql", api + "/search"):
            m = re.fullmatch(r'project = "OPS" AND labels = "(car-\w+)" ORDER BY created ASC', r.json["jql"])
            need(m or re.fullmatch(r'project = "OPS" AND labels = carillon AND updated >= "\d{4}-\d\d-\d\d \d\d:\d\d" ORDER BY updated ASC',
                                   r.json["jql"]), r.json["jql"])
            return 200, {"issues": [self.issue(t) for t in self.t.values() if not m or m[1] in t["labels"]]}
        if r.path == api + "/issue":
            f = r.json["fields"]
            need(f["project"] == {"key": "OPS"} and f["issuetype"] == {"name": "Incident"} and len(f["summary"]) <= 255 and
                 "\n" not in f["summary"] and all(" " not in x for x in f["labels"]), "fields")
            t = self.new(key=f["labels"][1], labels=f["labels"], title=f["summary"], body=self.text(f["description"]), priority=f["priority"]["name"])
            return 201, {"id": "1", "key": "OPS-%d" % t["id"]}
        m = re.fullmatch(re.escape(api) + r"/issue/OPS-(\d+)(/comment|/transitions)?", r.path)
        need(m, "path " + r.path)
        t = self.one(m[1])
        if m[2] == "/comment":
            t["notes"].append(self.text(r.json["body"]))
            return 201, {"id": "1"}
        if m[2] == "/transitions":
            names = self.moves[t["state"]]
            if r.method == "GET":
                return 200, {"transitions": [{"id": str(10 + i), "name": n} for i, n in enumerate(names)]}
            t["state"] = list(names.values())[int(r.json["transition"]["id"]) - 10]
            return 204, None
        if r.method == "GET":
            return 200, self.issue(t)
        f = r.json["fields"]
        t.update(title=f["summary"], body=self.text(f["description"]), priority=f["priority"]["name"])
        return 204, None


class JiraDataCenter(Jira):
    version, secrets = "2", {"token": SECRET}

    def authorised(self, r):
        return System.authorised(self, r)

    def text(self, v):
        m = re.fullmatch(r"\{noformat\}\n(.*)\n\{noformat\}", v, re.S)
        need(m and "{noformat" not in m[1], "inert wiki text")
        return m[1]


class Zammad(System):
    conf = {"group": "Users", "customer": "noc@example.net"}

    def authorised(self, r):
        return r.headers.get("Authorization") == "Token token=" + SECRET

    def row(self, t):
        return {"id": t["id"], "number": "4%d" % t["id"], "title": t["title"], "state": t["state"], "priority": t["priority"], "owner": "-",
                "carillon_key": t["key"], "updated_at": t["at"], "updated_by": "me"}

    def handle(self, r):
        if r.path == "/api/v1/tickets/search":
            m = re.fullmatch(r'carillon_key:"([\w:]+)"', r.query["query"][0])
            return 200, [self.row(t) for t in (self.by(m[1]) if m else self.t.values())]
        if r.path == "/api/v1/ticket_articles":
            need(r.json["content_type"] == "text/plain" and r.json["internal"] is True, "article")
            self.one(str(r.json["ticket_id"]))["notes"].append(r.json["body"])
            return 201, {"id": 1}
        if r.path == "/api/v1/links/add":
            need(r.json["link_object_source_number"].startswith("4"), "a number, not an id")
            self.one(str(r.json["link_object_target_value"]))["parent"] = r.json["link_object_source_number"]
            return 201, {}
        if r.method == "POST":
            need(r.json["article"]["content_type"] == "text/plain" and r.json["group"] == "Users", "ticket")
            return 201, self.row(self.new(key=r.json["carillon_key"], title=r.json["title"], body=r.json["article"]["body"],
                                          priority=r.json["priority"], state="new"))
        t = self.one(r.path.rsplit("/", 1)[1])
        t.update(r.json or {})
        return 200, self.row(t)


class Glpi(System):
    open, done = 1, 5
    secrets = {"user_token": SECRET, "app_token": "app"}
    login = "/initSession"
    bad_auth = (401, ["ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid"])

    def authorised(self, r):
        return r.path == self.login or (r.headers.get("Session-Token") == "sess-1" and r.headers.get("App-Token") == "app")

    def row(self, t):
        return {"id": t["id"], "name": t["title"], "status": t["state"], "priority": t["priority"], "externalid": t["key"], "date_mod": t["at"][:19].replace("T", " ")}

    def handle(self, r):
        if r.path == self.login:
            ok = r.headers.get("Authorization") == "user_token " + SECRET
            return (200, {"session_token": "sess-1"}) if ok else (401, ["ERROR_GLPI_LOGIN_USER_TOKEN", "x"])
        i = (r.json or {}).get("input", {})
        if r.path == "/search/Ticket":
            return 200, {"data": [{"2": t["id"], "3": t["priority"], "12": t["state"], "19": t["at"][:19].replace("T", " ")} for t in self.t.values()]}
        if r.path == "/ITILFollowup":
            self.one(str(i["items_id"]))["notes"].append(unhtml(i["content"]))
            return 201, {"id": 1}
        if r.path == "/Ticket_Ticket":
            self.one(str(i["tickets_id_1"]))["parent"] = i["tickets_id_2"]
            return 201, {"id": 1}
        if r.path == "/Ticket" and r.method == "GET":
            key = r.query["searchText[externalid]"][0]
            need(key[0] == "^" and key[-1] == "$", "anchors")
            return 200, [self.row(t) for t in self.by(key[1:-1])]
        if r.path == "/Ticket":
            need("<" not in i["name"], "HTML in the name")
            t = self.new(key=i["externalid"], title=i["name"].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace(
                "&#39;", "'").replace("&amp;", "&"), body=unhtml(i["content"]), priority=i["priority"])
            return 201, {"id": t["id"], "message": ""}
        t = self.one(r.path.rsplit("/", 1)[1])
        if r.method == "PUT":
            t.update({{"status": "state", "name": "title", "content": "body"}.get(k, k): v for k, v in i.items()})
            return 200, [{str(t["id"]): True, "message": ""}]
        return 200, self.row(t)


class Itop(System):
    open, done = "new", "resolved"
    secrets = {"password": SECRET}
    conf = {"user": "me", "org": "Demo", "key_field": "carillon_key"}
    bad_auth = (200, {"code": 1, "message": "Error: Invalid login"})

    def authorised(self, r):
        return basic(r, "me", SECRET)

    def objects(self, rows):
        return {"code": 0, "message": "Found: %d" % len(rows), "objects": {"Incident::%d" % t["id"]: {
            "code": 0, "key": str(t["id"]), "class": "Incident", "fields": {
                "status": t["state"], "carillon_key": t["key"], "priority": "4", "impact": t["impact"], "title": t["title"], "agent_name": "",
                "last_update": t["at"][:19].replace("T", " ")}} for t in rows} or None}

    def handle(self, r):
        need(r.path == "/rest.php" and r.form.get("version") == ["1.3"], "form")
        q = json.loads(r.form["json_data"][0])
        key, f = q.get("key"), q.get("fields", {})
        need(q["class"] == "Incident", "class")
        if q["operation"] == "core/create":
            need(f["org_id"] == {"name": "Demo"}, "org")
            return 200, self.objects([self.new(key=f["carillon_key"], title=f["title"], body=unhtml(f["description"]), impact=f["impact"])])
        if q["operation"] == "core/get" and isinstance(key, str):
            m = re.fullmatch(r"SELECT Incident WHERE carillon_key = '([\w:]+)'", key)
            need(m or "LIKE 'car%'" in key, key)
            return 200, self.objects(self.by(m[1]) if m else list(self.t.values()))
        if str(key) not in self.t:
            return 200, {"code": 0, "message": "Found: 0", "objects": None}
        t = self.t[str(key)]
        if q["operation"] == "core/apply_stimulus":
            t["state"] = {"ev_assign": "assigned", "ev_resolve": "resolved", "ev_reopen": "assigned"}[q["stimulus"]]
        elif q["operation"] == "core/update" and "private_log" in f:
            t["notes"].append(unhtml(f["private_log"]["add_item"]["message"]))
        elif q["operation"] == "core/update":
            t.update({k: v for k, v in f.items() if k in ("title", "impact")})
        return 200, self.objects([t])


class Freshservice(System):
    open, done = 2, 4
    secrets = {"api_key": SECRET}
    conf = {"email": "noc@example.net", "key_field": "carillon_key"}

    def authorised(self, r):
        return basic(r, SECRET, "X")

    def row(self, t):
        return {"id": t["id"], "subject": t["title"], "status": t["state"], "priority": t["priority"], "responder_id": None, "updated_at": t["at"],
                "custom_fields": {"carillon_key": t["key"]}}

    def handle(self, r):
        b = r.json or {}
        if r.path == "/api/v2/changes":
            return 200, {"changes": [{"id": 7, "subject": "disks", "planned_start_date": "2026-11-22T07:00:00Z", "planned_end_date": "2026-11-22T08:00:00Z",
                                      "status": 2, "updated_at": "2026-11-22T06:00:00Z"}]}
        if r.path == "/api/v2/tickets/filter":
            m = re.fullmatch("\"cf_carillon_key:'([\\w:]+)'\"", r.query["query"][0])
            need(m, "query")
            return 200, {"tickets": [self.row(t) for t in self.by(m[1])]}
        if r.path == "/api/v2/tickets" and r.method == "GET":
            return 200, {"tickets": [self.row(t) for t in self.t.values()]}
        if r.path == "/api/v2/tickets":
            need(b["priority"] in (1, 2, 3, 4) and b["status"] == 2 and b["email"], "ticket")
            return 201, {"ticket": self.row(self.new(key=b["custom_fields"]["carillon_key"], title=b["subject"], body=unhtml(b["description"]), priority=b["priority"]))}
        m = re.fullmatch(r"/api/v2/tickets/(\d+)(/notes)?", r.path)
        t = self.one(m[1])
        if m[2]:
            t["notes"].append(unhtml(b["body"]))
            return 201, {"conversation": {"id": 1}}
        t.update({{"status": "state", "subject": "title"}.get(k, k): v for k, v in b.items()})
        return 200, {"ticket": self.row(t)}


class Helix(System):
    open, done = "New", "Resolved"
    secrets = {"password": SECRET}
    conf = {"user": "me", "first_name": "A", "last_name": "B", "key_field": "Vendor Ticket Number"}
    login = "/api/jwt/login"

    def authorised(self, r):
        return r.path == self.login or r.headers.get("Authorization") == "AR-JWT jwt-1"

    def row(self, t):
        return {"values": {"Incident Number": "INC%d" % t["id"], "Status": t["state"], "Priority": "Low", "Description": t["title"], "Impact": t["impact"],
                           "Assignee": None, "Last Modified By": "me", "Last Modified Date": t["at"], "Vendor Ticket Number": t["key"]}}

    def handle(self, r):
        form = "/api/arsys/v1/entry/HPD:IncidentInterface"
        if r.path == self.login:
            need(r.form["username"] == ["me"], "user")
            return (200, "jwt-1") if r.form["password"] == [SECRET] else (401, "no")
        v = (r.json or {}).get("values", {})
        if r.path == form + "_Create":
            need(v["z1D_Action"] == "CREATE" and len(v["Description"]) <= 100, "values")
            t = self.new(key=v["Vendor Ticket Number"], title=v["Description"], body=v["Detailed_Decription"], impact=v["Impact"])
            return 201, {"values": {"Incident Number": "INC%d" % t["id"]}}
        if r.path.endswith("HPD:WorkLog"):
            self.one(v["Incident Number"][3:])["notes"].append(v["Detailed Description"])
            return 201, None
        if r.path == form:
            m = re.fullmatch("'Vendor Ticket Number' = \"([\\w:]+)\"", r.query["q"][0])
            return 200, {"entries": [self.row(t) for t in (self.by(m[1]) if m else self.t.values())]}
        m = re.fullmatch(re.escape(form) + r"/INC(\d+)\|INC\1", r.path)
        need(m, "entry")
        t = self.one(m[1])
        if r.method == "GET":
            return 200, self.row(t)
        t.update({{"Status": "state", "Description": "title", "Impact": "impact"}.get(k, k): x for k, x in v.items()})
        return 204, None


class GitHub(System):
    conf = {"owner": "o", "repo": "r"}

    def row(self, t):
        return {"number": t["id"], "id": 90000 + t["id"], "state": t["state"], "state_reason": t.get("state_reason"), "title": t["title"],
                "labels": [{"name": x} for x in t["labels"]], "assignee": None, "updated_at": t["at"], "html_url": "https://github.example/o/r/%d" % t["id"]}

    def shown(self, text):
        return unfence(text)

    def handle(self, r):
        base, b = "/repos/o/r/issues", r.json or {}
        if r.path == base and r.method == "GET":
            return 200, [self.row(t) for t in self.t.values() if r.query["labels"][0] in t["labels"]]
        if r.path == base:
            need(all(len(x) <= 50 for x in b["labels"]), "label")
            return 201, self.row(self.new(key=b["labels"][-1], title=b["title"], body=unfence(b["body"]), labels=b["labels"]))
        m = re.fullmatch(base + r"/(\d+)(/comments|/sub_issues)?", r.path)
        t = self.one(m[1])
        if m[2] == "/comments":
            t["notes"].append(unfence(b["body"]))
            return 201, {"id": 1}
        if m[2]:
            need(b["sub_issue_id"] > 90000, "an id, not a number")
            self.one(str(b["sub_issue_id"] - 90000))["parent"] = t["id"]
            return 201, self.row(t)
        t.update({k: v for k, v in b.items() if k != "body"})
        return 200, self.row(t)


class GitLab(System):
    open = "opened"
    conf = {"project": "group/name"}

    def authorised(self, r):
        return r.headers.get("PRIVATE-TOKEN") == SECRET

    def row(self, t):
        return {"iid": t["id"], "state": t["state"], "title": t["title"], "labels": t["labels"], "assignee": None, "updated_at": t["at"], "web_url": "https://gitlab.example/x"}

    def handle(self, r):
        base, b = "/api/v4/projects/group/name/issues", r.json or {}
        need(r.raw_path.startswith("/api/v4/projects/group%2Fname/"), "encoded path")
        if r.path == base and r.method == "GET":
            return 200, [self.row(t) for t in self.t.values() if r.query["labels"][0] in t["labels"]]
        if r.path == base:
            labels = b["labels"].split(",")
            return 201, self.row(self.new(key=labels[1], title=b["title"], body=unfence(b["description"]), labels=labels))
        m = re.fullmatch(base + r"/(\d+)(/notes|/links)?", r.path)
        t = self.one(m[1])
        if m[2] == "/notes":
            t["notes"].append(unfence(b["body"]))
            return 201, {"id": 1}
        if m[2]:
            t["parent"] = b["target_issue_iid"]
            return 201, {}
        t["title"] = b.get("title", t["title"])
        t["state"] = {"close": "closed", "reopen": "opened"}.get(b.get("state_event"), t["state"])
        return 200, self.row(t)


class PagerDuty(System):
    key_addressed, secrets = True, {"routing_key": SECRET}
    bad_auth = (400, {"status": "invalid event"})

    def authorised(self, r):
        return (r.json or {}).get("routing_key") == SECRET

    def handle(self, r):
        b = r.json
        need(r.path == "/v2/enqueue" and 0 < len(b["dedup_key"]) <= 255, "event")
        old = self.by(b["dedup_key"])
        t = old[0] if old else self.new(key=b["dedup_key"], title="", body="")
        if b["event_action"] == "trigger":
            p = b["payload"]
            need(0 < len(p["summary"]) <= 1024 and p["source"] and p["severity"] in ("critical", "error", "warning", "info"), "payload")
            t.update(title=p["summary"], body=p["custom_details"]["text"], state="open")
        else:
            t["state"] = {"acknowledge": "open", "resolve": "closed"}[b["event_action"]]
        return 202, {"status": "success", "message": "Event processed", "dedup_key": b["dedup_key"]}


class Opsgenie(System):
    key_addressed, secrets = True, {"api_key": SECRET}

    def authorised(self, r):
        return r.headers.get("Authorization") == "GenieKey " + SECRET

    def handle(self, r):
        b, accepted = r.json or {}, (202, {"result": "Request will be processed", "requestId": "1"})
        if r.path == "/v2/alerts" and r.method == "GET":
            return 200, {"data": [{"alias": t["key"], "status": t["state"], "priority": "P4", "owner": "", "updatedAt": t["at"]} for t in self.t.values()]}
        if r.path == "/v2/alerts":
            need(0 < len(b["message"]) <= 130 and len(b["alias"]) <= 512 and b["priority"] in ("P1", "P2", "P3", "P4", "P5"), "alert")
            old = self.by(b["alias"])
            t = old[0] if old else self.new(key=b["alias"], title="", body="")
            t.update(title=b["message"], body=b["description"], state="open")
            return accepted
        m = re.fullmatch(r"/v2/alerts/([\w:]+)/(priority|notes|acknowledge|close)", r.path)
        need(m and r.query["identifierType"] == ["alias"], "path")
        t = self.by(m[1])[0]
        if m[2] == "notes":
            t["notes"].append(b["note"])
        if m[2] == "close":
            t["state"] = "closed"
        return accepted


class IncidentIo(System):
    key_addressed, conf = True, {"source": "src1"}

    def handle(self, r):
        b = r.json
        need(r.path == "/v2/alert_events/http/src1" and b["title"] and b["status"] in ("firing", "resolved"), "event")
        old = self.by(b["deduplication_key"])
        t = old[0] if old else self.new(key=b["deduplication_key"], title="", body="")
        t.update(title=b["title"], state="closed" if b["status"] == "resolved" else "open")
        if "description" in b:
            t["body"] = unfence(b["description"])
        return 202, {"status": "success", "message": "ok", "deduplication_key": b["deduplication_key"]}


class AlertmanagerApi(System):
    key_addressed, secrets, conf = False, {"password": SECRET}, {"user": "me"}

    def authorised(self, r):
        return basic(r, "me", SECRET)

    def handle(self, r):
        need(r.path == "/api/v2/alerts", "path")
        if r.method == "GET":
            m = re.fullmatch(r'carillon_key="([\w:]+)"', r.query["filter"][0])
            return 200, [{"labels": {"carillon_key": t["key"]}, "status": {"state": "active"}} for t in self.by(m[1])]
        for a in r.json:
            need(a["labels"]["alertname"] and a["startsAt"] <= a["endsAt"], "alert")
            old = self.by(a["labels"]["carillon_key"])
            t = old[0] if old else self.new(key=a["labels"]["carillon_key"], title="", body="")
            t.update(title=a["annotations"]["summary"], body=a["annotations"].get("description", t["body"]),
                     state="open" if a["endsAt"] > "2030" else "closed")
        return 200, None


class Generic(System):
    key_addressed = True

    def handle(self, r):
        b = r.json
        key = b["incident"]["key"]
        old = self.by(key)
        t = old[0] if old else self.new(key=key, title="", body="")
        t.update(title=b["incident"]["title"], body=b["incident"]["body"])
        t["state"] = {"resolve": "closed", "reopen": "open", "create": "open"}.get(b["operation"], t["state"])
        if b["operation"] == "note":
            t["notes"].append(b["note"])
        return 200, None


SYSTEMS = {"servicenow": ServiceNow, "servicenow-em": ServiceNowEvents, "jira-cloud": Jira, "jira-datacenter": JiraDataCenter, "zammad": Zammad,
           "glpi": Glpi, "itop": Itop, "freshservice": Freshservice, "bmc-helix": Helix, "github": GitHub, "gitlab": GitLab,
           "pagerduty": PagerDuty, "opsgenie": Opsgenie, "incident-io": IncidentIo, "alertmanager": AlertmanagerApi, "generic-webhook": Generic}


class Mock:
    """One system on a port of its own. `fault` is answered instead, to everything but a login."""

    def __init__(self, system):
        mock, self.system, self.fault, self.requests = self, system, None, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def run(self):
                url = urllib.parse.urlsplit(self.path)
                self.raw_path, self.query = url.path, urllib.parse.parse_qs(url.query, keep_blank_values=True)
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                form = self.headers.get("Content-Type") == "application/x-www-form-urlencoded"
                self.method = self.command
                self.json = json.loads(raw) if raw and not form else None
                self.form = urllib.parse.parse_qs(raw) if form else {}
                self.path = urllib.parse.unquote(url.path)
                mock.requests.append((self.method, self.path))
                kind, headers = "application/json", {}
                try:
                    if mock.fault is not None and self.path != getattr(system, "login", None):
                        status, headers, body, kind = mock.fault
                    else:
                        status, body = system.handle(self) if system.authorised(self) else system.bad_auth
                except Refused as e:
                    status, body = e.status, e.body
                except Exception as e:  # a request that does not fit the documentation
                    status, body = 400, {"error": repr(e)}
                data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                for k, v in dict(headers, **({"Content-Type": kind} if data else {})).items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = run

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
