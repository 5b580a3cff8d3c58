// Package scep is the SCEP server (RFC 8894) that certificate profiles of the
// fake Intune send devices to, under the names of Windows' Network Device
// Enrollment Service: ndes.<domain>/certsrv/mscep/mscep.dll.
//
// A certificate comes from the customer's own authority. Who asks for one shows
// a challenge password, which is good once, for a while, and for what it was
// made for ([Service.NewChallenge]); who has a certificate renews it with that.
// Where the customer wants to see each request ([Settings]), it waits for
// [Service.Approve], and the client asks again.
//
// The authority's key is elliptic, and SCEP carries content keys by RSA: a
// registration authority with an RSA key opens requests and signs replies, as
// in NDES.
//
// It revokes nothing by list: a certificate dies with its device's record, or
// is forgotten ([windtunnel.test/fakeintune/authority.Authorities.Revoke]).
package scep
