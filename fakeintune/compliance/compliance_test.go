package compliance_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/compliance"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

type world struct {
	*rig.Rig
	c *compliance.Service
	m tenant.ManagedDevice
}

func newWorld(t testing.TB, policies ...graph.CompliancePolicy) *world {
	t.Helper()
	r := rig.New(t)
	w := &world{Rig: r, c: compliance.New(r.Service)}
	w.Do(func(ctx context.Context) {
		for i := range policies {
			policies[i].ODataType, policies[i].DisplayName = graph.TypeCompliancePolicy, "Policy"
			policies[i].Assignments = []graph.Assignment{{Target: graph.AllDevices()}}
		}
		if err := w.Tenant.Load(ctx, tenant.Resources{CompliancePolicies: policies}); err != nil {
			t.Error(err)
		}
		var err error
		if w.m, err = w.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{AzureADDeviceID: "dev-one", OSVersion: "10.0.26100.4652"}, Kind: tenant.EnrolledWhiteGlove}); err != nil {
			t.Error(err)
		}
	})
	return w
}

// ended tells of a session, and gives the state after all that follows from it.
func (w *world) ended(e mdm.Ended) graph.ComplianceState {
	w.T.Helper()
	e.Tenant, e.DeviceID = w.Tenant, w.m.ID
	w.Do(func(ctx context.Context) { w.c.SessionEnded(ctx, e) })
	w.Pass(time.Hour)
	m, err := w.Tenant.Device(w.m.ID)
	if err != nil {
		w.T.Fatal(err)
	}
	return m.ComplianceState
}

func (w *world) change(f func(m *tenant.ManagedDevice)) {
	w.T.Helper()
	if _, err := w.Tenant.UpdateDevice(w.m.ID, func(m *tenant.ManagedDevice) error {
		f(m)
		return nil
	}); err != nil {
		w.T.Fatal(err)
	}
}

func TestWhenDevicesAreEvaluated(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	g.Expect(w.ended(mdm.Ended{Changed: true, Technician: true})).To(Equal(graph.ComplianceUnknown), "not before a first session is complete")
	g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(graph.ComplianceCompliant))
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", true))

	// The user flow's join resets the directory's copy; the device's own session does not bring it back, the user's does.
	w.Directory.Compliant["dev-one"] = false
	w.ended(mdm.Ended{Complete: true, Changed: true})
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", false))
	w.ended(mdm.Ended{User: "ada", Complete: true})
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", true))
}

func TestVerdict(t *testing.T) {
	for _, tc := range []struct {
		name   string
		policy graph.CompliancePolicy
		change func(*tenant.ManagedDevice)
		want   graph.ComplianceState
	}{
		{name: "no rule", want: graph.ComplianceCompliant},
		{name: "old Windows", policy: graph.CompliancePolicy{OSMinimumVersion: "10.0.26200"}, want: graph.ComplianceNoncompliant},
		{name: "new enough", policy: graph.CompliancePolicy{OSMinimumVersion: "10.0.26100.4652", OSMaximumVersion: "10.0.26100"}, want: graph.ComplianceCompliant},
		{name: "too new", policy: graph.CompliancePolicy{OSMaximumVersion: "10.0.22631"}, want: graph.ComplianceNoncompliant},
		{name: "no attested TPM", policy: graph.CompliancePolicy{TPMRequired: true}, want: graph.ComplianceNoncompliant},
		{name: "attested", policy: graph.CompliancePolicy{TPMRequired: true}, change: func(m *tenant.ManagedDevice) { m.Attested = true }, want: graph.ComplianceCompliant},
		{name: "grace", policy: graph.CompliancePolicy{TPMRequired: true, ScheduledActionsForRule: []graph.ScheduledActionRule{{Actions: []graph.ScheduledAction{{ActionType: "block", GracePeriodHours: 24}}}}}, want: graph.ComplianceInGracePeriod},
		{name: "setting refused", change: func(m *tenant.ManagedDevice) {
			m.SetSetting(tenant.SettingState{URI: "./Device/Vendor/MSFT/X", Status: 404})
		}, want: graph.ComplianceNoncompliant},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t, tc.policy)
			if tc.change != nil {
				w.change(tc.change)
			}
			g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(tc.want))
			g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", tc.want != graph.ComplianceNoncompliant))
		})
	}
}

