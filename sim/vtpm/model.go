package vtpm

import (
	_ "embed"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed models.yaml
var modelData []byte

// Model is a TPM part of a vendor with one version of its firmware: what its
// chips have in common.
type Model struct {
	Name         string `yaml:"name"`         // how scenarios call it: "infineon-slb9670"
	Usual        bool   `yaml:"usual"`        // dealt where a fleet names no TPM
	Kind         Kind   `yaml:"kind"`         //
	Family       string `yaml:"family"`       // "2.0", or "1.2": a chip that answers no command of 2.0
	Vendor       string `yaml:"vendor"`       // organisation in its certificates
	VendorID     string `yaml:"vendorID"`     // TPM_PT_MANUFACTURER as text, at most 4 characters
	Manufacturer string `yaml:"manufacturer"` // the same as 8 hex digits (TCG Vendor ID Registry)
	VendorString string `yaml:"vendorString"` // TPM_PT_VENDOR_STRING_1 to _4, at most 16 characters
	Part         string `yaml:"part"`         // model in the EK certificate
	Firmware     string `yaml:"firmware"`     // "major.minor" or "major.minor.a.b", 16 bits each
	Revision     string `yaml:"revision"`     // of the TPM library specification
	EKs          []EK   `yaml:"eks"`          // the first is the one that Windows uses
	Host         string `yaml:"host"`         // where certificates are that NV does not have
	Chain        bool   `yaml:"chain"`        // NV holds the authorities between root and EK certificate too
	Quirks       Quirks `yaml:"quirks"`       //
	Source       string `yaml:"source"`
	Mark         string `yaml:"mark"`

	Issuer    string    `yaml:"issuer"`    // common name of the authority that signs EK certificates
	Root      string    `yaml:"root"`      // common name of the authority at the top
	Certified time.Time `yaml:"certified"` // notBefore of its EK certificates
	Latency   Latency   `yaml:"latency"`

	version [4]uint16 // Firmware
	defects []Defect  // those that its firmware has
}

// Kind is where a TPM lives.
type Kind string

// The kinds.
const (
	Discrete Kind = "discrete"
	Firmware Kind = "firmware"
	Virtual  Kind = "virtual"
)

// EK is an endorsement key of a part, made from the TCG's default template.
type EK struct {
	Algorithm   Algorithm   `yaml:"algorithm"`
	Certificate Certificate `yaml:"certificate"`
}

// Algorithm of an endorsement key.
type Algorithm string

// The algorithms. RSA3072 is our model: the chip refuses its template with
// TPM_RC_VALUE, because the reference code has no such keys.
const (
	RSA2048 Algorithm = "rsa2048"
	RSA3072 Algorithm = "rsa3072"
	ECC256  Algorithm = "ecc256"
)

// Certificate says where an EK's certificate is to be had.
type Certificate string

// The places.
const (
	InNV  Certificate = "nv"
	ByURL Certificate = "url"
	None  Certificate = "none"
)

// Quirks are what is odd about a vendor's EK certificates.
type Quirks struct {
	NoKeyID       bool `yaml:"noKeyID"`       // no authority key identifier
	ExplicitFalse bool `yaml:"explicitFalse"` // extensions say critical FALSE, which DER leaves out
	Padding       int  `yaml:"padding"`       // zero bytes behind the certificate, where NV is larger than it
}

// Defect is a fault of a range of firmware versions: what the chip, or the
// vendor on its behalf, does otherwise. It names no error code: that is what
// comes of it.
type Defect struct {
	Name     string `yaml:"name"`
	VendorID string `yaml:"vendorID"` // whose firmware
	From     string `yaml:"from"`     // first version that has it
	To       string `yaml:"to"`       // last one
	Stuck    string `yaml:"stuck"`    // command that is never answered, by its job's tag; "": none
	Withheld bool   `yaml:"withheld"` // the vendor's host has no certificate for the EK that the firmware shows
	Source   string `yaml:"source"`
	Mark     string `yaml:"mark"`
}

// models is the embedded data, checked once.
var models = sync.OnceValues(func() (map[string]*Model, error) {
	var file struct {
		Latencies map[string]Latency `yaml:"latencies"` // shared by models, through anchors
		Defects   []Defect           `yaml:"defects"`
		Models    []*Model           `yaml:"models"`
	}
	if err := yaml.UnmarshalWithOptions(modelData, &file, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("vtpm: models.yaml: %w", err)
	}
	byName := make(map[string]*Model, len(file.Models))
	for _, m := range file.Models {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("vtpm: models.yaml: %s: %w", m.Name, err)
		}
		if err := m.suffer(file.Defects); err != nil {
			return nil, fmt.Errorf("vtpm: models.yaml: %s: %w", m.Name, err)
		}
		byName[m.Name] = m
	}
	return byName, nil
})

