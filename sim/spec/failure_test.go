package spec

import (
	"testing"

	"github.com/onsi/gomega"
)

func TestReplayCommandIsOneForTheShell(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(quote(`the technician's flow`)).To(gomega.Equal(`'the technician'\''s flow'`))
	g.Expect(folder("/home/me/windtunnel/scenarios/technician/a_test.go")).To(gomega.Equal("./scenarios/technician"))
	g.Expect(folder("windtunnel.test/scenarios/timing/a_test.go")).To(gomega.Equal("./scenarios/timing"))
	g.Expect(folder("/home/me/mine/a_test.go")).To(gomega.Equal("."))
}

func TestStandardTenantIsModelledWhole(t *testing.T) {
	gomega.RegisterTestingT(t)
	s := (&setup{}).load()
	gomega.Expect(s.NotModelled).To(gomega.BeEmpty())
	gomega.Expect(s.Tenant.Apps).To(gomega.HaveLen(2))
}
