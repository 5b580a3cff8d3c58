// Package drs is enterpriseregistration.windows.net: how a device becomes an
// object of the directory with a certificate of its own, and how it leaves.
//
// A user's join needs an access token for the registration service. A join
// without a user (pre-provisioning, self-deploying) needs a TPM-validated
// device ticket, an AIK certificate and that AIK's word for the key of the
// certificate request, and the hardware must be registered with Autopilot in
// the tenant. The order of those checks and what they compare is our model; the
// refusals are documented results.
//
// A key of Windows Hello for Business is registered with a token that says that
// its user showed a second factor for it. Bulk tokens are the token service's;
// a package's account joins with one like a user.
//
// A Service is an http.Handler; it needs a Directory and somebody who verifies
// tickets, AIK certificates and tokens. A request's body may have 1 MiB. A
// computer of Active Directory claims, without a token, the device object that
// the directory sync has made of it: by the key of its userCertificate. AD FS is
// absent and answers so.
package drs