func TestVerdictOnHealth(t *testing.T) {
	all := graph.CompliancePolicy{RequireHealthyDeviceReport: true, BitLockerEnabled: true, SecureBootEnabled: true, CodeIntegrityEnabled: true, EarlyLaunchAntiMalwareDriverEnabled: true}
	good := graph.DeviceHealthAttestationState{Status: graph.HealthAttested, BitLocker: graph.HealthEnabled, SecureBoot: graph.HealthEnabled,
		CodeIntegrity: graph.HealthEnabled, EarlyLaunch: graph.HealthEnabled}
	for _, tc := range []struct {
		why    string // "": compliant
		policy graph.CompliancePolicy
		change func(h *graph.DeviceHealthAttestationState)
	}{
		{"", all, nil},
		{"requireHealthyDeviceReport", all, func(h *graph.DeviceHealthAttestationState) { h.Status = "0x80070490" }},
		{"bitLockerEnabled", all, func(h *graph.DeviceHealthAttestationState) { h.BitLocker = graph.HealthDisabled }},
		{"secureBootEnabled", all, func(h *graph.DeviceHealthAttestationState) { h.SecureBoot = graph.HealthDisabled }},
		{"codeIntegrityEnabled", all, func(h *graph.DeviceHealthAttestationState) { h.CodeIntegrity = graph.HealthDisabled }},
		{"earlyLaunchAntiMalwareDriverEnabled", all, func(h *graph.DeviceHealthAttestationState) { h.EarlyLaunch = graph.HealthDisabled }},
		{"secureBootEnabled", graph.CompliancePolicy{SecureBootEnabled: true}, func(h *graph.DeviceHealthAttestationState) { h.Status = "never answered" }},
		{"", graph.CompliancePolicy{SecureBootEnabled: true}, func(h *graph.DeviceHealthAttestationState) { h.BitLocker = graph.HealthDisabled }},
	} {
		g, w := NewWithT(t), newWorld(t, tc.policy)
		g.Expect(tc.policy.AsksHealth()).To(BeTrue())
		h := good
		if tc.change != nil {
			tc.change(&h)
		}
		w.m.DeviceHealthAttestationState = &h
		w.Do(func(ctx context.Context) {
			state, why := w.c.Verdict(ctx, w.Tenant, w.m)
			g.Expect(why).To(Equal(tc.why))
			g.Expect(state == graph.ComplianceCompliant).To(Equal(tc.why == ""))
			w.m.DeviceHealthAttestationState = nil
			state, _ = w.c.Verdict(ctx, w.Tenant, w.m)
			g.Expect(state).To(Equal(graph.ComplianceNoncompliant), "nobody has attested it")
		})
	}
}

// A device that says nothing any more does not stay compliant.
func TestValidityPeriod(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	validity := w.Service.Timing.Compliance.Validity
	state := func() graph.ComplianceState {
		m, err := w.Tenant.Device(w.m.ID)
		g.Expect(err).NotTo(HaveOccurred())
		return m.ComplianceState
	}
	contact := func() {
		w.change(func(m *tenant.ManagedDevice) { m.LastSyncDateTime = graph.At(w.Clock.Now()) })
	}
	contact()
	g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(graph.ComplianceCompliant))
	w.Pass(validity - 2*time.Hour)
	g.Expect(state()).To(Equal(graph.ComplianceCompliant))
	contact() // a session without news
	w.ended(mdm.Ended{Technician: true})
	w.Pass(validity - 2*time.Hour)
	g.Expect(state()).To(Equal(graph.ComplianceCompliant), "it counts from the last report")
	w.Pass(2 * time.Hour)
	g.Expect(state()).To(Equal(graph.ComplianceNoncompliant))
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", false))
	contact()
	g.Expect(w.ended(mdm.Ended{Technician: true})).To(Equal(graph.ComplianceCompliant), "it is back")
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", true))
}

// One that goes on to report, but does not answer when its start is to be
// attested, is not compliant with what asks for that.
func TestHealthRunsOut(t *testing.T) {
	g, w := NewWithT(t), newWorld(t, graph.CompliancePolicy{SecureBootEnabled: true})
	validity := w.Service.Timing.Compliance.Validity
	w.change(func(m *tenant.ManagedDevice) {
		m.DeviceHealthAttestationState = &graph.DeviceHealthAttestationState{Status: graph.HealthAttested, SecureBoot: graph.HealthEnabled, LastUpdateDateTime: graph.At(w.Clock.Now())}
	})
	g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(graph.ComplianceCompliant))
	for range 4 {
		w.Pass(validity / 4)
		w.change(func(m *tenant.ManagedDevice) { m.LastSyncDateTime = graph.At(w.Clock.Now()) })
		w.ended(mdm.Ended{Technician: true})
	}
	m, err := w.Tenant.Device(w.m.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.ComplianceState).To(Equal(graph.ComplianceNoncompliant))
	g.Expect(m.Lapsed).To(BeFalse())
}

