// Package oauth is what login.microsoftonline.com and its clients say to each
// other: token requests and answers, signed access tokens and key documents,
// the nonce, the primary refresh token (PRT) protocol of broker clients, the
// device's own token, user realm and the error body with AADSTS numbers.
//
// Sources: RFC 6749, RFC 7515 to 7519, [MS-OAPX], [MS-OAPXBC] (nonce, PRT,
// session key), [MS-OIDCE] (capabilities), NIST SP 800-108, the access token
// and error code pages of learn.microsoft.com, and the open clients that work
// against the real service.
//
// Also here: instance discovery and metadata documents, authorisation requests
// with proof key (RFC 7636), device codes (RFC 8628), client assertions (RFC
// 7523), and the table of AADSTS numbers.
//
// Faithful: forms, JOSE headers, key derivation (both kdf versions), session
// key transport, answers encrypted with the session key. Not here: PRT
// protocol 3.0 and 4.0, browser single sign-on headers, key-based sign-in.
//
// No state, no clock, no I/O: time and randomness come from the caller, and
// private keys are crypto.Signer and crypto.Decrypter, which may live in a TPM.
package oauth
