// Package mdm is Windows' own MDM client: enrolment by [MS-MDE2], OMA-DM
// sessions by [MS-MDM], and the configuration service providers (CSPs) that
// the sessions reach.
//
// A CSP is a subtree of nodes with rules of its own; each has a file here
// (csp_*.go). What a session changes is written to the disk at once, so that a
// boot in the middle loses nothing, and reported by the signal that the
// enrollment status page waits for.
//
// A policy does what it does by the value of Windows' own registry that it
// writes (effects.go); what then goes wrong goes wrong where that value is read.
// What a server has executed runs on as a job beside the session, and is taken
// up again after a restart or the loss of power (jobs.go, csp_scep.go,
// csp_msi.go). Nodes that want a restart are a table (reboot.go).
//
// A LocURI below no CSP of this package answers 404, as a Windows without that
// provider does; parity.yaml lists what is there. WBXML is not spoken, and
// messages are not signed.
package mdm
