// Package ppkg is the inside of a simulated provisioning package: what applying
// it sets. Real packages are WIM images with XML in them; ours are JSON, and
// say the same: nodes of configuration service providers with their values, and
// whether the PC restarts afterwards. The format is our own.
package ppkg

import (
	"encoding/json"
	"errors"
	"fmt"

	"windtunnel.test/sim/wire/csp"
)

// Folder is where Windows looks for packages that the factory put on the disk
// (learn.microsoft.com, "How provisioning works in Windows").
const Folder = `C:\Recovery\Customizations`

// Extension is how a package's name ends.
const Extension = ".ppkg"

// Package is what one package sets.
type Package struct {
	Name     string    `json:"name"`
	Settings []Setting `json:"settings"`
	Restart  bool      `json:"restart,omitempty"` // the PC restarts once it is applied
}

// Setting is the value of one node.
type Setting struct {
	URI    string `json:"uri"`              // LocURI
	Format string `json:"format,omitempty"` // metinf format: "chr" (where it is missing), "int", "bool", "b64"
	Value  string `json:"value"`
}

// MaxBytes bounds an encoded package.
const MaxBytes = 256 << 10

var (
	errNoName   = errors.New("no name")
	errTooLarge = fmt.Errorf("more than %d bytes", MaxBytes)
)

// Encode writes the package.
func (p Package) Encode() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("ppkg: %w", err)
	}
	return json.Marshal(p)
}

// Decode reads a package; it refuses one without a name or with a setting that
// is about no node.
func Decode(b []byte) (Package, error) {
	var p Package
	if len(b) > MaxBytes {
		return Package{}, fmt.Errorf("ppkg: %w", errTooLarge)
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return Package{}, fmt.Errorf("ppkg: %w", err)
	}
	if err := p.check(); err != nil {
		return Package{}, fmt.Errorf("ppkg: %w", err)
	}
	return p, nil
}

func (p Package) check() error {
	if p.Name == "" {
		return errNoName
	}
	for _, s := range p.Settings {
		if _, err := csp.Parse(s.URI); err != nil {
			return err
		}
	}
	return nil
}
