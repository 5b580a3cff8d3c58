package tenant_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

// later is the world after r's process was killed and another has begun.
func later(r *rig.Rig, d time.Duration, path string) *rig.Rig {
	r.T.Helper()
	next := r.After(d, path)
	next.Service.Resume(context.Background())
	return next
}

// A process is killed at each step of a device's way to its profile; the next
// one goes on where it was.
func TestRestartAtEachStep(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	r := rig.Kept(t, path)
	r.Directory.Delay = 2 * time.Hour
	add(r, r.Tenant.Profiles(), profile("lab", graph.Group("tag-lab")))
	d := row(rig.NewPC(1))
	d.GroupTag = "lab"
	imported := importRows(r, r.Tenant, d)
	g.Expect(r.Tenant.Imports()[0].State.DeviceImportStatus).To(Equal(graph.ImportPending))

	r = later(r, time.Hour, path)
	r.Pass(time.Minute)
	g.Expect(r.Tenant.Imports()[0].State.DeviceImportStatus).To(Equal(graph.ImportComplete))

	r.Do(func(ctx context.Context) { g.Expect(r.Tenant.Sync(ctx)).To(Succeed()) })
	r = later(r, time.Minute, path)
	g.Expect(r.Tenant.Settings().SyncStatus).To(Equal(tenant.SyncInProgress))
	r.Pass(10 * time.Minute)
	g.Expect(r.Tenant.Settings().SyncStatus).To(Equal(tenant.SyncCompleted))
	g.Expect(r.Tenant.Registrations()).To(HaveLen(1))

	// The group's rule is evaluated while nobody is there to see it.
	r = later(r, 3*time.Hour, path)
	got := r.Tenant.Registrations()[0]
	g.Expect(got.Status).To(Equal(graph.AssignmentPending))
	r = later(r, 0, path)
	r.Pass(time.Hour)
	got = r.Tenant.Registrations()[0]
	g.Expect(got.Status).To(Equal(graph.AssignmentInSync))
	p, err := r.Tenant.Profile(got)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.DisplayName).To(Equal("lab"))

	second := importRows(r, r.Tenant, row(rig.NewPC(2)))
	g.Expect(second[0].ID).NotTo(Equal(imported[0].ID))
}

// The service's own sync is planned once; a process that comes after its time
// makes up for it.
func TestPlannedSyncIsMadeUpFor(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	r := rig.Kept(t, path)
	importRows(r, r.Tenant, row(rig.NewPC(1)))
	r.Pass(time.Minute)
	r = later(r, 24*time.Hour, path)
	r.Pass(10 * time.Minute)
	g.Expect(r.Tenant.Registrations()).To(HaveLen(1))
	r = later(r, 0, path)
	before := r.Clock.Stats().Events
	r.Pass(180 * 24 * time.Hour)
	g.Expect(r.Clock.Stats().Events-before).To(BeNumerically("<", 10), "and then it is quiet")
}

func TestRequestIDsAreNotRepeated(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	r := rig.Kept(t, path)
	first := r.Service.RequestID("graph", 1)
	g.Expect(rig.New(t).Service.RequestID("graph", 1)).To(Equal(first))
	r = r.After(0, path)
	g.Expect(r.Service.RequestID("graph", 1)).NotTo(Equal(first))
	g.Expect(r.Service.Born()).To(Equal(rig.New(t).Service.Born()))
}
