package diag

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/vtpm"
)

// TPM is what Windows knows of its TPM without asking it anew.
type TPM struct {
	Family     string `json:"family"` // "2.0" or "1.2"
	VendorID   string `json:"vendorID"`
	Vendor     string `json:"vendor"`
	Firmware   string `json:"firmware"`
	Revision   string `json:"revision"` // of the library specification
	Certified  bool   `json:"certified"`
	Vulnerable bool   `json:"vulnerable"` // of a firmware that is known to be
}

func tpmOf(pc *device.PC) *TPM {
	if pc.Chip == nil {
		return nil
	}
	m := pc.Chip.Model()
	t := &TPM{Family: m.Family, VendorID: m.VendorID, Vendor: m.Vendor, Firmware: m.Firmware, Revision: m.Revision, Vulnerable: len(m.Defects()) > 0}
	for _, ek := range m.EKs {
		t.Certified = t.Certified || ek.Certificate != vtpm.None && pc.Chip.State() != vtpm.CertificateMissing
	}
	return t
}

// tpmTool is the output of `tpmtool getdeviceinformation`
// (learn.microsoft.com, "tpmtool").
func tpmTool(s Source) string {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "-%s: %v\r\n", name, title(value)) }
	line("TPM Present", s.TPM != nil)
	if s.TPM == nil {
		return b.String()
	}
	_, aik := s.Disk.Certs.Find(device.StoreMySystem, certAIK)
	capable := s.TPM.Family != "1.2" && s.TPM.Certified
	line("TPM Version", s.TPM.Family)
	line("TPM Manufacturer ID", s.TPM.VendorID)
	line("TPM Manufacturer Full Name", s.TPM.Vendor)
	line("TPM Manufacturer Version", s.TPM.Firmware)
	line("Is Initialized", true)
	line("Ready For Storage", len(s.Disk.Keys.Containers()) > 0)
	line("Ready For Attestation", aik)
	line("Is Capable For Attestation", capable)
	line("Clear Needed To Recover", false)
	line("TPM Has Vulnerable Firmware", s.TPM.Vulnerable)
	line("TPM Spec Version", s.TPM.Revision)
	line("Measured Boot Log Present", len(s.BootLog) > 0)
	return b.String()
}

// title writes a bool as the tools do.
func title(v any) any {
	switch v {
	case true:
		return "True"
	case false:
		return "False"
	}
	return v
}

// certAIK is the name of the AIK's certificate in My\System.
const certAIK = "aik"
