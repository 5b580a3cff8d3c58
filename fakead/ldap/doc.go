// Package ldap is the directory service of one domain controller on the wire:
// LDAP over TCP and TLS, and the netlogon ping over UDP. What it says and does
// is the directory's ([Directory], which directory.Replica is); this package
// knows sessions: binds, security layers, paging, controls, limits.
//
//	s := &ldap.Server{Directory: replica, Clock: clock, Certificate: certificate, Accept: kdc.Acceptor}
//	listener.Serve(ctx, "ldap", func(ctx context.Context, c *vnet.Conn) { s.ServeStream(ctx, c) })
//	network.ServePacket("dc1.corp.contoso.com", 389, s.HandlePacket)
//
// A session runs on the actor that serves its connection, one operation after
// the other, without goroutines. Sessions of one server share nothing but the
// directory.
//
// parity.yaml says what is there and what is not.
package ldap
