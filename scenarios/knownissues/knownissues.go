// Package knownissues holds the catalogue's entries, one a file, and the
// scenarios that they are laid over. Package catalog reads them; what an entry
// looks like stands there.
package knownissues

import "embed"

// Files are the entries (P04.yaml), and the scenarios below base.
//
//go:embed *.yaml base/*.yaml
var Files embed.FS
