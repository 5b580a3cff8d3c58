// Package delivery decides what is due to a managed device, and when: which
// enrolment status page applies, which apps and configurations go to the
// device's own session and which to its user's, and which of them the page
// waits for.
//
// The rules are those of learn.microsoft.com/autopilot/pre-provision and of
// "Set up the Enrollment Status Page". Device management and the management
// extension's gateway both ask here, so that they agree. It sends nothing and
// remembers nothing.
package delivery
