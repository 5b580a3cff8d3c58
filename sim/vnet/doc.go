// Package vnet is the network between virtual PCs and the services that they call: names, sites with their links and
// firewalls, TLS, HTTP, byte streams and datagrams, all on virtual time.
//
// A [Network] knows hosts by name. A service is put on it with [Network.Serve] (an http.Handler), [Network.Listen] (a
// byte stream, such as LDAP) or [Network.ListenPacket] and [Network.ServePacket] (datagrams, such as NTP). A name that
// nobody serves does not resolve. A [Site] is a place where devices stand, with one link that they share, a firewall and
// perhaps a proxy that breaks TLS open. A [NIC] is a device's network card: it belongs to one site at a time, trusts the
// roots and reads the clock that its device has. [NIC.Client] gives an ordinary *http.Client, [NIC.Dial] an ordinary
// net.Conn, and what goes wrong is an ordinary Go error: *net.DNSError, *net.OpError with syscall.ECONNREFUSED,
// *tls.CertificateVerificationError. [ErrorCode] is the one place where those become HRESULTs.
//
// Requests must carry the context of the actor that makes them (http.NewRequestWithContext), since that is who waits.
// A handler's r.Context() is that same actor: clock calls on it work, in every home.
//
// There are two homes. [Direct] calls the handler on the caller's own goroutine; certificate chains are verified and
// client keys proved, but no TLS records are made. [TLS] runs Go's TLS, http.Server and client over memory. Status,
// headers, bodies, errors and virtual times are the same in both, because everything that takes virtual time is done
// before and after the home carries an exchange. What may wait inside, a handler or a key in a TPM, runs on the actor in
// both of them; TLS starts goroutines only for crypto/tls and net/http, and those never touch the clock.
//
// A name's port may lead out of the simulation, to a real server on this machine ([Network.Relay]). A domain's names are
// seen only where a domain controller is in reach: at sites that see one and through a VPN ([Network.DomainOnly],
// [NIC.NameServers], [NIC.Tunnel]).
//
// Clients that are no part of the simulation come in through a [Gateway]: real listeners on this machine, with HTTP/2, and a
// proxy that knows the served names and no others. It needs a wall clock. Handlers, fault rules and the journal are the same.
//
// Not modelled: routing, MTU, congestion control, streaming bodies (a body travels whole), trailers, DNS record
// types other than addresses. Nothing here draws real time or unseeded randomness into a run; TLS itself does draw
// randomness, and none of its bytes is journaled or charged to a link.
package vnet
