/* The rows of config.md section 1. The order is that of `config show` and of etc/carillon.yaml. */
#include <stddef.h>

#include "model/config_table.h"

#define AT(f)  offsetof(struct config, f)
#define LAT(f) offsetof(struct listener_config, f)
#define TAT(f) offsetof(struct ticket_config, f)
#define DAYS   ((double)DAY)

const struct setting config_settings[] = {
    {"instance", SETTING_TEXT, AT(instance), "", 0, 0, true, "name of this installation, part of every ticket key; empty: the host name"},
    {"timezone", SETTING_TEXT, AT(timezone), "system", 0, 0, false, "IANA name for calendars without one and aligned windows; system: this machine's"},
    {"rules.path", SETTING_LIST, AT(rules_path), "/usr/share/carillon/rules /etc/carillon/rules", 0, 0, false, "folders or files with rules, shipped packs first"},
    {"map.source", SETTING_SOURCE, AT(map.redis), "file", 0, 0, false, "where the service map comes from: file or redis"},
    {"map.path", SETTING_TEXT, AT(map.path), "/etc/carillon/map.d", 0, 0, false, "folder or file with the map in YAML"},
    {"map.redis.url", SETTING_TEXT, AT(map.url), "redis://127.0.0.1:6379/0", 0, 0, false, "redis://host:port/db or unix:/path"},
    {"map.redis.user", SETTING_TEXT, AT(map.user), "", 0, 0, false, "ACL user"},
    {"map.redis.password", SETTING_SECRET, AT(map.password), "", 0, 0, false, "reference to the password"},
    {"map.redis.prefix", SETTING_TEXT, AT(map.prefix), "carillon:map:", 0, 0, false, "in front of every key"},
    {"map.min_ratio", SETTING_NUMBER, AT(map.min_ratio), "0.5", 0, 1, false, "a map smaller than this part of the running one is refused"},
    {"map.hosts_file", SETTING_BOOL, AT(map.hosts_file), "true", 0, 0, false, "add the address and name pairs of /etc/hosts"},
    {"defaults.quiet", SETTING_DURATION, AT(defaults.quiet), "24h", 0, 366 * DAYS, false, "an alert closes when its condition has not been true for so long"},
    {"defaults.wait", SETTING_WAIT, AT(defaults.wait), "auto", 0, DAYS, false, "how long an incident gathers before its ticket"},
    {"defaults.reopen_within", SETTING_DURATION, AT(defaults.reopen_within), "15m", 0, 30 * DAYS, false, "the same fault within this time reopens its incident"},
    {"defaults.flap.changes", SETTING_INT, AT(defaults.flap_changes), "8", 0, 1000, false, "an alert that changes so often is held open; 0: none is"},
    {"defaults.flap.within", SETTING_DURATION, AT(defaults.flap_within), "1h", (double)SECOND, 7 * DAYS, false, "in so much time"},
    {"defaults.flap.settle", SETTING_DURATION, AT(defaults.flap_settle), "10m", 0, DAYS, false, "it is held until it has not changed for so long"},
    {"correlation.settle", SETTING_DURATION, AT(correlation.settle), "35s", 0, (double)HOUR, false, "wait before an incident with a down service opens"},
    {"correlation.settle_warn", SETTING_DURATION, AT(correlation.settle_warn), "135s", 0, (double)HOUR, false, "the same when services are only degraded"},
    {"correlation.storm_hold", SETTING_DURATION, AT(correlation.storm_hold), "90s", 0, (double)HOUR, false, "longest wait while a storm still unfolds"},
    {"correlation.storm_quiet", SETTING_DURATION, AT(correlation.storm_quiet), "20s", 0, (double)HOUR, false, "no new node for so long: the storm has unfolded"},
    {"correlation.lead", SETTING_DURATION, AT(correlation.lead), "240s", 0, (double)HOUR, false, "a cause may be reported so long after its symptom"},
    {"correlation.lag", SETTING_DURATION, AT(correlation.lag), "60s", 0, (double)HOUR, false, "a symptom may come so long after the end of its cause"},
    {"correlation.debounce", SETTING_DURATION, AT(correlation.debounce), "100s", 0, (double)HOUR, false, "calm that ends an episode"},
    {"correlation.flap_factor", SETTING_NUMBER, AT(correlation.flap_factor), "2.2", 1, 100, false, "debounce of a flapping episode is so many times longer"},
    {"correlation.ttl", SETTING_DURATION, AT(correlation.ttl), "190s", 0, DAYS, false, "a plain line that no clear will follow holds so long"},
    {"correlation.young", SETTING_DURATION, AT(correlation.young), "900s", 0, DAYS, false, "an episode younger than this may still find another parent"},
    {"correlation.keep", SETTING_DURATION, AT(correlation.keep), "1800s", 0, DAYS, false, "an ended episode explains others for so long"},
    {"correlation.stale", SETTING_DURATION, AT(correlation.stale), "600s", 0, DAYS, false, "after so long without news a straggler is expired"},
    {"correlation.lateral", SETTING_DURATION, AT(correlation.lateral), "150s", 0, (double)HOUR, false, "overload so soon after a neighbour was lost is its effect"},
    {"correlation.up_hops", SETTING_INT, AT(correlation.up_hops), "4", 0, 16, false, "how far up a silent common cause is looked for"},
    {"correlation.silent_hops", SETTING_INT, AT(correlation.silent_hops), "2", 0, 16, false, "how many unobserved services in a row a path may pass"},
    {"correlation.visits", SETTING_INT, AT(correlation.visits), "600", 10, 100000, false, "edges looked at in one search"},
    {"correlation.prior", SETTING_NUMBER, AT(correlation.prior), "7", 0, 1000, false, "what an unexplained failure costs; a degraded one half of it"},
    {"correlation.silent_cost", SETTING_NUMBER, AT(correlation.silent_cost), "2", 0, 1000, false, "what it costs that a common cause says nothing itself"},
    {"correlation.weak", SETTING_DURATION, AT(correlation.weak), "100s", 0, (double)HOUR, false, "a lone warning younger than this explains nothing"},
    {"correlation.maint_grace", SETTING_DURATION, AT(correlation.maint_grace), "300s", 0, DAYS, false, "a maintenance still explains for so long after its end"},
    {"state.path", SETTING_TEXT, AT(state.path), "/var/lib/carillon", 0, 0, true, "journal, state and the last good map"},
    {"state.commit", SETTING_DURATION, AT(state.commit), "5ms", (double)MSEC, (double)SECOND, true, "group commit window"},
    {"state.snapshot", SETTING_DURATION, AT(state.snapshot), "60s", (double)SECOND, DAYS, false, "how often the state is written whole"},
    {"state.history", SETTING_DURATION, AT(state.history), "90d", (double)HOUR, 3650 * DAYS, false, "resolved incidents, their alerts and log"},
    {"record.enabled", SETTING_BOOL, AT(record.enabled), "true", 0, 0, false, "keep what arrives for rules backtest, in state.path/recordings"},
    {"record.max_size", SETTING_SIZE, AT(record.max_size), "1GiB", 1 << 20, 1e15, false, "of all recordings together"},
    {"record.max_age", SETTING_DURATION, AT(record.max_age), "14d", (double)MINUTE, 3650 * DAYS, false, "older ones go"},
    {"record.max_rate", SETTING_RATE, AT(record.max_rate), "20000/s", 0.001, 1e9, false, "above it recording pauses and marks the gap"},
    {"admin.socket.path", SETTING_TEXT, AT(admin.socket_path), "/run/carillon/admin.sock", 0, 0, true, "where carillonctl finds the daemon"},
    {"admin.socket.mode", SETTING_MODE, AT(admin.socket_mode), "0660", 0, 0, true, "file mode of the socket"},
    {"admin.socket.group", SETTING_TEXT, AT(admin.socket_group), "carillon-admin", 0, 0, true, "its group"},
    {"admin.metrics.bind", SETTING_BINDS, AT(admin.metrics), "http://127.0.0.1:9198", 0, 0, false, "/metrics and /-/ready for Prometheus"},
    {"limits.event_size", SETTING_SIZE, AT(limits.event_size), "64KiB", 1024, 1 << 20, false, "largest event"},
    {"limits.events_per_second", SETTING_NUMBER, AT(limits.events_per_second), "200000", 1, 1e9, false, "events of all senders together; what is above is dropped and counted"},
    {"limits.sender_rate", SETTING_RATE, AT(limits.sender_rate), "5000/s", 0.001, 1e9, false, "events of one sender"},
    {"limits.connections", SETTING_U32, AT(limits.connections), "20000", 1, 1e6, false, "open connections of one address of a listener"},
    {"limits.sender_connections", SETTING_U32, AT(limits.sender_connections), "400", 1, 1e6, false, "open connections of one sender with one address of a listener"},
    {"limits.sender_keys", SETTING_U32, AT(limits.sender_keys), "50000", 1, 1e8, false, "new combinations of host and program that one syslog or trap sender may bring in an hour; all senders together four times as many"},
    {"limits.fields", SETTING_U32, AT(limits.fields), "256", 32, 4096, false, "fields of one event; further ones are left out"},
    {"limits.queue", SETTING_U32, AT(limits.queue), "100000", 16, 1e8, false, "frames that one intake holds unacknowledged"},
    {"limits.keys_per_rule", SETTING_U32, AT(limits.keys_per_rule), "200000", 1, 1e8, false, "live keys of one rule"},
    {"limits.open_alerts", SETTING_U32, AT(limits.open_alerts), "100000", 1, 1e8, false, "open alerts in all"},
    {"limits.services", SETTING_U32, AT(limits.services), "200000", 1, 1e7, false, "services of the map"},
    {"security.redact", SETTING_LIST, AT(redact), "(?i)(password|token|secret)=\\S+", 0, 0, false, "what fits is replaced before storage and tickets"},
    {"log.level", SETTING_LEVEL, AT(log_level), "info", 0, 0, false, "error warning notice info debug"},
    {"intake", SETTING_INT_AUTO, AT(intake), "auto", 1, 32, true, "intake processes; auto: one per CPU"},
    {"regex.jit", SETTING_BOOL, AT(regex_jit), "true", 0, 0, false, "compile patterns to machine code"},
};
const size_t config_settings_n = ARRAY_LEN(config_settings);

