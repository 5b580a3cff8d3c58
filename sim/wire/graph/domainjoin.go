package graph

import "strings"

// Limits of a computer name that is a prefix and random characters
// (learn.microsoft.com, "Deploy Microsoft Entra hybrid joined devices by using
// Intune and Windows Autopilot"; computerNameSuffixRandomCharCount of Graph's
// windowsDomainJoinConfiguration).
const (
	maxComputerName = 15
	minRandomSuffix = 3
	maxRandomSuffix = 14
)

// mistakes are what Intune refuses. What is wrong with the organizational unit
// only the connector and the directory tell: a container, a DN without its
// domain or one in quotes is let through.
func (d DomainJoin) mistakes(r *Report) {
	prefix, random := d.ComputerNameStaticPrefix, d.ComputerNameSuffixRandomCharCount
	switch {
	case len(prefix) > maxComputerName:
		r.wrong("computerNameStaticPrefix", "%q has %d characters; at most %d", prefix, len(prefix), maxComputerName)
	case strings.ContainsAny(prefix, "%{}"):
		r.wrong("computerNameStaticPrefix", "%q has a macro; domain-join profiles know none, write letters, digits and hyphens", prefix)
	case strings.IndexFunc(prefix, notInName) >= 0:
		r.wrong("computerNameStaticPrefix", "%q has characters other than letters, digits and hyphens", prefix)
	}
	if random != 0 && (random < minRandomSuffix || random > maxRandomSuffix) {
		r.wrong("computerNameSuffixRandomCharCount", "%d is not between %d and %d", random, minRandomSuffix, maxRandomSuffix)
	}
	if d.ActiveDirectoryDomainName == "" {
		r.wrong("activeDirectoryDomainName", "is missing; write the domain's DNS name, such as corp.contoso.com")
	} else if strings.IndexFunc(d.ActiveDirectoryDomainName, func(c rune) bool { return c != '.' && notInName(c) }) >= 0 {
		r.wrong("activeDirectoryDomainName", "%q is no DNS name", d.ActiveDirectoryDomainName)
	}
}

func notInName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-'
}

// DomainJoinConnector is deviceManagementDomainJoinConnector (beta): an Intune
// Connector for Active Directory.
type DomainJoinConnector struct {
	ID                     string         `json:"id"`
	DisplayName            string         `json:"displayName"`
	LastConnectionDateTime Time           `json:"lastConnectionDateTime"`
	State                  ConnectorState `json:"state"`
	Version                string         `json:"version"`
}

// ConnectorState is deviceManagementDomainJoinConnectorState.
type ConnectorState string

// Its values that are used.
const (
	ConnectorActive   ConnectorState = "active"
	ConnectorInactive ConnectorState = "inactive"
)
