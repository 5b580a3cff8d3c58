// Package msa is the wire of login.live.com as a PC's sign-in assistant (wlidsvc) uses it before any user is known: it
// makes a device account, and exchanges it for device tickets.
//
// Paths, element names and component numbers follow published reverse engineering of deviceaddcredential.srf and
// RST2.srf; the envelope is WS-Trust 2005/02 over SOAP 1.2 with a WS-Security UsernameToken. What is not public is our
// model and marked so: the values inside the hardware components, the proof by an attestation key (AttestedProof) and
// the inside of a ticket (Claims), which clients treat as opaque.
//
// It keeps no accounts and no keys, and it does not verify TPM statements: it carries them.
package msa
