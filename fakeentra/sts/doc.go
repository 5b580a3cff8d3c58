// Package sts is login.microsoftonline.com: keys and metadata, user realm, and
// the token endpoint for applications (client credentials), users (password),
// devices by themselves, and devices with a user (primary refresh token).
//
// A primary refresh token is bound to the device: its session key is sealed to
// the transport key that the device brought when it joined, and each use is
// signed with a key derived from it. Access tokens are RS256 and can be
// verified by anybody with the published keys: [Service.Keys], or
// sim/wire/oauth.Verify.
//
// A Service is an http.Handler; it needs a Directory, and Devices to accept
// device certificates. Interactive authorisation, consent, multifactor sign-in,
// conditional access, refresh tokens of applications and federation are absent.
package sts
