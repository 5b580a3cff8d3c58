// Package enroll is the MDM enrolment service of the fake Intune, [MS-MDE2] on
// enrollment.manage.microsoft.com: discovery, certificate policy, and the
// enrolment that ends with a client certificate and a management account.
//
// Callers prove themselves with an access token of Entra ID: a user's, or in
// the technician flow the device's own. What is checked, and in which order,
// stands in checks.go; each refusal is a SOAP fault of the specification, and
// an event that names the check.
//
// A technician flow says so on the wire (WhiteGlove) and must prove that its
// MDM key is in the TPM: the AIK's word for the key goes along. Other
// enrolments may bring that proof; what becomes of a bad one is a setting.
//
// It is not a certificate authority for anything else, and renewal (a signed
// PKCS#7), federated, on-premises and certificate authentication are answered
// with the fault that says so.
package enroll
