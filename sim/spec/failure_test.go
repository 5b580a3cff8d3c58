package spec

import (
	"testing"

	"github.com/onsi/gomega"
)

func TestReplayCommandNamesThePackage(t *testing.T) {
	gomega.NewWithT(t).Expect(suite()).To(gomega.Equal("windtunnel.test/sim/spec"))
}

func TestStandardTenantIsModelledWhole(t *testing.T) {
	gomega.RegisterTestingT(t)
	s := (&setup{}).load()
	gomega.Expect(s.NotModelled).To(gomega.BeEmpty())
	gomega.Expect(s.Tenant.Apps).To(gomega.HaveLen(2))
}
