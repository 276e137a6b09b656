#!/bin/sh
# util-linux logger to carillon: commands for scripts and tests. Replace carillon.example.net. Each line stands for itself.
# See what arrived with: carillonctl events tail

# UDP; logger's own choice over a network is RFC 5424
logger -n carillon.example.net -P 5514 -d -t backup -p daemon.err "udp: volume vol7 is full"
logger -n carillon.example.net -P 5514 -d --rfc5424 -t backup -p daemon.err --id=4711 --msgid DISK --sd-id origin@32473 --sd-param volume=\"vol7\" "udp 5424: volume vol7 is full"
logger -n carillon.example.net -P 5514 -d --rfc3164 -t backup -p daemon.err --id=4711 "udp 3164: volume vol7 is full"

# TCP: one line a message, or octet counting, which carries line breaks
logger -n carillon.example.net -P 5514 -T -t backup -p daemon.err "tcp: volume vol7 is full"
logger -n carillon.example.net -P 5514 -T --rfc3164 -t backup -p daemon.err --id=4711 "tcp 3164: volume vol7 is full"
logger -n carillon.example.net -P 5514 -T --octet-count -t backup -p daemon.err "tcp counted: volume vol7 is full"
logger -n carillon.example.net -P 5514 -T --octet-count --rfc3164 -t backup -p daemon.err "tcp counted 3164: volume vol7 is full"

# a unix socket on carillon's own host
logger -u /run/carillon/syslog.sock -t backup -p daemon.err "unix: volume vol7 is full"
logger -u /run/carillon/syslog.sock --rfc5424 -t backup -p daemon.err "unix 5424: volume vol7 is full"
