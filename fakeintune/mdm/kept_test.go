package mdm_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
)

// A resealed device that has its certificate is not told to ask for another; one
// that lost it is.
func TestResealedDeviceKeepsItsCertificate(t *testing.T) {
	g, w := NewWithT(t), newWorld(t).withSCEP()
	id := w.certificate("machine", toDevices)
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	enrolments := func() (n int) {
		for uri := range p.nodes {
			if strings.Contains(uri, "FirstSyncStatus") {
				delete(p.nodes, uri)
			}
		}
		p.order = nil
		p.sync(bootstrap, "")
		for _, command := range p.order {
			if strings.HasSuffix(command, "/SCEP/"+id+"/Install/Challenge") {
				n++
			}
		}
		return n
	}
	g.Expect(enrolments()).To(Equal(1))
	thumbprint, _ := csp.Canonical(csp.SCEP{Scope: csp.Device, ID: id}.Node(csp.SCEPThumbprint))
	p.nodes[thumbprint] = "AA"
	g.Expect(enrolments()).To(BeZero())
	g.Expect(csp.SplitList(p.node(csp.Device, csp.ExpectedSCEPCerts))).To(HaveLen(1), "the page counts it all the same")
	delete(p.nodes, thumbprint)
	g.Expect(enrolments()).To(Equal(1))
}
