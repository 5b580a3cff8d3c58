package device

import (
	"crypto/x509"

	"windtunnel.test/sim/adclient"
)

// ADHost is this PC as the controllers of its domain meet it.
func (w *Windows) ADHost() adclient.Host {
	return adclient.Host{
		Net: w.NIC, Clock: w.Clock, Now: w.Now, Random: w.Random, Timing: w.Timing, Name: w.ComputerName(),
		Roots: func() *x509.CertPool { return w.Options.Roots },
	}
}
