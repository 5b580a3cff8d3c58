// Package internet is the rest of the internet, as far as a Windows PC under
// setup asks for it: the connectivity test, a time server, and the content
// delivery network that app installers come from. EK certificate hosts of
// firmware TPMs, a certificate authority for SCEP and the upload of logs are
// rows of the parity table that say "absent" so far.
//
// Each is a handler of its own; [Attach] puts all of them on a network.
package internet
