// Package scep reads and writes messages of the Simple Certificate Enrolment Protocol (RFC 8894).
//
// A pkiMessage is content in an envelope ([Seal], [Open]) inside a signed message whose signed attributes say what it
// is ([Message]). A profile that adds message types or states of its own, such as the AIK certificate service's, uses
// these functions with its own numbers.
//
// It is not a client or a server: no state, no clock, no network. A signature is checked against the certificate that
// the message brings along; whether that certificate is to be trusted, and whether it is valid now, is the caller's
// question. Randomness comes from the reader that the caller gives, so the same stream makes the same bytes.
//
// Messages are written here rather than by the CMS library, which stamps the machine's time into every signature,
// checks it against the signer's validity, and chooses the cipher by a package variable; they are read with it, since
// it takes the BER that real clients send.
//
// Costs: [Message.Sign] and [Open] are one private-key operation each (RSA-2048 takes about 1 ms); [Seal] and [Parse]
// are public-key operations.
package scep
