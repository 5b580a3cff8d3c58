// Package quickstart holds the built-in scenario, which runs when none is named:
// 200 PCs of one tenant are pre-provisioned, shipped, and started by their users.
package quickstart

import _ "embed"

// Name is what messages call the scenario.
const Name = "quickstart.yaml"

// YAML is the scenario file.
//
//go:embed quickstart.yaml
var YAML []byte
