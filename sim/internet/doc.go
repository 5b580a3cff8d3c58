// Package internet is the rest of the internet, as far as a Windows PC under
// setup asks for it: the connectivity test, a time server, the content
// delivery network that app installers come from, and the hosts that vendors of
// firmware TPMs have EK certificates on. A certificate authority for SCEP and
// the upload of logs are rows of the parity table that say "absent" so far.
//
// Each is a handler of its own; [Attach] puts those on a network that need
// nothing else. Who makes TPM chips publishes their certificates on an [EKHost].
package internet
