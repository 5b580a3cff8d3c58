package tenant_test

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

func row(pc rig.PC) graph.ImportedDevice {
	return graph.ImportedDevice{SerialNumber: pc.Hardware.SMBIOS.Serial, HardwareIdentifier: pc.Hash()}
}

func do[T any](r *rig.Rig, f func(ctx context.Context) (T, error)) T {
	r.T.Helper()
	var out T
	r.Do(func(ctx context.Context) {
		var err error
		if out, err = f(ctx); err != nil {
			r.T.Error(err)
		}
	})
	return out
}

func importRows(r *rig.Rig, t *tenant.Tenant, rows ...graph.ImportedDevice) []graph.ImportedDevice {
	return do(r, func(ctx context.Context) ([]graph.ImportedDevice, error) { return t.Import(ctx, rows) })
}

func sync(r *rig.Rig, t *tenant.Tenant) {
	r.T.Helper()
	do(r, func(ctx context.Context) (any, error) { return nil, t.Sync(ctx) })
	r.Pass(10 * time.Minute)
}

// register brings PCs to visible identities.
func register(r *rig.Rig, pcs ...graph.ImportedDevice) []tenant.Registration {
	importRows(r, r.Tenant, pcs...)
	r.Pass(time.Minute)
	sync(r, r.Tenant)
	return r.Tenant.Registrations()
}

func add[T any](r *rig.Rig, c tenant.Collection[T], v T) T {
	return do(r, func(ctx context.Context) (T, error) { return c.Add(ctx, v) })
}

func assigned(targets ...graph.AssignmentTarget) []graph.Assignment {
	var out []graph.Assignment
	for _, t := range targets {
		out = append(out, graph.NewAssignment("", t))
	}
	return out
}

func profile(name string, targets ...graph.AssignmentTarget) graph.DeploymentProfile {
	return graph.DeploymentProfile{ODataType: graph.TypeEntraProfile, DisplayName: name, Assignments: assigned(targets...)}
}

func TestImportErrors(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	importRows(r, r.Other, row(rig.NewPC(9)))
	r.Pass(time.Minute)
	malformed := row(rig.NewPC(3))
	malformed.HardwareIdentifier = append([]byte{}, malformed.HardwareIdentifier...)
	malformed.HardwareIdentifier[5] ^= 0xff
	nameless := row(rig.NewPC(4))
	nameless.SerialNumber = ""
	rows := importRows(r, r.Tenant, row(rig.NewPC(1)), row(rig.NewPC(9)), malformed, nameless,
		graph.ImportedDevice{SerialNumber: "X"}, graph.ImportedDevice{})
	g.Expect(rows[0].State.DeviceImportStatus).To(Equal(graph.ImportUnknown))
	g.Expect(r.Tenant.Imports()[0].State.DeviceImportStatus).To(Equal(graph.ImportPending))
	r.Pass(time.Minute)
	importRows(r, r.Tenant, row(rig.NewPC(1)))
	r.Pass(time.Minute)

	var codes []int
	for _, d := range r.Tenant.Imports() {
		codes = append(codes, d.State.DeviceErrorCode)
	}
	g.Expect(codes).To(Equal([]int{0, 808, 802, 803, 802, 803, 806}))
	first, err := r.Tenant.ImportRow(rows[0].ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first.State.DeviceImportStatus).To(Equal(graph.ImportComplete))
	g.Expect(first.State.DeviceRegistrationID).NotTo(BeEmpty())
	g.Expect(r.Tenant.Registrations()).To(BeEmpty(), "no sync so far")
	g.Expect(r.Tenant.DeleteImport(rows[0].ID)).To(Succeed())
	g.Expect(r.Tenant.DeleteImport(rows[0].ID)).To(MatchError(tenant.ErrNotFound))
	g.Expect(r.Refusals()).To(ContainElements("ZtdDeviceAssignedToOtherTenant 808", "ZtdDeviceAlreadyAssigned 806"))
}

func TestImportLimit(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	r.Do(func(ctx context.Context) {
		_, err := r.Tenant.Import(ctx, make([]graph.ImportedDevice, 501))
		g.Expect(err).To(MatchError(tenant.ErrInvalid))
	})
	g.Expect(r.Tenant.Imports()).To(BeEmpty())
}