const struct setting listener_settings[] = {
    {"bind", SETTING_BINDS, LAT(bind), "", 0, 0, false, "udp:// tcp:// tls:// relp:// relp+tls:// unix:// unixgram:// http:// https:// addresses"},
    {"enabled", SETTING_BOOL, LAT(enabled), "true", 0, 0, false, "false: not opened"},
    {"allow", SETTING_CIDRS, LAT(allow), "", 0, 0, false, "networks that may send; empty: all"},
    {"duplicate_window", SETTING_DURATION, LAT(duplicate_window), "0s", 0, DAYS, false, "the same message (host, app, text, time) within this time counts once; 0s: always"},
    {"multi_line", SETTING_TEXT, LAT(multi_line), "none", 0, 0, false, "syslog over streams of lines: indented: a line that begins with a blank goes on with the message before it, which waits for it up to a second"},
    {"rate", SETTING_RATE_AUTO, LAT(rate), "none", 0.001, 1e9, false, "events of all its senders together; none: no limit of its own"},
    {"communities", SETTING_LIST, LAT(communities), "", 0, 0, false, "snmptrap: accepted communities; empty: any"},
    {"users", SETTING_SECRET, LAT(users), "", 0, 0, false, "snmptrap: reference to the file of SNMPv3 users; empty: v3 is refused"},
    {"mibs", SETTING_TEXT, LAT(mibs), "", 0, 0, false, "snmptrap: folder with *.mib tables of carillonctl mibs compile, besides the shipped ones"},
    {"profile", SETTING_TEXT, LAT(profile), "", 0, 0, false, "webhook: what product sends; empty: found out"},
    {"path", SETTING_TEXT, LAT(path), "", 0, 0, false, "webhook: URL path, default /hook/NAME"},
    {"on", SETTING_TEXT, LAT(on), "", 0, 0, false, "webhook: the listener whose sockets it shares"},
    {"tls.cert", SETTING_TEXT, LAT(tls_cert), "", 0, 0, false, "certificate and its chain (PEM) for tls:// and https://: a path, or cred:NAME"},
    {"tls.key", SETTING_SECRET, LAT(tls_key), "", 0, 0, false, "reference to its private key (PEM, without a pass phrase)"},
    {"tls.client_ca", SETTING_TEXT, LAT(tls_client_ca), "", 0, 0, false, "certificates that must have signed a client's; empty: clients need none"},
    {"auth.mtls", SETTING_LIST, LAT(mtls), "", 0, 0, false, "clients that may send: names of their certificates, *.example.net, sha256:FINGERPRINT, or * for all of tls.client_ca"},
    {"auth.hmac", SETTING_SECRET, LAT(hmac), "", 0, 0, false, "webhook: reference to the secret that senders sign with, one a line; sns: Amazon's certificates (PEM)"},
    {"auth.scheme", SETTING_TEXT, LAT(scheme), "", 0, 0, false, "how they sign: standard github pagerduty sentry slack grafana gitlab sns; empty: as the profile says, else standard"},
    {"auth.tolerance", SETTING_DURATION, LAT(tolerance), "5m", (double)SECOND, DAYS, false, "how far a signed time may be from ours"},
    {"auth.bearer", SETTING_SECRET, LAT(bearer), "", 0, 0, false, "webhook: reference to the token that senders must show; with on, that listener's if none is given"},
};
const size_t listener_settings_n = ARRAY_LEN(listener_settings);

