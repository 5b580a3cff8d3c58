// Package esp is the enrollment status page: what holds a PC between its
// enrolment and somebody's desk until the organisation's things are on it.
//
// It has three categories. Device preparation belongs to the technician flow:
// it attests the TPM, joins, enrols, and waits for the policy providers
// (the Intune Management Extension). Device setup tracks what is targeted at
// the device, in both flows; account setup what is targeted at the user.
//
// What nobody sees are silent steps: management sessions beside the wait for the
// providers, the one restart that device setup puts off to its end, the results
// for the server. The page comes back after every start of Windows and goes on
// from what the registry says; its time limit goes on too. After a failure it
// offers what the organisation allows ([Offers]).
//
// The page itself installs nothing. It drives management sessions and watches
// the registry keys that the MDM client and the management extension write,
// as in Windows; see learn.microsoft.com "Set up the Enrollment Status Page"
// and the EnrollmentStatusTracking and DMClient CSP pages.
//
// Where a domain is joined (hybrid.go), device preparation enrols first and then
// waits for the offline domain join, and account setup waits until Entra ID
// knows the PC, with a clock of its own.
//
// Not here: the quality updates themselves: [QualityUpdates] only says whether
// they are wanted.
package esp
