package fakeintune_test

import (
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune"
	"windtunnel.test/fakeintune/storage"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/hosts"
)

func TestNew(t *testing.T) {
	g := NewWithT(t)
	s, err := fakeintune.New(fakeintune.Options{TenantID: "11111111-1111-4111-8111-111111111111", Domain: "contoso.example"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Tenant().Domain).To(Equal("contoso.example"))
	rec := httptest.NewRecorder()
	s.Graph().ServeHTTP(rec, httptest.NewRequest("GET", "/beta/deviceManagement/managedDevices", nil))
	g.Expect(rec.Code).To(Equal(401))
	var names []string
	for _, h := range s.Hosts() {
		g.Expect(h.Handler).NotTo(BeNil())
		names = append(names, h.Name)
	}
	g.Expect(names).To(Equal([]string{hosts.Autopilot, hosts.Enrollment, hosts.OMADM, hosts.IntuneLocation, hosts.SideCar, hosts.ODJConnector, storage.Host, storage.LogHost, "enterpriseenrollment.contoso.example", "ndes.contoso.example"}))

	empty, err := fakeintune.New(fakeintune.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(empty.Tenant()).To(BeNil())
	_, err = empty.Service().Tenant("11111111-1111-4111-8111-111111111111")
	g.Expect(err).To(MatchError(tenant.ErrNotFound))
}
