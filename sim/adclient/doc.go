// Package adclient is what a Windows computer does to talk to its domain: it
// finds a controller (DNS, then a netlogon ping: [Locate]), gets Kerberos
// tickets ([Logon]), and reads and writes the directory ([DialLDAP]). Device,
// Intune Connector and directory sync share it.
//
// Everything is straight-line code on the caller's own actor: no goroutines, no
// timers, so that it runs in virtual time over a card of sim/vnet as well as on
// real sockets. A [Host] says where it runs: its network, its clocks, its
// randomness and the roots that it trusts.
//
// Refusals keep what the server said: *ldap.Error from the directory,
// *krb5.Error from Kerberos. Referrals are handed back and never followed.
package adclient
