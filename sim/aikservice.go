package sim

import (
	"crypto/x509"
	"fmt"
	"strings"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/aik"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// aikSettings turns a scenario's attestation section into what the AIK service
// is made with: the vendors' roots that it trusts, the authorities that it has,
// the firmware that it refuses, and how much it takes.
func aikSettings(a scenario.Attestation) (fakeentra.Options, error) {
	o := fakeentra.Options{VendorCAs: []*x509.Certificate{}, Vulnerable: aik.KnownVulnerable()}
	seen := map[string]bool{}
	for _, name := range vtpm.Models() {
		model, err := vtpm.FindModel(name)
		if err != nil {
			return o, err
		}
		ca, err := vtpm.VendorCA(name)
		if err != nil {
			return o, fmt.Errorf("vendor authority of %s: %w", name, err)
		}
		if !scenario.Covers(a.WithdrawnAuthorities, name, model.VendorID) {
			o.VendorCAs = append(o.VendorCAs, ca.Cert)
		}
		trusted := a.TrustedVendors == nil || scenario.Covers(a.TrustedVendors, name, model.VendorID)
		if root := ca.Root().Cert; trusted && !seen[string(root.Raw)] {
			seen[string(root.Raw)] = true
			o.EKRoots = append(o.EKRoots, root)
		}
	}
	if a.VulnerableFirmware != nil {
		o.Vulnerable = nil
	}
	for _, f := range a.VulnerableFirmware {
		o.Vulnerable = append(o.Vulnerable, aik.Firmware{VendorID: f.Vendor, From: f.From, To: f.To})
	}
	if a.Limit != nil {
		o.AIKLimit = aik.Limit{Requests: a.Limit.Requests, Per: a.Limit.Per}
	}
	return o, nil
}

// tpmVendors are the ids of the vendors that there are parts of, each once.
func tpmVendors() (ids []string) {
	seen := map[string]bool{}
	for _, name := range vtpm.Models() {
		if m, err := vtpm.FindModel(name); err == nil && !seen[m.VendorID] {
			seen[m.VendorID] = true
			ids = append(ids, strings.TrimSpace(m.VendorID))
		}
	}
	return ids
}
