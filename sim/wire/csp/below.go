package csp

import (
	"encoding/xml"
	"fmt"

	"windtunnel.test/sim/wire/fastxml"
)

// vendorNode takes a LocURI below Vendor/MSFT/{provider...} apart: its scope and the segments that follow.
func vendorNode(uri string, provider ...string) (scope Scope, rest []string, ok bool) {
	path, err := Parse(uri)
	if err != nil {
		return "", nil, false
	}
	rest, ok = path.Below(Path{Scope: path.Scope, Segments: append([]string{"Vendor", "MSFT"}, provider...)})
	return path.Scope, rest, ok
}

// maxDocument bounds an XML document that is a node's value, in bytes. Windows' own limits are not documented; ours is far
// above any real profile.
const maxDocument = 64 << 10

// parseDocument reads an XML document that is a node's value.
func parseDocument(what, text string, v any) error {
	if len(text) > maxDocument {
		return fmt.Errorf("csp: %s of %d bytes", what, len(text))
	}
	if err := fastxml.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("csp: %s: %w", what, err)
	}
	return nil
}

// encodeDocument writes one.
func encodeDocument(what string, v any) (string, error) {
	data, err := xml.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("csp: %s: %w", what, err)
	}
	return string(data), nil
}
