package spec

import (
	"testing"

	"github.com/onsi/gomega"
)

func TestReplayCommandIsOneForTheShell(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(quote(`the technician's flow`)).To(gomega.Equal(`'the technician'\''s flow'`))
	g.Expect(suite()).To(gomega.Equal("windtunnel.test/sim/spec"))
}

func TestStandardTenantIsModelledWhole(t *testing.T) {
	gomega.RegisterTestingT(t)
	s := (&setup{}).load()
	gomega.Expect(s.NotModelled).To(gomega.BeEmpty())
	gomega.Expect(s.Tenant.Apps).To(gomega.HaveLen(2))
}
