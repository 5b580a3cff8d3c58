// Package esp is the enrollment status page: what holds a PC between its
// enrolment and somebody's desk until the organisation's things are on it.
//
// It has three categories. Device preparation belongs to the technician flow:
// it attests the TPM, joins, enrols, and waits for the policy providers
// (the Intune Management Extension). Device setup tracks what is targeted at
// the device, in both flows; account setup what is targeted at the user.
//
// The page itself installs nothing. It drives management sessions and watches
// the registry keys that the MDM client and the management extension write,
// as in Windows; see learn.microsoft.com "Set up the Enrollment Status Page"
// and the EnrollmentStatusTracking and DMClient CSP pages.
//
// Not here: network profiles and provisioning packages are rows without
// content so far, and quality updates are not offered.
package esp