func TestSyncRules(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	importRows(r, r.Tenant, row(rig.NewPC(1)))
	r.Pass(11 * time.Hour)
	g.Expect(r.Tenant.Registrations()).To(BeEmpty())
	r.Pass(2 * time.Hour)
	g.Expect(r.Tenant.Registrations()).To(HaveLen(1), "the service's own sync")
	g.Expect(r.Tenant.Settings().SyncStatus).To(Equal(tenant.SyncCompleted))

	r.Do(func(ctx context.Context) {
		g.Expect(r.Tenant.Sync(ctx)).To(Succeed())
		g.Expect(r.Tenant.Settings().SyncStatus).To(Equal(tenant.SyncInProgress))
		g.Expect(r.Tenant.Sync(ctx)).To(MatchError(tenant.ErrSyncRunning))
	})
	r.Pass(6 * time.Minute)
	r.Do(func(ctx context.Context) {
		var throttled *tenant.ThrottledError
		g.Expect(r.Tenant.Sync(ctx)).To(BeAssignableToTypeOf(throttled))
	})
	r.Pass(5 * time.Minute)
	r.Do(func(ctx context.Context) { g.Expect(r.Tenant.Sync(ctx)).To(Succeed()) })
}

func TestSyncOutlivesTheDirectory(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	r.Directory.Down = true
	g.Expect(register(r, row(rig.NewPC(1)))).To(BeEmpty())
	g.Expect(r.Tenant.Settings().SyncStatus).To(Equal(tenant.SyncFailed))
	r.Directory.Down = false
	r.Pass(13 * time.Hour)
	g.Expect(r.Tenant.Registrations()).To(HaveLen(1))
}

func TestIdleTenantHasNoTimers(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	register(r, row(rig.NewPC(1)))
	r.Pass(24 * time.Hour)
	before := r.Clock.Stats().Events
	r.Pass(180 * 24 * time.Hour)
	g.Expect(r.Clock.Stats().Events - before).To(BeNumerically("<", 5))
}

func TestProfileChoice(t *testing.T) {
	r := rig.New(t)
	older := profile("older", graph.Group("tag-lab"))
	older.CreatedDateTime = graph.At(r.Clock.Now().AddDate(-1, 0, 0))
	all := profile("default", graph.AllDevices(), graph.Exclude("tag-kiosk"))
	all.CreatedDateTime = graph.At(r.Clock.Now().AddDate(-2, 0, 0))
	add(r, r.Tenant.Profiles(), profile("younger", graph.Group("tag-lab"), graph.Group("tag-shop")))
	add(r, r.Tenant.Profiles(), older)
	add(r, r.Tenant.Profiles(), all)
	want := map[string]string{"lab": "older", "shop": "younger", "": "default", "kiosk": ""}
	n := byte(0)
	var rows []graph.ImportedDevice
	for _, tag := range []string{"lab", "shop", "", "kiosk"} {
		n++
		d := row(rig.NewPC(n))
		d.GroupTag = tag
		rows = append(rows, d)
	}
	register(r, rows...)
	r.Pass(time.Hour)
	for _, d := range r.Tenant.Registrations() {
		g := NewWithT(t)
		p, _ := r.Tenant.Profile(d)
		g.Expect(p.DisplayName).To(Equal(want[d.GroupTag]), d.GroupTag)
		g.Expect(d.Explicit).To(Equal(d.GroupTag == "lab" || d.GroupTag == "shop"))
		status := graph.AssignmentInSync
		if d.GroupTag == "kiosk" {
			status = graph.AssignmentNone
		}
		g.Expect(d.Status).To(Equal(status))
		g.Expect(d.AssignedAt.IsZero()).To(Equal(status == graph.AssignmentNone))
	}
}

func TestAssignmentTakesTime(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	id := register(r, row(rig.NewPC(1)))[0].ID
	add(r, r.Tenant.Profiles(), profile("late", graph.AllDevices()))
	d, _ := r.Tenant.Registration(id)
	g.Expect(d.Status).To(Equal(graph.AssignmentPending))
	intended, err := r.Tenant.IntendedProfile(d)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(intended.DisplayName).To(Equal("late"))
	_, err = r.Tenant.Profile(d)
	g.Expect(err).To(MatchError(tenant.ErrNoProfile))
	r.Pass(time.Hour)
	d, _ = r.Tenant.Registration(id)
	g.Expect(d.Status).To(Equal(graph.AssignmentInSync))
}