func (m *Model) check() error {
	var err error
	if m.version, err = firmwareVersion(m.Firmware); err != nil {
		return err
	}
	if len(m.EKs) == 0 || m.Source == "" || m.Mark == "" || len(m.VendorString) > 16 || len(m.VendorID) > 4 {
		return fmt.Errorf("it has no EK, source or mark, or its texts are too long")
	}
	for _, ek := range m.EKs {
		if (ek.Certificate == ByURL) != (m.Host != "") && ek.Certificate != None {
			return fmt.Errorf("EK certificate %q with host %q", ek.Certificate, m.Host)
		}
	}
	for c := class(0); c < classes; c++ {
		if d := m.Latency.of(c); d.Value <= 0 || d.Source == "" || d.Mark == "" {
			return fmt.Errorf("latency %v has no value, source or mark", c)
		}
	}
	return nil
}

// suffer notes the defects that the model's firmware has.
func (m *Model) suffer(table []Defect) error {
	for _, d := range table {
		from, err := firmwareVersion(d.From)
		if err != nil {
			return fmt.Errorf("defect %s: %w", d.Name, err)
		}
		to, err := firmwareVersion(d.To)
		if err != nil {
			return fmt.Errorf("defect %s: %w", d.Name, err)
		}
		if d.Source == "" || d.Mark == "" {
			return fmt.Errorf("defect %s has no source or mark", d.Name)
		}
		if d.VendorID == m.VendorID && slices.Compare(m.version[:], from[:]) >= 0 && slices.Compare(m.version[:], to[:]) <= 0 {
			m.defects = append(m.defects, d)
		}
	}
	return nil
}

// firmwareVersion reads "major.minor" or "major.minor.a.b".
func firmwareVersion(s string) (v [4]uint16, err error) {
	parts := strings.Split(s, ".")
	if len(parts) != 2 && len(parts) != 4 {
		return v, fmt.Errorf("firmware %q has not 2 or 4 parts", s)
	}
	for i, p := range parts {
		if _, err := fmt.Sscan(p, &v[i]); err != nil {
			return v, fmt.Errorf("firmware %q: %w", s, err)
		}
	}
	return v, nil
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
func Models() []string { return modelNames(func(*Model) bool { return true }) }

// UsualModels lists the parts that PCs have where nobody says which, sorted.
func UsualModels() []string { return modelNames(func(m *Model) bool { return m.Usual }) }

func modelNames(want func(*Model) bool) []string {
	byName, err := models()
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(byName))
	for name, m := range byName {
		if want(m) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// Defects lists what is wrong with the model's firmware.
func (m *Model) Defects() []Defect { return slices.Clone(m.defects) }

// stuck tells whether a job's main command is never answered.
func (m *Model) stuck(tag string) bool {
	return slices.ContainsFunc(m.defects, func(d Defect) bool { return d.Stuck == tag && tag != "" })
}

// identity names all of a model that ends up in an image of its chips. Latency
// is not in it, nor what is only an answer's (see rewrite), nor defects.
func (m *Model) identity() string {
	return fmt.Sprint(m.Name, m.Family, m.Vendor, m.Manufacturer, m.Part, m.version, m.Revision, m.EKs, m.Host, m.Chain, m.Quirks,
		m.Issuer, m.Root, m.Certified.Unix())
}

// VersionText is how Windows describes the part in the hardware hash:
// "TPM-Version:2.0 -Level:0-Revision:1.38-VendorID:'IFX '-Firmware:7.85".
func (m *Model) VersionText() string {
	return fmt.Sprintf("TPM-Version:%s -Level:0-Revision:%s-VendorID:'%-4s'-Firmware:%d.%d", m.Family, m.Revision, m.VendorID, m.version[0], m.version[1])
}

// firmwareID is the firmware version as the EK certificate carries it: major
// and minor, two bytes each, in hex.
func (m *Model) firmwareID() string { return fmt.Sprintf("%04X%04X", m.version[0], m.version[1]) }

// firmwareWords are TPM_PT_FIRMWARE_VERSION_1 and _2.
func (m *Model) firmwareWords() (v1, v2 uint32) {
	return uint32(m.version[0])<<16 | uint32(m.version[1]), uint32(m.version[2])<<16 | uint32(m.version[3])
}
