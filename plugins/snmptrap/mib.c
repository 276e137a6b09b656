/* The few names that every operator expects without loading a MIB: SNMPv2-MIB, IF-MIB, and the notifications
 * of BRIDGE-MIB, ENTITY-MIB, BGP4-MIB, OSPF-TRAP-MIB. Everything else stays a dotted OID. */
#include "trap.h"

struct mib_name {
	const char *oid, *name;
};

static const struct mib_name notifications[] = {
    {"1.3.6.1.6.3.1.1.5.1", "SNMPv2-MIB::coldStart"},
    {"1.3.6.1.6.3.1.1.5.2", "SNMPv2-MIB::warmStart"},
    {"1.3.6.1.6.3.1.1.5.3", "IF-MIB::linkDown"},
    {"1.3.6.1.6.3.1.1.5.4", "IF-MIB::linkUp"},
    {"1.3.6.1.6.3.1.1.5.5", "SNMPv2-MIB::authenticationFailure"},
    {"1.3.6.1.6.3.1.1.5.6", "RFC1213-MIB::egpNeighborLoss"},
    {"1.3.6.1.2.1.17.0.1", "BRIDGE-MIB::newRoot"},
    {"1.3.6.1.2.1.17.0.2", "BRIDGE-MIB::topologyChange"},
    {"1.3.6.1.2.1.47.2.0.1", "ENTITY-MIB::entConfigChange"},
    {"1.3.6.1.2.1.15.7.1", "BGP4-MIB::bgpEstablished"},
    {"1.3.6.1.2.1.15.7.2", "BGP4-MIB::bgpBackwardTransition"},
    {"1.3.6.1.2.1.15.0.1", "BGP4-MIB::bgpEstablishedNotification"},
    {"1.3.6.1.2.1.15.0.2", "BGP4-MIB::bgpBackwardTransNotification"},
    {"1.3.6.1.2.1.14.16.2.2", "OSPF-TRAP-MIB::ospfNbrStateChange"},
    {"1.3.6.1.2.1.14.16.2.16", "OSPF-TRAP-MIB::ospfIfStateChange"},
};

static const struct mib_name objects[] = {
    {"1.3.6.1.2.1.1.1", "sysDescr"},
    {"1.3.6.1.2.1.1.2", "sysObjectID"},
    {"1.3.6.1.2.1.1.3", "sysUpTime"},
    {"1.3.6.1.2.1.1.4", "sysContact"},
    {"1.3.6.1.2.1.1.5", "sysName"},
    {"1.3.6.1.2.1.1.6", "sysLocation"},
    {"1.3.6.1.2.1.1.7", "sysServices"},
    {"1.3.6.1.2.1.2.2.1.1", "ifIndex"},
    {"1.3.6.1.2.1.2.2.1.2", "ifDescr"},
    {"1.3.6.1.2.1.2.2.1.3", "ifType"},
    {"1.3.6.1.2.1.2.2.1.4", "ifMtu"},
    {"1.3.6.1.2.1.2.2.1.5", "ifSpeed"},
    {"1.3.6.1.2.1.2.2.1.6", "ifPhysAddress"},
    {"1.3.6.1.2.1.2.2.1.7", "ifAdminStatus"},
    {"1.3.6.1.2.1.2.2.1.8", "ifOperStatus"},
    {"1.3.6.1.2.1.2.2.1.9", "ifLastChange"},
    {"1.3.6.1.2.1.2.2.1.10", "ifInOctets"},
    {"1.3.6.1.2.1.2.2.1.13", "ifInDiscards"},
    {"1.3.6.1.2.1.2.2.1.14", "ifInErrors"},
    {"1.3.6.1.2.1.2.2.1.16", "ifOutOctets"},
    {"1.3.6.1.2.1.2.2.1.19", "ifOutDiscards"},
    {"1.3.6.1.2.1.2.2.1.20", "ifOutErrors"},
    {"1.3.6.1.2.1.31.1.1.1.1", "ifName"},
    {"1.3.6.1.2.1.31.1.1.1.6", "ifHCInOctets"},
    {"1.3.6.1.2.1.31.1.1.1.10", "ifHCOutOctets"},
    {"1.3.6.1.2.1.31.1.1.1.15", "ifHighSpeed"},
    {"1.3.6.1.2.1.31.1.1.1.18", "ifAlias"},
    {"1.3.6.1.2.1.15.3.1.2", "bgpPeerState"},
    {"1.3.6.1.2.1.15.3.1.7", "bgpPeerRemoteAddr"},
    {"1.3.6.1.2.1.15.3.1.14", "bgpPeerLastError"},
    {"1.3.6.1.2.1.14.10.1.1", "ospfNbrIpAddr"},
    {"1.3.6.1.2.1.14.10.1.3", "ospfNbrRtrId"},
    {"1.3.6.1.2.1.14.10.1.6", "ospfNbrState"},
    {"1.3.6.1.2.1.14.1.1", "ospfRouterId"},
    {"1.3.6.1.2.1.47.1.1.1.1.2", "entPhysicalDescr"},
    {"1.3.6.1.2.1.47.1.1.1.1.7", "entPhysicalName"},
    {"1.3.6.1.6.3.1.1.4.1", "snmpTrapOID"},
    {"1.3.6.1.6.3.1.1.4.3", "snmpTrapEnterprise"},
    {"1.3.6.1.6.3.18.1.3", "snmpTrapAddress"},
    {"1.3.6.1.6.3.18.1.4", "snmpTrapCommunity"},
};

struct slice mib_notification(struct slice oid)
{
	for (size_t i = 0; i < ARRAY_LEN(notifications); i++)
		if (slice_is(oid, notifications[i].oid))
			return slice_str(notifications[i].name);
	return SLICE_NONE;
}

struct slice mib_object(struct slice oid, struct slice *index)
{
	*index = SLICE_NONE;
	/* all names are under mib-2 or snmpModules: most enterprise variables are sorted out by one look */
	if (oid.n < 14 || memcmp(oid.p, "1.3.6.1.", 8) != 0 || (oid.p[8] != '2' && oid.p[8] != '6'))
		return SLICE_NONE;
	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		size_t n = strlen(objects[i].oid);
		if (oid.n < n || memcmp(oid.p, objects[i].oid, n) != 0 || (oid.n > n && oid.p[n] != '.'))
			continue;
		if (oid.n > n + 1)
			*index = slice_sub(oid, n + 1, oid.n - n - 1);
		return slice_str(objects[i].name);
	}
	return SLICE_NONE;
}
