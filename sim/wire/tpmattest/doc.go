// Package tpmattest judges what a TPM 2.0 says about its keys, without a TPM.
//
// A service that issues an attestation identity key (AIK) certificate, or that accepts a key because an AIK vouches
// for it, receives TPM structures as bytes. This package parses them, computes Names, verifies signatures and the
// fields under them, and makes the credential challenge that only the TPM with the right endorsement key (EK) and the
// right AIK can open. It also reads and writes the statement that carries the structures (MS-WCCE 2.2.2.5) and the two
// small ASN.1 sequences that carry the keys (MS-WCCE 2.2.2.7.12 and 2.2.2.7.15).
//
// A verifier uses it in this order:
//
//  1. [ParseStatement], [ParseIDBinding] and [IDBinding.Verify]: the AIK was made by a TPM, is restricted to signing
//     what that TPM says, and cannot leave it.
//  2. [MakeCredential] to the EK of the EK certificate, over the AIK's Name: who answers has both keys in one TPM.
//  3. [VerifyCertify]: the AIK vouches for another key.
//
// Parsers are strict: a structure must be used up to its last byte and must encode back to what was read. A refusal is
// an [*Error] that names the [Check] which failed, so that a journal can say why a device was refused.
//
// It is not a TPM and not a certificate authority: it holds no state, draws randomness only from the reader it is
// given, and does not decide which EK certificates are trusted. TPM 1.2 (platform 1) is not supported.
//
// References: TCG TPM 2.0 Library, part 1 (24 Credential Protection, 31 Attestation) and part 2 (10.12, 11.3, 12.2,
// 15); TCG EK Credential Profile 2.5, annex B; MS-WCCE.
package tpmattest
