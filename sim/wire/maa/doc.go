// Package maa is what a Windows PC and Microsoft Azure Attestation say to each
// other about the health of the PC's start, in the service's protocol for TPMs:
//
//	POST /attest/Tpm?api-version=2020-10-01  {"type":"aikcert"}
//	  200  {"challenge":..., "service_context":...}
//	POST /attest/Tpm?api-version=2020-10-01  {"request":"<JWS>"}
//	  200  {"report":"<JWT>"}
//
// The request is signed by a key of the PC's own choice; in it are the event
// log of the boot, the certificate of the attestation identity key (AIK), and a
// quote of the registers by that key. The report is a token that anybody with
// the service's published keys can verify.
//
// Documented (learn.microsoft.com/azure/attestation/virtualization-based-security-protocol,
// and the HealthAttestation CSP page for the report): the messages and members,
// PS256 and the type "attReq" of the request, the claims of the report. The
// envelope of the REST call ({"data": base64url of the message}) is that of the
// Attest TPM operation; both it and bare messages are read.
// Not public and our model: the form of current_claim, for which the structure
// of Microsoft's open TPM toolkit for its Platform Crypto Provider is used
// ([PlatformClaim]), and what the quote is over ([Qualifying]).
//
// VBS reports, resume logs and policies of a service instance are not here.
package maa
