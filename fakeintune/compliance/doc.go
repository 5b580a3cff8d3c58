// Package compliance is Intune's verdict on a managed device, and its copy in
// Entra ID.
//
// A device that was pre-provisioned is looked at when its first session is
// complete, with the policies for devices; a device that has a user when the
// user's first session is, and again when a session brought something new. Each
// look is one timer: evaluation takes a while, and telling the directory takes
// another. One more timer a device, which keeps no run alive, looks at it when
// its grace is over, or when it has been silent for the validity period.
//
// What a policy can ask and this package knows of is the OS version, the
// attested TPM, and what an attestation service says of the device's start:
// BitLocker, Secure Boot, code integrity and the early launch driver. Other
// rules hold. The parity table says so.
package compliance
