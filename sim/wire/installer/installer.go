package installer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Manifest says what an installer does.
type Manifest struct {
	Product   string          `json:"product"`             // name below Uninstall: what a registry detection rule finds
	Version   string          `json:"version,omitempty"`   // its DisplayVersion
	MSI       bool            `json:"msi,omitempty"`       // takes Windows Installer's one lock
	Duration  time.Duration   `json:"duration"`            // nanoseconds of virtual time, the least that it takes
	Spread    time.Duration   `json:"spread,omitempty"`    // by how much longer it may take; every PC draws its own part once
	ExitCode  int             `json:"exitCode,omitempty"`  // 0 success, 3010 and 1641 want a restart, others fail
	ExitCodes []int           `json:"exitCodes,omitempty"` // of the first runs on a PC; those after them end with ExitCode
	Restarts  bool            `json:"restarts,omitempty"`  // restarts the PC itself when it is done, and asks nobody
	Hangs     bool            `json:"hangs,omitempty"`     // waits for an answer that nobody gives, until it is ended
	Files     []string        `json:"files,omitempty"`     // full paths that exist afterwards
	Registry  []RegistryValue `json:"registry,omitempty"`  // values that exist afterwards
	Service   string          `json:"service,omitempty"`   // Windows service that it registers and starts
}

// RegistryValue is one value that an installer or a script writes.
type RegistryValue struct {
	Key   string `json:"key" yaml:"key" need:"yes" doc:"Key with its hive, such as HKEY_LOCAL_MACHINE\\SOFTWARE\\Contoso."`
	Name  string `json:"name,omitempty" yaml:"name" doc:"Name of the value; missing: the key's default value."`
	Value string `json:"value,omitempty" yaml:"value" doc:"Its data as a text."`
	DWORD bool   `json:"dword,omitempty" yaml:"dword" doc:"It is a REG_DWORD, and the text a decimal number."`
}

// MaxBytes bounds an encoded manifest.
const MaxBytes = 64 << 10

var (
	errNoProduct = errors.New("no product name")
	errDuration  = errors.New("a duration is negative or endless")
)

// Exit gives the code of a PC's nth run, counted from 1.
func (m Manifest) Exit(run int) int {
	if run >= 1 && run <= len(m.ExitCodes) {
		return m.ExitCodes[run-1]
	}
	return m.ExitCode
}

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
	switch {
	case m.Product == "":
		return m, fmt.Errorf("installer: %w", errNoProduct)
	case m.Duration < 0 || m.Spread < 0 || m.Duration > maxDuration || m.Spread > maxDuration:
		return m, fmt.Errorf("installer: %w", errDuration)
	}
	return m, nil
}

// maxDuration bounds a duration far above what anybody waits for, so that two
// of them add up.
const maxDuration = 10 * 365 * 24 * time.Hour

// View32 is where 32-bit programs of a 64-bit Windows have a key of the
// machine's software (learn.microsoft.com, "Registry Redirector").
func View32(key string) string {
	const software = `\software\`
	at := strings.Index(strings.ToLower(key), software)
	if at < 0 || strings.HasPrefix(strings.ToLower(key[at+len(software):]), `wow6432node\`) {
		return key
	}
	hive := strings.ToUpper(key[:at])
	if hive != "HKLM" && hive != "HKEY_LOCAL_MACHINE" {
		return key
	}
	return key[:at+len(software)] + `WOW6432Node\` + key[at+len(software):]
}
