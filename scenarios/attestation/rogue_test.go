package attestation_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vtpm"
)

// refused is what an event of kind "refused" says.
type refused struct{ service, operation, check, code string }

// expectRefused expects that so much and nothing else was refused to a PC.
func expectRefused(w *spec.World, pc *device.PC, want ...refused) {
	GinkgoHelper()
	var got []refused
	for _, e := range w.Events(pc, journal.Refused) {
		got = append(got, refused{e.Text("service"), e.Text("operation"), e.Text("check"), e.Text("code")})
	}
	Expect(got).To(Equal(want))
}

// state is what the services know, as text: the directory's devices, the
// registrations, the managed devices, and the AIK certificates that were issued
// for these chips.
func state(w *spec.World, chips ...*vtpm.Chip) string {
	GinkgoHelper()
	all := map[string]any{
		"entra":         w.Entra.Directory.Devices(w.Tenant.ID),
		"registrations": w.Intune.Tenant().Registrations(),
		"managed":       w.Intune.Tenant().Devices(),
	}
	for _, c := range chips {
		all["AIKs of "+c.ID().String()] = w.Entra.AIK.Records(ekHash(c))
	}
	b, err := json.MarshalIndent(all, "", " ")
	Expect(err).NotTo(HaveOccurred())
	return string(b)
}

// tenantOf is the customer, as a profile names it.
func tenantOf(w *spec.World) join.Tenant {
	return join.Tenant{ID: w.Tenant.ID, Domain: w.Tenant.Domain}
}

// kept reads a certificate of a PC's store.
func kept(pc *device.PC, name string) device.Certificate {
	GinkgoHelper()
	c, ok := pc.Disk.Certs.Find(device.StoreMySystem, name)
	Expect(ok).To(BeTrue(), "%s has no certificate %q", pc.Name, name)
	return c
}

func parse(der []byte) *x509.Certificate {
	GinkgoHelper()
	c, err := x509.ParseCertificate(der)
	Expect(err).NotTo(HaveOccurred())
	return c
}

// send makes one exchange and gives the answer, whatever its status.
func send(win *device.Windows, method, url string, header http.Header, body []byte) *device.Response {
	GinkgoHelper()
	resp, err := win.Do(device.Request{Op: "attack", Method: method, URL: url, Header: header, Body: body})
	Expect(err).NotTo(HaveOccurred())
	return resp
}
