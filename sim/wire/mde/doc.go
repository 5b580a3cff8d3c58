// Package mde holds the messages of MDM enrolment, [MS-MDE2]: Discover, GetPolicies ([MS-XCEP]), RequestSecurityToken for
// issue and renewal ([MS-WSTEP]), the provisioning document that the last one brings, and faults with their HRESULTs.
//
// It is not a client and not a server: it opens no connection, checks no token and issues no certificate. Both ends use the
// same types. Each message has an Encode and a Decode function; a response's Decode returns a [*Fault] as its error when
// the server answered with one. Decoders accept any namespace prefix, refuse document type declarations (so that
// there are no entities to expand), and are bounded in size and depth.
//
// What the client tells about the device are context items: [Context] has the known ones as typed fields, and keeps
// unknown ones in Extra. The technician flow is visible on the wire as WhiteGlove.
//
// A request that authenticates by a certificate is signed: [Sign] signs it, and [Verify] gives back what was signed, which
// is all that a server may then read. A renewal is a PKCS#10 request in CMS: [SignRenewal], [OpenRenewal].
package mde
