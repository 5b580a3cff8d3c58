package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Attestation is how the AIK certificate service judges TPMs, and what MDM
// enrolment makes of a key that cannot be attested.
type Attestation struct {
	TrustedVendors       TPMNames             `yaml:"trustedVendors" doc:"TPM models, or vendors by their id (IFX), whose root the AIK service trusts; missing: all. An EK certificate of another is refused (400)."`
	WithdrawnAuthorities []string             `yaml:"withdrawnAuthorities" doc:"TPM models or vendors for whose CA the AIK service has no authority any more (404)."`
	VulnerableFirmware   FirmwareRanges       `yaml:"vulnerableFirmware" doc:"Firmware whose keys the AIK service refuses; missing: what published advisories name; []: none."`
	Limit                *RateLimit           `yaml:"limit" doc:"How many requests the AIK service takes before it answers 429; missing: any number."`
	EnrollmentFailure    AttestationBehaviour `yaml:"enrollmentFailure" doc:"AttestationFailureBehavior of the MDM certificate policy: what a PC does whose MDM key cannot be attested; missing: IgnoreOnError. The technician flow needs the attestation in any case."`
}

// TPMNames are models and vendors. Nil is not the same as none.
type TPMNames []string

// FirmwareRanges are ranges of firmware. Nil is not the same as none.
type FirmwareRanges []Firmware

// Firmware is a range of versions of one vendor, both ends included.
type Firmware struct {
	Vendor string          `yaml:"vendor" need:"yes" doc:"Vendor id of the TCG's registry, such as IFX."`
	From   FirmwareVersion `yaml:"from" need:"yes" doc:"First version of the range."`
	To     FirmwareVersion `yaml:"to" need:"yes" doc:"Last version of the range."`
}

// FirmwareVersion is major and minor. Written "5.61".
type FirmwareVersion [2]uint32

// RateLimit is how much a service takes.
type RateLimit struct {
	Requests int           `yaml:"requests" need:"yes" min:"1" max:"1000000" doc:"So many, in each cell."`
	Per      time.Duration `yaml:"per" default:"1m" min:"1s" max:"24h" doc:"In so long a time."`
}

// AttestationBehaviour is AttestationFailureBehavior of [MS-MDE2] 3.3.
type AttestationBehaviour string

func (AttestationBehaviour) choices() []string {
	return []string{"IgnoreOnError", "FailOnError", "RetryOnError"}
}

// MarshalText writes "5.61".
func (v FirmwareVersion) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d.%d", v[0], v[1]), nil
}

// UnmarshalText reads a version.
func (v *FirmwareVersion) UnmarshalText(text []byte) error {
	major, minor, ok := strings.Cut(string(text), ".")
	for i, digits := range []string{major, minor} {
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || !ok {
			return fmt.Errorf("%q is no firmware version; write major and minor, such as \"5.61\"", text)
		}
		v[i] = uint32(n)
	}
	return nil
}

func (v FirmwareVersion) after(w FirmwareVersion) bool {
	return v[0] > w[0] || v[0] == w[0] && v[1] > w[1]
}

// decodeNode reads a list that may be empty.
func (t *TPMNames) decodeNode(d *decoder, n *node, path string) {
	*t = TPMNames{}
	d.list(n, reflect.ValueOf((*[]string)(t)).Elem(), path)
}

// decodeNode reads a list that may be empty.
func (f *FirmwareRanges) decodeNode(d *decoder, n *node, path string) {
	*f = FirmwareRanges{}
	d.list(n, reflect.ValueOf((*[]Firmware)(f)).Elem(), path)
}

// Covers tells whether one of the names means a TPM of that model and vendor.
func Covers(names []string, model, vendor string) bool {
	for _, name := range names {
		if name == model || strings.EqualFold(name, strings.TrimSpace(vendor)) {
			return true
		}
	}
	return false
}

func (c *checker) attestation() {
	a := &c.s.Attestation
	for i, name := range a.TrustedVendors {
		c.tpmName(fmt.Sprintf("attestation.trustedVendors[%d]", i), name)
	}
	for i, name := range a.WithdrawnAuthorities {
		c.tpmName(fmt.Sprintf("attestation.withdrawnAuthorities[%d]", i), name)
	}
	for i, f := range a.VulnerableFirmware {
		if path := fmt.Sprintf("attestation.vulnerableFirmware[%d]", i); f.From.after(f.To) {
			c.wrong(path, "begins after its end")
		} else if n := len(f.Vendor); (n == 0 || n > 4) && c.places[path+".vendor"] != (place{}) {
			c.wrong(path+".vendor", "%q is no vendor id; write up to four letters, such as IFX", f.Vendor)
		}
	}
}

// tpmName checks the name of a model or a vendor.
func (c *checker) tpmName(path, name string) {
	known := slices.Concat(c.options.TPMModels, c.options.TPMVendors)
	if c.options.TPMModels != nil && !slices.ContainsFunc(known, func(k string) bool { return Covers([]string{name}, k, k) }) {
		c.wrong(path, "there is no TPM model or vendor %q%s", name, choose(name, known))
	}
}