func TestDynamicGroup(t *testing.T) {
	for name, quiet := range map[string]bool{"directory says when": false, "directory calls": true} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := rig.New(t)
			r.Directory.Delay, r.Directory.Quiet = 2*time.Hour, quiet
			add(r, r.Tenant.Profiles(), profile("lab", graph.Group("TAG-lab")))
			d := row(rig.NewPC(1))
			d.GroupTag = "lab"
			id := register(r, d)[0].ID
			r.Pass(time.Hour)
			got, _ := r.Tenant.Registration(id)
			g.Expect(got.Status).To(Equal(graph.AssignmentNone))
			r.Pass(2 * time.Hour)
			if quiet {
				r.Do(func(ctx context.Context) { r.Tenant.GroupsChanged(ctx, got.EntraDeviceID, "unknown") })
				r.Pass(time.Hour)
			}
			got, _ = r.Tenant.Registration(id)
			g.Expect(got.Status).To(Equal(graph.AssignmentInSync))

			// Another tag, other groups.
			tag := "shop"
			r.Do(func(ctx context.Context) {
				g.Expect(r.Tenant.UpdateProperties(ctx, id, graph.UpdateDeviceProperties{GroupTag: &tag})).To(Succeed())
			})
			r.Pass(time.Hour)
			got, _ = r.Tenant.Registration(id)
			g.Expect(got.Status).To(Equal(graph.AssignmentNone))
		})
	}
}

func TestDeletedProfile(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	p := add(r, r.Tenant.Profiles(), profile("first", graph.AllDevices()))
	id := register(r, row(rig.NewPC(1)))[0].ID
	r.Pass(time.Hour)
	r.Do(func(ctx context.Context) { g.Expect(r.Tenant.Profiles().Delete(ctx, p.ID)).To(Succeed()) })
	r.Pass(time.Hour)
	d, _ := r.Tenant.Registration(id)
	_, err := r.Tenant.Profile(d)
	g.Expect(err).To(MatchError(tenant.ErrProfileGone))
	add(r, r.Tenant.Profiles(), profile("second", graph.AllDevices()))
	r.Pass(time.Hour)
	d, _ = r.Tenant.Registration(id)
	got, err := r.Tenant.Profile(d)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.DisplayName).To(Equal("second"))
}

func TestDeleteOrder(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	d := register(r, row(rig.NewPC(1)))[0]
	r.Do(func(ctx context.Context) {
		m, err := r.Tenant.Enroll(ctx, tenant.ManagedDevice{RegistrationID: d.ID, Kind: tenant.EnrolledByUser,
			ManagedDevice: graph.ManagedDevice{SerialNumber: d.Serial, AzureADDeviceID: d.EntraDeviceID}})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(r.Tenant.Unregister(ctx, d.ID)).To(MatchError(tenant.ErrEnrolled))
		g.Expect(r.Tenant.DeleteDevice(ctx, m.ID)).To(Succeed())
		g.Expect(r.Directory.Managed).To(HaveKeyWithValue(d.EntraDeviceID, false))
		g.Expect(r.Tenant.Unregister(ctx, d.ID)).To(Succeed())
	})
	g.Expect(r.Tenant.Registrations()).To(HaveLen(1), "deletion waits for a sync")
	r.Pass(13 * time.Hour)
	g.Expect(r.Tenant.Registrations()).To(BeEmpty())
	g.Expect(r.Directory.Deleted).To(Equal([]string{d.EntraDeviceID}))
	// What is gone can be registered again, and not only here.
	importRows(r, r.Other, row(rig.NewPC(1)))
	r.Pass(time.Minute)
	g.Expect(r.Other.Imports()[0].State.DeviceImportStatus).To(Equal(graph.ImportComplete))
}

// Between the word and the deed there is a sync's time: what was enrolled in it
// is not left without its identity.
func TestEnrolledBeforeTheDeletion(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	d := register(r, row(rig.NewPC(1)))[0]
	r.Do(func(ctx context.Context) {
		g.Expect(r.Tenant.Unregister(ctx, d.ID)).To(Succeed())
		_, err := r.Tenant.Enroll(ctx, tenant.ManagedDevice{RegistrationID: d.ID, Kind: tenant.EnrolledByUser})
		g.Expect(err).NotTo(HaveOccurred())
	})
	r.Pass(13 * time.Hour)
	kept := r.Tenant.Registrations()
	g.Expect(kept).To(HaveLen(1))
	g.Expect(kept[0].Deleting).To(BeFalse())
	g.Expect(r.Directory.Deleted).To(BeEmpty())
	g.Expect(r.Refusals()).To(HaveLen(1))
}

