// Package mdm is Windows' own MDM client: enrolment by [MS-MDE2], OMA-DM
// sessions by [MS-MDM], and the configuration service providers (CSPs) that
// the sessions reach.
//
// A CSP is a subtree of nodes with rules of its own; each has a file here
// (csp_*.go). What a session changes is written to the disk at once, so that a
// boot in the middle loses nothing, and reported by the signal that the
// enrollment status page waits for.
//
// A LocURI below no CSP of this package answers 404, as a Windows without that
// provider does. WBXML is not spoken, and messages are not signed.
package mdm
