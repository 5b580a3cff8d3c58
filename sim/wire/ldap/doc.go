// Package ldap is the Lightweight Directory Access Protocol as both ends of
// the wire need it: messages and controls (RFC 4511, RFC 2696, [MS-ADTS]
// 3.1.1.3.4.1), filters (RFC 4515), distinguished names (RFC 4514), result
// codes, and the netlogon answer by which a domain controller says over UDP
// what it is ([MS-ADTS] 6.3). It has no state, no clock and no connections:
// the server is fakead/ldap, the client sim/adclient.
//
// A [Reader] takes messages off a stream within [Limits]; [Message.Append]
// writes one. Values that were decoded share the memory of the bytes they
// came from: who keeps them longer than the message copies them.
//
// Lengths are definite, as RFC 4511 5.1 wants, and may be longer than they
// need to be, as Windows writes them. Not there: the modify DN request's
// execution (it decodes), intermediate responses, and schema.
package ldap
