// Package drs is the wire format of the Entra device registration service,
// enterpriseregistration.windows.net: the discovery document, the join
// request and its answer, the nonce, the error body, the device certificate's
// private extensions, and the transport key blob.
//
// Sources: [MS-DVRD] (discovery), [MS-DVRJ] (join, delete, error body),
// [MS-DVRE] (certificate extensions), the "Azure Active Directory device
// registration how it works" and "troubleshoot hybrid join" pages of
// learn.microsoft.com, and the open clients of himmelblau-idm and dirkjanm,
// which work against the real service.
//
// What Entra receives as proof of the TPM is not public. The rule for the
// qualifying data of that proof ([QualifyingData]), the sub-codes of its
// refusals, and the header that carries the nonce are our model; they are
// marked so.
//
// The package holds no state, no clock and no I/O. It does not know how the
// attestation structure itself is built or verified: AttestationData is bytes
// here.
package drs
