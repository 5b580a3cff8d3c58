// Package aik is the wire of the AIK certificate service: how a device gets a certificate for an attestation identity
// key (AIK) of its TPM, and how the service makes sure that the key is in that TPM.
//
// The exchange is SCEP with two message types of its own:
//
//	GET  ?operation=GetCACaps                          [Capabilities]
//	GET  ?operation=GetCACertChain&message=default     [Authority]: root, issuing CA, two RA certificates
//	POST ?operation=PKIOperation    [BuildRequest1]    EK, AIK, and the AIK's word on how it was made
//	                                [BuildChallenge]   a secret that only a TPM with both keys can recover
//	POST ?operation=PKIOperation    [BuildRequest2]    the secret, and what the service wanted to be reminded of
//	                                [BuildSuccess]     the AIK certificate, or [BuildFailure]
//
// A key for which an AIK that was enrolled so vouches gets its certificate at once: [BuildKeyRequest] in place of
// [BuildRequest1], and [BuildSuccess] as its answer. What ties the AIK's word to the requester is our model.
//
// Each Build function has a Parse function, and both ends of a simulated exchange use them. They are pure: state
// (which challenges are open, which EK certificates are trusted, what time it is) belongs to device and service.
//
// The formats are those of MS-WCCE (2.2.2.5, 2.2.2.7.12 to .15, 3.2.2.6.2.1.2.5 to .7) as far as it goes, and for the
// SCEP side those observed and published with google/security-research, pocs/bios/tpm-carte-blanche. The magic of the
// challenge blob, the service's wording where it was never quoted in public, and that a refused answer to a challenge
// is a SCEP failure rather than an HTTP error, are our model.
//
// Private-key operations of one exchange, about 1 ms each for RSA-2048: the device signs twice and opens two
// envelopes, the service opens four and signs twice; ten in all, the figure published for the real service. A
// [scep.NewSigner] for each exchange makes it eleven. With a P-256 key for the RA's signatures it is two fewer.
package aik
