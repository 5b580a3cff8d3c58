// Package aik is the service that certifies attestation identity keys, one
// authority for each TPM vendor's CA under *.microsoftaik.azure.net.
//
// It believes an endorsement key because a vendor's certificate, under roots
// that it is given, says so; it believes that the AIK lives in the same TPM
// because that TPM decrypts a challenge that only the two keys together can
// open. A challenge is good for one answer, for a while, from the one who was
// challenged. What was certified is remembered by endorsement key, since the
// device ticket service and device registration ask which TPM an AIK is in. An
// AIK that it certified may then vouch for other keys of its TPM.
//
// Which vendors it trusts and has authorities for, which firmware it refuses
// and how much it takes are options; KnownVulnerable is what published
// advisories name (firmware.yaml).
//
// A Service is an http.Handler whose zero value works and trusts nobody: give
// it EKRoots. It is not a general SCEP server.
package aik