func TestOneTimeLimit(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	d := register(r, row(rig.NewPC(1)))[0]
	enroll := func(ctx context.Context, kind tenant.EnrollmentKind) (tenant.ManagedDevice, error) {
		return r.Tenant.Enroll(ctx, tenant.ManagedDevice{RegistrationID: strings.ToUpper(d.ID), Kind: kind, Thumbprint: "ab12"})
	}
	r.Do(func(ctx context.Context) {
		_, err := enroll(ctx, tenant.EnrolledWhiteGlove)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = enroll(ctx, tenant.EnrolledWhiteGlove)
		g.Expect(err).To(MatchError(tenant.ErrOneTimeLimit))
		g.Expect(r.Tenant.AllowNextEnrollment(d.ID)).To(Succeed())
		m, err := enroll(ctx, tenant.EnrolledWhiteGlove)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(r.Tenant.Devices()).To(HaveLen(1), "it took the older one's place")
		owner, found, err := r.Service.DeviceByThumbprint("AB12")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(owner.ID).To(Equal(rig.TenantID))
		g.Expect(found.ID).To(Equal(m.ID))
		g.Expect(r.Tenant.DeleteDevice(ctx, m.ID)).To(Succeed())
		_, err = enroll(ctx, tenant.EnrolledSelfDeploying)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = enroll(ctx, tenant.EnrolledByUser)
		g.Expect(err).NotTo(HaveOccurred())
	})
}

func TestEnrolledDeviceIsNotRegistered(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	add(r, r.Tenant.Profiles(), profile("all", graph.AllDevices()))
	r.Do(func(ctx context.Context) {
		_, err := r.Tenant.Enroll(ctx, tenant.ManagedDevice{Kind: tenant.EnrolledByUser, ManagedDevice: graph.ManagedDevice{SerialNumber: "S"}})
		g.Expect(err).NotTo(HaveOccurred())
	})
	r.Pass(72 * time.Hour)
	g.Expect(r.Tenant.Registrations()).To(BeEmpty())
}

func TestUser(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	r.Directory.Users["ada@contoso.example"] = tenant.DirectoryUser{ID: "u1", UPN: "ada@contoso.example", DisplayName: "Ada", Licensed: true}
	r.Directory.Users["bob@contoso.example"] = tenant.DirectoryUser{ID: "u2", UPN: "bob@contoso.example"}
	id := register(r, row(rig.NewPC(1)))[0].ID
	r.Do(func(ctx context.Context) {
		g.Expect(r.Tenant.AssignUser(ctx, id, "Ada@contoso.example", "")).To(Succeed())
		g.Expect(r.Tenant.AssignUser(ctx, id, "bob@contoso.example", "")).To(MatchError(ContainSubstring("no licence")))
		g.Expect(r.Tenant.AssignUser(ctx, id, "eve@contoso.example", "")).To(MatchError(tenant.ErrInvalid))
		g.Expect(r.Tenant.AssignUser(ctx, "none", "ada@contoso.example", "")).To(MatchError(tenant.ErrNotFound))
	})
	d, _ := r.Tenant.Registration(id)
	g.Expect(d.Graph().UserPrincipalName + " " + d.AddressableUserName).To(Equal("ada@contoso.example Ada"))
	g.Expect(r.Tenant.UnassignUser(id)).To(Succeed())
	d, _ = r.Tenant.Registration(id)
	g.Expect(d.UserPrincipalName).To(BeEmpty())
}

func TestHardwareKeepsTheHash(t *testing.T) {
	g := NewWithT(t)
	hash := rig.NewPC(5).Hash()
	h, err := tenant.ReadHardware(hash)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(bytes.Equal(h.Hash(), hash)).To(BeTrue())
	g.Expect(len(h.Packed)).To(BeNumerically("<", 1500))
}

// A registered device costs little: 15 KB are allowed, indexes included.
func TestMemoryPerDevice(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	const devices = 200
	var rows []graph.ImportedDevice
	for n := range devices {
		rows = append(rows, row(rig.NewPC(byte(n))))
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	register(r, rows...)
	after := heap()
	runtime.KeepAlive(rows)
	runtime.KeepAlive(r)
	each := int64(after-before) / devices
	t.Logf("%d bytes a registered device, import record and journal included", each)
	g.Expect(each).To(BeNumerically("<", 15_000))
}

func TestDumpAndRestore(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	add(r, r.Tenant.Profiles(), profile("all", graph.AllDevices()))
	add(r, r.Tenant.Apps(), graph.MobileApp{ODataType: graph.TypeWin32LobApp, DisplayName: "app"})
	register(r, row(rig.NewPC(1)))
	var text, again bytes.Buffer
	g.Expect(r.Service.DB.Dump(&text)).To(Succeed())
	second := rig.New(t)
	g.Expect(second.Service.DB.Restore(bytes.NewReader(text.Bytes()))).To(Succeed())
	g.Expect(second.Service.DB.Dump(&again)).To(Succeed())
	g.Expect(again.String()).To(Equal(text.String()))
	g.Expect(second.Tenant.Registrations()).To(HaveLen(1))
}
