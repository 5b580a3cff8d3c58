// Package load holds scenarios for `windtunnel load`: one for each scope, and
// one for each way in which PCs can arrive.
package load

import "embed"

// Files are the scenarios.
//
//go:embed *.yaml
var Files embed.FS