const struct setting ticket_settings[] = {
    {"profile", SETTING_TEXT, TAT(profile), "", 0, 0, false, "name of a profile in plugins/tickets, such as rt or redmine; empty: no ticket system, incidents stay here"},
    {"ca_file", SETTING_TEXT, TAT(ca_file), "", 0, 0, false, "certificates to trust; empty: the system's"},
    {"pin", SETTING_TEXT, TAT(pin), "", 0, 0, false, "sha256//… of the server's key"},
    {"assign", SETTING_TEXT, TAT(assign), "", 0, 0, false, "assignment group when the service has none"},
    {"update_every", SETTING_DURATION, TAT(update_every), "60s", 0, DAYS, false, "updates of one ticket at most so often"},
    {"check", SETTING_BOOL, TAT(check), "true", 0, 0, false, "make, change and close one trial ticket before the first real one"},
    {"timeout", SETTING_DURATION, TAT(timeout), "30s", (double)SECOND, 10 * (double)MINUTE, false, "of one request"},
    {"concurrency", SETTING_INT_AUTO, TAT(concurrency), "profile", 1, 64, false, "requests at a time"},
    {"rate", SETTING_RATE_AUTO, TAT(rate), "profile", 0, 1e6, false, "requests, token bucket"},
    {"retry.first", SETTING_DURATION, TAT(retry_first), "1s", (double)MSEC, (double)HOUR, false, "first retry after at most so long"},
    {"retry.max", SETTING_DURATION, TAT(retry_max), "5m", (double)SECOND, DAYS, false, "longest pause between retries"},
    {"retry.give_up", SETTING_DURATION, TAT(give_up), "24h", (double)SECOND, 365 * DAYS, false, "then it becomes a dead letter"},
    {"breaker.failures", SETTING_INT, TAT(breaker_failures), "5", 1, 1000, false, "failures in a row that open the breaker"},
    {"breaker.pause", SETTING_DURATION, TAT(breaker_pause), "30s", (double)SECOND, DAYS, false, "pause before it is tried again"},
    {"storm.creates", SETTING_INT, TAT(storm_creates), "20", 0, 100000, false, "more tickets than that in storm.within: one storm ticket for the rest, a P1 aside; 0: never"},
    {"storm.within", SETTING_DURATION, TAT(storm_within), "5m", (double)SECOND, DAYS, false, "time in which they are counted"},
    {"also", SETTING_LIST, TAT(also), "", 0, 0, false, "other connections that get its incidents too, as a page beside the ticket"},
    {"priorities", SETTING_LIST, TAT(priorities), "", 0, 0, false, "what it takes by the also of another connection, such as P1, P2; empty: all"},
    {"services", SETTING_LIST, TAT(services), "", 0, 0, false, "what it takes by the also of another connection: roots or hurt services, * at the end for any rest; empty: all"},
    {"poll", SETTING_DURATION, TAT(poll), "30s", 0, DAYS, false, "asks so often what people did to its tickets; 0: never"},
    {"changes", SETTING_DURATION, TAT(changes), "0s", 0, DAYS, false, "asks so often for planned changes, which are maintenance of what they name; 0: never"},
};
const size_t ticket_settings_n = ARRAY_LEN(ticket_settings);

const char *const config_absent[] = {
    "defaults.catch_all", "admin.http", "admin.console",
    "admin.metrics.per_rule", "cluster", "plugins", "limits.memory",
    "map.redis.tls_ca", "log.format",
    /* below listeners.NAME and tickets.NAME */
};
const size_t config_absent_n = ARRAY_LEN(config_absent);
