package vtpm

import (
	_ "embed"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed models.yaml
var modelData []byte

// Model is a TPM part of a vendor: what its chips have in common.
type Model struct {
	Name         string    `yaml:"name"`         // how scenarios call it: "infineon-slb9670"
	Vendor       string    `yaml:"vendor"`       // organisation in its certificates
	VendorID     string    `yaml:"vendorID"`     // TPM_PT_MANUFACTURER as text, at most 4 characters
	Manufacturer string    `yaml:"manufacturer"` // the same as 8 hex digits (TCG Vendor ID Registry)
	Part         string    `yaml:"part"`         // model in the EK certificate
	Firmware     string    `yaml:"firmware"`     // major.minor
	Revision     string    `yaml:"revision"`     // of the TPM 2.0 library specification
	EK           string    `yaml:"ek"`           // "rsa2048"
	Certificate  string    `yaml:"certificate"`  // where the EK certificate is: "nv"
	Source       string    `yaml:"source"`
	Mark         string    `yaml:"mark"`
	Issuer       string    `yaml:"issuer"`    // common name of the authority that signs EK certificates
	Root         string    `yaml:"root"`      // common name of the authority above it
	Certified    time.Time `yaml:"certified"` // notBefore of its EK certificates
	Latency      Latency   `yaml:"latency"`
}

// Duration is a figure with its provenance.
type Duration struct {
	Value  time.Duration `yaml:"value"`
	Source string        `yaml:"source"`
	Mark   string        `yaml:"mark"` // documented, observed, community, assumed
}

// Latency says how long one command of each class takes in virtual time.
type Latency struct {
	Startup   Duration `yaml:"startup"`
	Light     Duration `yaml:"light"`
	NVRead    Duration `yaml:"nvRead"`
	NVWrite   Duration `yaml:"nvWrite"`
	Extend    Duration `yaml:"extend"`
	Load      Duration `yaml:"load"`
	Sign      Duration `yaml:"sign"`
	Decrypt   Duration `yaml:"decrypt"`
	CreateRSA Duration `yaml:"createRSA"`
	Clear     Duration `yaml:"clear"`
}

// models is the embedded data, checked once.
var models = sync.OnceValues(func() (map[string]*Model, error) {
	var file struct {
		Models []*Model `yaml:"models"`
	}
	if err := yaml.UnmarshalWithOptions(modelData, &file, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("vtpm: models.yaml: %w", err)
	}
	byName := make(map[string]*Model, len(file.Models))
	for _, m := range file.Models {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("vtpm: models.yaml: %s: %w", m.Name, err)
		}
		byName[m.Name] = m
	}
	return byName, nil
})

func (m *Model) check() error {
	var major, minor uint16
	if _, err := fmt.Sscanf(m.Firmware, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("firmware %q: %w", m.Firmware, err)
	}
	if m.EK != "rsa2048" || m.Certificate != "nv" {
		return fmt.Errorf("ek %q with certificate %q is not supported", m.EK, m.Certificate)
	}
	for c := class(0); c < classes; c++ {
		if d := m.Latency.of(c); d.Value <= 0 || d.Source == "" || d.Mark == "" {
			return fmt.Errorf("latency %v has no value, source or mark", c)
		}
	}
	return nil
}

// FindModel returns a part by its name. The error names the known ones.
func FindModel(name string) (*Model, error) {
	byName, err := models()
	if err != nil {
		return nil, err
	}
	if m, ok := byName[name]; ok {
		return m, nil
	}
	return nil, fmt.Errorf("vtpm: no model %q (there are %s)", name, strings.Join(Models(), ", "))
}

// Models lists the names of all parts, sorted.
func Models() []string {
	byName, err := models()
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(byName))
	for name := range byName {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// VersionText is how Windows describes the part in the hardware hash:
// "TPM-Version:2.0 -Level:0-Revision:1.38-VendorID:'IFX '-Firmware:7.85".
func (m *Model) VersionText() string {
	return fmt.Sprintf("TPM-Version:2.0 -Level:0-Revision:%s-VendorID:'%-4s'-Firmware:%s", m.Revision, m.VendorID, m.Firmware)
}

// firmwareID is the firmware version as the EK certificate carries it: major
// and minor, two bytes each, in hex.
func (m *Model) firmwareID() string {
	var major, minor uint16
	if _, err := fmt.Sscanf(m.Firmware, "%d.%d", &major, &minor); err != nil {
		return "00000000"
	}
	return fmt.Sprintf("%04X%04X", major, minor)
}
