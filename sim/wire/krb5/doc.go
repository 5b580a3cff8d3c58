// Package krb5 is Kerberos on the wire, as Active Directory speaks it: the
// messages between a client and a key distribution centre (RFC 4120, RFC 6113's
// neighbours left out), their encryption (RFC 3961, 3962, 4757), changing of
// passwords (RFC 3244), and GSS-API over it (RFC 4121) with SPNEGO (RFC 4178)
// and the layer negotiation of SASL (RFC 4752).
//
// It has no clock, no randomness of its own that decides anything, and does no
// I/O but [ReadFrame] and [WriteFrame]: who calls gives the time and the bytes.
// Only the confounder of an encryption is drawn by the library underneath, so
// cipher texts differ from run to run while their lengths do not.
//
// The messages, encodings and ciphers are those of github.com/jcmturner/gokrb5;
// this package is the only one that knows so. What the library leaves out is
// here: the raw body that a checksum is over, AP-REP, sealed GSS tokens, and
// bounds checks before its decoders.
//
// # A client
//
//	req := krb5.Request{Type: krb5.TypeAS, Realm: "CORP.CONTOSO.COM", Client: krb5.ParseName("anna"), Server: krb5.TGS("CORP.CONTOSO.COM"), ...}
//	packet, err := req.Encode()
//
// package sim/adclient does the rest of it.
//
// # A service
//
//	acceptor := krb5.Acceptor{Keys: keys, Now: clock.Now, Skew: 5 * time.Minute, Random: random, Replays: cache}
//	out, done, err := acceptor.Accept(token) // until done
//	plain, sealed, err := acceptor.Unwrap(message)
//
// Not here: PKINIT, FAST, S4U, user-to-user, cross-realm referrals, the PAC
// ([MS-PAC]), DES, and RC4 in GSS-API tokens.
package krb5
