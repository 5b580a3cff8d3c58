package sim

import (
	"fmt"

	"windtunnel.test/sim/internet"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/ekcert"
	"windtunnel.test/sim/wire/hosts"
)

// connectVendors puts TPM vendors on the network: the hosts that have the EK
// certificates of firmware TPMs, and those that EK certificates name as the
// place of their issuer.
func (w *World) connectVendors() error {
	w.ekHosts = map[string]*internet.EKHost{}
	for _, name := range []string{hosts.EKIntel, hosts.EKAMD, hosts.EKQualcomm} {
		w.ekHosts[name] = &internet.EKHost{Name: name}
	}
	w.ServeVendors()
	issuers := map[string]*internet.Content{}
	for _, name := range vtpm.Models() {
		m, err := vtpm.FindModel(name)
		if err != nil {
			return err
		}
		ca, err := vtpm.VendorCA(name)
		if err != nil {
			return fmt.Errorf("vendor authority of %s: %w", name, err)
		}
		host := m.IssuerHost()
		if issuers[host] == nil {
			issuers[host] = &internet.Content{}
			w.Network.Serve(host, issuers[host])
		}
		issuers[host].Publish(m.IssuerPath(), ca.Cert.Raw, 0)
	}
	return nil
}

// ServeVendors has the hosts with TPMs' EK certificates served by this world,
// also where their names were forwarded: nobody else knows its PCs' TPMs.
func (w *World) ServeVendors() {
	for name, host := range w.ekHosts {
		w.Network.Serve(name, host, vnet.Operation(internet.OperationEK))
	}
}

// deal takes the chip of a story from the lab, and has its vendor publish what
// the chip itself does not carry.
func (w *World) deal(s Story) (*vtpm.Chip, error) {
	chip, err := w.Lab.Deal(w.Clock, s.Chip, w.Seed, vtpm.InState(s.TPMState, w.options.Pace.TPM))
	if err != nil {
		return nil, err
	}
	for _, p := range chip.Published() {
		host := w.ekHosts[p.Host]
		if host == nil {
			return nil, fmt.Errorf("no host %s for the EK certificate of %s", p.Host, s.Chip)
		}
		path, err := ekcert.Path(p.Host, p.Key)
		if err != nil {
			return nil, err
		}
		host.Publish(path, p.DER)
	}
	return chip, nil
}
