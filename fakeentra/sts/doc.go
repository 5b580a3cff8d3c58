// Package sts is login.microsoftonline.com: what sign-in libraries and Windows
// ask of Entra ID, on endpoints of version 1 and 2.
//
//   - Documents: instance discovery, both openid-configurations for a tenant's
//     id, its domains, common, organizations and consumers, keys, user realm,
//     GetCredentialType.
//   - The token endpoint: applications by secret or signed assertion, users by
//     password, refresh tokens, authorization codes with PKCE, device codes, a
//     service on behalf of its caller, devices by themselves, and devices with a
//     user (primary refresh token).
//   - Pages for people, which work without JavaScript: sign-in, second factor
//     ([SecondFactor] is everybody's code: our model), terms of use, consent, and
//     the approval of a device code.
//
// Conditional access decides on every token of a user: the directory's policies,
// see tenant.Directory.Decide. Access tokens are RS256 and can be verified by
// anybody with the published keys: [Service.Keys], or sim/wire/oauth.Verify.
// Their version is what the resource takes, as in Entra ID: Microsoft's own take
// version 1.
//
// A primary refresh token is bound to the device: its session key is sealed to
// the transport key that the device brought when it joined, and each use is
// signed with a key derived from it.
//
// A Service is an http.Handler; it needs a Directory, and Devices to accept
// device certificates. Bodies are read up to 256 KiB. Refresh tokens, codes and
// device codes stand in the store under their digest.
//
// Absent: browser sessions (prompt=none always asks for a sign-in), federation,
// families of clients, tokens bound to a key (PoP), certificates trusted by
// subject and issuer, optional claims and groups in tokens, personal accounts,
// applications of another tenant.
package sts
