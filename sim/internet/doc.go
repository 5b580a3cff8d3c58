// Package internet is the rest of the internet, as far as a Windows PC under
// setup asks for it: the connectivity test, a time server, the content
// delivery network that app installers come from, and the hosts that vendors of
// firmware TPMs have EK certificates on. Who has a SCEP server, and the storage
// that diagnostics are uploaded to, is Intune (packages fakeintune/scep and
// fakeintune/storage).
//
// Each is a handler of its own; [Attach] puts those on a network that need
// nothing else. Who makes TPM chips publishes their certificates on an [EKHost].
package internet
