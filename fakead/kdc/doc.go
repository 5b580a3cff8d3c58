// Package kdc is the Kerberos of one domain controller: tickets on port 88
// (RFC 4120 as [MS-KILE] has it) and changing of passwords on port 464
// (RFC 3244), by datagram and by stream.
//
//	s := &kdc.Server{Directory: replica, Clock: clock, Seed: seed, Journal: journal}
//	network.ServePacket(name, 88, s.HandlePacket)                    // and s.ServeStream for streams
//	network.ServePacket(name, 464, s.Passwords().HandlePacket)       // likewise
//	ldapServer.Accept = s.Acceptor                                   // for SASL binds
//
// What an account may, and its keys, come from the directory; the server adds
// the domain's policy on tickets. Time is the controller's own: a client more
// than the allowed skew away from it is refused.
//
// Encryption types 18, 17 and 23. Pre-authentication is the encrypted
// timestamp. A wrong password is tried again with what the first controller
// knows, as controllers do, before it counts.
//
// Not here: the PAC, so that file servers would not take the tickets; PKINIT,
// FAST, S4U, user-to-user, trusts and referrals. Their requests are refused by
// number.
package kdc
