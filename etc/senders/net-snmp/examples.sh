#!/bin/sh
# net-snmp's command line senders to carillon. Replace carillon.example.net, the community and the passwords. Each line
# stands for itself; an inform is answered, so a command that ends with 0 has arrived.
# See what arrived with: carillonctl events tail

# version 1: enterprise, agent address, generic and specific number, uptime, then the variables
snmptrap -v 1 -c public carillon.example.net:1162 1.3.6.1.4.1.8072.2.3 10.9.8.7 6 17 "" 1.3.6.1.2.1.31.1.1.1.18.7 s "uplink v1"

# version 2c: a trap, and an inform that waits for the answer
snmptrap -v 2c -c public carillon.example.net:1162 "" 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.7 i 7 1.3.6.1.2.1.31.1.1.1.18.7 s "uplink v2c"
snmpinform -v 2c -c public carillon.example.net:1162 "" 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.7 i 7 1.3.6.1.2.1.31.1.1.1.18.7 s "uplink inform"

# version 3: a trap is signed with the engine id of its sender (-e), which the user's line in carillon's file names;
# an inform with carillon's, which net-snmp asks for
snmptrap -v 3 -e 0x80001f88045555 -u ops -l authPriv -a SHA-256 -A "authentication" -x AES -X "encryption" carillon.example.net:1162 "" 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.7 i 7 1.3.6.1.2.1.31.1.1.1.18.7 s "uplink v3"
snmpinform -v 3 -u ops -l authPriv -a SHA-256 -A "authentication" -x AES -X "encryption" carillon.example.net:1162 "" 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.7 i 7 1.3.6.1.2.1.31.1.1.1.18.7 s "uplink v3 inform"
