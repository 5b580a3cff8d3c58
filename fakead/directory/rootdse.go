package directory

import (
	"strconv"

	"windtunnel.test/sim/wire/ldap"
)

// RootDSE is what a controller says of itself ([MS-ADTS] 3.1.1.3.2), without
// what is the server's business: controls, mechanisms, policies, capabilities,
// versions.
func (r *Replica) RootDSE() ldap.Entry {
	d := r.d
	defer r.enter()()
	settings := ""
	if at := r.rows[d.guidOf((&builder{d: d}).settings(r.index))]; at != nil {
		settings = at.dn()
	}
	server := (&builder{d: d}).server(r.c)
	return ldap.Entry{Attributes: []ldap.Attribute{
		ldap.Text("currentTime", generalized(r.Now())),
		ldap.Text("subschemaSubentry", "CN=Aggregate,"+d.schemaDN),
		ldap.Text("dsServiceName", settings),
		ldap.Text("namingContexts", d.domainDN, d.configDN, d.schemaDN),
		ldap.Text("defaultNamingContext", d.domainDN),
		ldap.Text("schemaNamingContext", d.schemaDN),
		ldap.Text("configurationNamingContext", d.configDN),
		ldap.Text("rootDomainNamingContext", d.domainDN),
		ldap.Text("highestCommittedUSN", strconv.FormatUint(r.usn, 10)),
		ldap.Text("dnsHostName", r.HostName()),
		ldap.Text("ldapServiceName", d.o.Domain+":"+r.c.Name+"$@"+d.Realm()),
		ldap.Text("serverName", server),
		ldap.Text("isSynchronized", "TRUE"),
		ldap.Text("isGlobalCatalogReady", "TRUE"),
		ldap.Text("domainFunctionality", functionalLevel),
		ldap.Text("forestFunctionality", functionalLevel),
		ldap.Text("domainControllerFunctionality", functionalLevel),
	}}
}
