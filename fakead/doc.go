// Package fakead is the Active Directory of a hybrid organisation: a forest of
// one domain whose controllers speak DNS, CLDAP, LDAP and Kerberos.
//
//	forest, err := fakead.New(fakead.Options{Clock: clock, Seed: seed, Domain: "corp.contoso.com",
//		Controllers: []fakead.Controller{{Name: "dc1"}, {Name: "dc2"}}, Replication: 15 * time.Second})
//	err = forest.AddOU("OU=Autopilot,DC=corp,DC=contoso,DC=com")
//	err = forest.Attach(network)                       // virtual time
//	l, err := forest.Listen(fakead.ListenOptions{})    // real sockets, for real clients
//
// Each protocol is a package by itself: dns, kdc and ldap serve a
// [directory.Replica] each, and connector and connect are the two services of
// Microsoft's that run beside a domain. What is modelled, and how well, stands
// in parity.yaml.
//
// It is nothing to put in front of anything real: passwords are kept as given,
// and whoever has the seed has the keys.
package fakead

import _ "embed"

//go:embed parity.yaml
var parity []byte

// Parity is the package's parity table, as YAML.
func Parity() []byte { return parity }
