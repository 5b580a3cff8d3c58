package aik

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	wire "windtunnel.test/sim/wire/aik"
)

//go:embed firmware.yaml
var firmwareData []byte

// Firmware is a range of a vendor's firmware versions, both ends included, as
// the PlatformType header states them: major and minor.
type Firmware struct {
	VendorID string // four characters, blanks may be left out: "IFX"
	From, To [2]uint32
}

// String is "IFX 4.0 to 4.33".
func (f Firmware) String() string {
	return fmt.Sprintf("%s %d.%d to %d.%d", f.VendorID, f.From[0], f.From[1], f.To[0], f.To[1])
}

// ParseVersion reads "5.61".
func ParseVersion(text string) (version [2]uint32, err error) {
	major, minor, ok := strings.Cut(text, ".")
	for i, digits := range []string{major, minor} {
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || !ok {
			return version, fmt.Errorf("fakeentra/aik: %q is no firmware version; write one such as 5.61", text)
		}
		version[i] = uint32(n)
	}
	return version, nil
}

// KnownVulnerable is the firmware that the published advisories name: what
// the service refuses where nobody says otherwise.
func KnownVulnerable() []Firmware { return slices.Clone(knownVulnerable()) }

var knownVulnerable = sync.OnceValue(func() []Firmware {
	var file struct {
		Vulnerable []struct {
			Vendor string `yaml:"vendor"`
			From   string `yaml:"from"`
			To     string `yaml:"to"`
			Source string `yaml:"source"`
			Mark   string `yaml:"mark"`
		} `yaml:"vulnerable"`
	}
	if err := yaml.UnmarshalWithOptions(firmwareData, &file, yaml.DisallowUnknownField()); err != nil {
		panic("fakeentra/aik: firmware.yaml: " + err.Error()) // embedded: a test reads it
	}
	var list []Firmware
	for _, row := range file.Vulnerable {
		from, err := ParseVersion(row.From)
		to, err2 := ParseVersion(row.To)
		if err != nil || err2 != nil || row.Vendor == "" || row.Source == "" || row.Mark == "" {
			panic("fakeentra/aik: firmware.yaml: row " + row.Vendor + " " + row.From)
		}
		list = append(list, Firmware{row.Vendor, from, to})
	}
	return list
})

// firmware refuses a TPM whose firmware is listed. It is the client's word, as
// the statement does not hold it; a request without it is let through.
func (s *Service) firmware(r *http.Request) error {
	header := r.Header.Get(wire.HeaderPlatformType)
	p, err := wire.ParsePlatform(header)
	if err != nil {
		return nil
	}
	for _, f := range s.settings.Vulnerable {
		if strings.TrimSpace(f.VendorID) == strings.TrimSpace(p.VendorID) &&
			slices.Compare(p.Firmware[:], f.From[:]) >= 0 && slices.Compare(p.Firmware[:], f.To[:]) <= 0 {
			return &refusal{wire.VulnerableFirmware, "vulnerable firmware", header}
		}
	}
	return nil
}
