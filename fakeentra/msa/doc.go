// Package msa is login.live.com as Windows uses it before any user is known:
// it makes device accounts and sells device tickets to them.
//
// An ordinary ticket says what hardware the device claims to be. A
// TPM-validated one says which endorsement key the device's TPM has: it is
// given for an AIK certificate of the attestation service and a statement that
// this AIK signed for this very request. The inside of tickets and of that
// proof is our model, since it is not public.
//
// A Service is an http.Handler whose zero value works; without Attestation it
// gives no TPM-validated ticket. Services that accept tickets verify them with
// [Service.PublicKey]. User accounts are not modelled.
package msa
