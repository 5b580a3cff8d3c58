// Package health is the attestation service that judges how a Windows PC
// started: a model of Microsoft Azure Attestation's endpoint for TPMs, as
// Intune's own instances of it stand in Microsoft's list of network endpoints.
//
// It gives a challenge, takes evidence (event log, certificate of the
// attestation identity key, quote of all registers over the challenge), and
// answers with a signed report. It believes the log only if the registers that
// the TPM signed for are what the log replays to, and the TPM only if the AIK
// service certified that very key. A challenge is good for one request.
//
// A Service is an http.Handler whose zero value works and believes no TPM: give
// it an Attestation. Policies of an instance are not here: every report has the
// claims of the sample policy on the HealthAttestation CSP's page. Access tokens
// are not looked at, and neither are SGX, SEV-SNP and VBS evidence.
package health
