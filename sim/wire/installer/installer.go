package installer

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Manifest says what an installer does.
type Manifest struct {
	Product  string        `json:"product"`            // name below Uninstall: what a registry detection rule finds
	Version  string        `json:"version,omitempty"`  // its DisplayVersion
	MSI      bool          `json:"msi,omitempty"`      // takes Windows Installer's one lock
	Duration time.Duration `json:"duration"`           // nanoseconds of virtual time on any PC
	ExitCode int           `json:"exitCode,omitempty"` // 0 success, 3010 and 1641 want a restart, others fail
	Files    []string      `json:"files,omitempty"`    // full paths that exist afterwards
	Service  string        `json:"service,omitempty"`  // Windows service that it registers and starts
}

// MaxBytes bounds an encoded manifest.
const MaxBytes = 64 << 10

var errNoProduct = errors.New("no product name")

// Encode writes the manifest.
func (m Manifest) Encode() ([]byte, error) {
	if m.Product == "" {
		return nil, errNoProduct
	}
	return json.Marshal(m)
}

// Decode reads a manifest.
func Decode(b []byte) (Manifest, error) {
	var m Manifest
	if len(b) > MaxBytes {
		return m, fmt.Errorf("installer: %d bytes, at most %d", len(b), MaxBytes)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("installer: %w", err)
	}
	if m.Product == "" || m.Duration < 0 {
		return m, fmt.Errorf("installer: %w", errNoProduct)
	}
	return m, nil
}
