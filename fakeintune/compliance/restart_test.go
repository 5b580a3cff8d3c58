package compliance_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/compliance"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

// An evaluation that was planned when the process ended is made by the next
// one; so is the message to the directory.
func TestRestart(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	r := rig.Kept(t, path)
	c := compliance.New(r.Service)
	var id string
	until := func(d time.Duration, f func(ctx context.Context)) {
		r.Clock.Go(t.Context(), "test", f)
		g.Expect(r.Clock.Run(t.Context(), r.Clock.Now().Add(d))).To(Succeed())
	}
	until(time.Millisecond, func(ctx context.Context) {
		m, err := r.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{AzureADDeviceID: "dev-one"}, Kind: tenant.EnrolledWhiteGlove})
		g.Expect(err).NotTo(HaveOccurred())
		id = m.ID
		c.SessionEnded(ctx, mdm.Ended{Tenant: r.Tenant, DeviceID: id, Complete: true, Technician: true})
	})
	state := func() graph.ComplianceState {
		m, err := r.Tenant.Device(id)
		g.Expect(err).NotTo(HaveOccurred())
		return m.ComplianceState
	}
	again := func() {
		r = r.After(time.Hour, path)
		c = compliance.New(r.Service)
		c.Resume(t.Context())
	}
	g.Expect(state()).To(Equal(graph.ComplianceUnknown))
	again()
	for step := 0; state() == graph.ComplianceUnknown; step++ {
		g.Expect(step).To(BeNumerically("<", 3600))
		until(time.Second, func(context.Context) {})
	}
	g.Expect(r.Directory.Compliant).NotTo(HaveKey("dev-one"), "not told yet")
	again()
	r.Pass(time.Hour)
	g.Expect(r.Directory.Compliant).To(HaveKeyWithValue("dev-one", true))

	// Nothing is left to do.
	r.Directory.Compliant = map[string]bool{}
	again()
	r.Pass(time.Hour)
	g.Expect(r.Directory.Compliant).To(BeEmpty())
}