// The directory hears nothing more of a device that was deleted after its
// evaluation: it would have it managed for ever.
func TestDeletedBeforeTheDirectoryIsTold(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.Clock.Go(t.Context(), "test", func(ctx context.Context) {
		w.c.SessionEnded(ctx, mdm.Ended{Tenant: w.Tenant, DeviceID: w.m.ID, Complete: true, Technician: true})
	})
	for evaluated := false; !evaluated; {
		g.Expect(w.Clock.Run(t.Context(), w.Clock.Now().Add(time.Second))).To(Succeed())
		m, err := w.Tenant.Device(w.m.ID)
		g.Expect(err).NotTo(HaveOccurred())
		evaluated = m.ComplianceState != graph.ComplianceUnknown
	}
	g.Expect(w.Directory.Compliant).To(BeEmpty(), "not told yet")
	w.Do(func(ctx context.Context) { g.Expect(w.Tenant.DeleteDevice(ctx, w.m.ID)).To(Succeed()) })
	w.Pass(time.Hour)
	g.Expect(w.Directory.Managed).To(HaveKeyWithValue("dev-one", false))
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", false))
}

// The grace counts from when a policy was first seen not to be met, is over by
// itself, and the worst of several policies counts.
func TestGrace(t *testing.T) {
	block := func(hours int) []graph.ScheduledActionRule {
		return []graph.ScheduledActionRule{{Actions: []graph.ScheduledAction{{ActionType: "block", GracePeriodHours: hours}}}}
	}
	g, w := NewWithT(t), newWorld(t,
		graph.CompliancePolicy{TPMRequired: true, ScheduledActionsForRule: block(6)},
		graph.CompliancePolicy{OSMinimumVersion: "10.0.26200", ScheduledActionsForRule: block(48)})
	device := func() tenant.ManagedDevice {
		m, err := w.Tenant.Device(w.m.ID)
		g.Expect(err).NotTo(HaveOccurred())
		return m
	}
	contact := func() {
		w.change(func(m *tenant.ManagedDevice) { m.LastSyncDateTime = graph.At(w.Clock.Now()) })
	}
	w.Pass(3 * 24 * time.Hour) // enrolled long ago
	contact()
	g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(graph.ComplianceInGracePeriod))
	left := device().ComplianceGracePeriodExpirationDateTime.Sub(w.Clock.Now())
	g.Expect(left).To(BeNumerically("~", 5*time.Hour, 5*time.Minute))
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", true))
	w.Pass(left - time.Minute)
	g.Expect(device().ComplianceState).To(Equal(graph.ComplianceInGracePeriod))
	w.Pass(10 * time.Minute)
	g.Expect(device().ComplianceState).To(Equal(graph.ComplianceNoncompliant))
	g.Expect(device().ComplianceGracePeriodExpirationDateTime.IsZero()).To(BeTrue())
	g.Expect(w.Directory.Compliant).To(HaveKeyWithValue("dev-one", false))

	w.change(func(m *tenant.ManagedDevice) { m.Attested = true })
	g.Expect(w.ended(mdm.Ended{Complete: true, Changed: true, Technician: true})).To(Equal(graph.ComplianceInGracePeriod), "the other policy's goes on")
	w.Pass(48 * time.Hour)
	g.Expect(device().ComplianceState).To(Equal(graph.ComplianceNoncompliant))
}

// What is meant for users is not asked of a device that has none.
func TestPoliciesForUsers(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.Directory.Users["ada"] = tenant.DirectoryUser{ID: "ada", UPN: "ada", Licensed: true, Enabled: true}
	user := graph.CompliancePolicy{ODataType: graph.TypeCompliancePolicy, DisplayName: "Users", OSMinimumVersion: "10.0.26200",
		Assignments: []graph.Assignment{{Target: graph.AllUsers()}}}
	w.Do(func(ctx context.Context) {
		g.Expect(w.Tenant.Load(ctx, tenant.Resources{CompliancePolicies: []graph.CompliancePolicy{user}})).To(Succeed())
	})
	g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(graph.ComplianceCompliant))
	w.change(func(m *tenant.ManagedDevice) { m.UserID, m.UsersSent = "ada", []string{"ada"} })
	g.Expect(w.ended(mdm.Ended{User: "ada", Complete: true})).To(Equal(graph.ComplianceNoncompliant))
}

// A policy that asks for something else is asked at the device's next session,
// whatever that brings.
func TestPolicyChanges(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(graph.ComplianceCompliant))
	late := graph.CompliancePolicy{ODataType: graph.TypeCompliancePolicy, DisplayName: "Late", TPMRequired: true, Assignments: []graph.Assignment{{Target: graph.AllDevices()}}}
	w.Do(func(ctx context.Context) {
		g.Expect(w.Tenant.Load(ctx, tenant.Resources{CompliancePolicies: []graph.CompliancePolicy{late}})).To(Succeed())
	})
	w.Pass(time.Hour)
	g.Expect(w.ended(mdm.Ended{Complete: true, Technician: true})).To(Equal(graph.ComplianceNoncompliant))
}
