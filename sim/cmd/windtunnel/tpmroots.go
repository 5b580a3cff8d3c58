package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"windtunnel.test/sim/vtpm"
)

var tpmRootsVerb = &verb{
	name: "tpm roots", short: "print the vendors' certificates that EK certificates chain to, as PEM",
	long: `
For whoever verifies an EK certificate: the roots, or with --issuers the
authorities between them and the EK certificates, which a chip does not carry.

  windtunnel tpm roots >roots.pem
  windtunnel tpm roots --issuers >issuers.pem
  openssl verify -CAfile roots.pem -untrusted issuers.pem ek.pem`,
}

func init() { tpmRootsVerb.run = runTPMRoots }

func runTPMRoots(sh *shell) (int, error) {
	var model string
	var issuers bool
	fs := sh.flags()
	fs.StringVar(&model, "model", "", "`M`: of this model's vendor only")
	fs.BoolVar(&issuers, "issuers", false, "the authorities below the roots")
	if _, err := sh.parse(fs, 0); err != nil {
		return helped(err)
	}
	models := vtpm.Models()
	if model != "" {
		if err := knownModel(model); err != nil {
			return 0, err
		}
		models = []string{model}
	}
	type entry struct {
		Subject     string `json:"subject"`
		Certificate string `json:"certificate"`
	}
	list := []entry{}
	seen := map[string]bool{}
	for _, name := range models {
		ca, err := vtpm.VendorCA(name)
		if err != nil {
			return 0, err
		}
		for ; ca != nil; ca = ca.Parent {
			if between := ca.Parent != nil; between == issuers && !seen[string(ca.Cert.Raw)] {
				seen[string(ca.Cert.Raw)] = true
				list = append(list, entry{ca.Cert.Subject.String(), certificatePEM(ca.Cert)})
			}
		}
	}
	if sh.json {
		return exitMet, sh.printJSON(map[string]any{"certificates": list})
	}
	for _, e := range list {
		if _, err := fmt.Fprintf(sh.out, "# %s\n%s", e.Subject, e.Certificate); err != nil {
			return 0, err
		}
	}
	return exitMet, nil
}

func certificatePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}
