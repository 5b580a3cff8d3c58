// Package enroll is the MDM enrolment service of the fake Intune, [MS-MDE2] on
// enrollment.manage.microsoft.com: discovery, certificate policy, the enrolment
// that ends with a client certificate and a management account, and the renewal
// of that certificate.
//
// Callers prove themselves in one of four ways: with an access token of Entra
// ID (a user's, or in the technician flow the device's own), which every tenant
// takes; with a token of the authentication page, with a user's name and
// password, or with a certificate of the customer's authority, of which a
// tenant takes the one that its discovery answers with ([Settings]). A device
// that is enrolled renews its certificate with that certificate.
//
// What is checked, and in which order, stands in checks.go; each refusal is a
// SOAP fault of the specification, and an event that names the check.
//
// A technician flow says so on the wire (WhiteGlove) and must prove that its
// MDM key is in the TPM: the AIK's word for the key goes along. Other
// enrolments may bring that proof; what becomes of a bad one is a setting.
//
// It is not a certificate authority for anything else; what SCEP asks for is
// the neighbour's.
package enroll
