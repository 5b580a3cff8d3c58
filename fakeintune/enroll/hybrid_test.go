package enroll_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/graph"
)

// hybridWorld is a world whose PC joins a domain.
func hybridWorld(t *testing.T) *world {
	w := newWorld(t)
	w.Do(func(ctx context.Context) {
		all := w.Tenant.Profiles().List()
		if err := w.Tenant.Profiles().Delete(ctx, all[0].ID); err != nil {
			t.Error(err)
		}
		if _, err := w.Tenant.Profiles().Add(ctx, graph.DeploymentProfile{ODataType: graph.TypeHybridProfile, DisplayName: "Hybrid", PreprovisioningAllowed: true,
			Assignments: []graph.Assignment{{Target: graph.AllDevices()}}}); err != nil {
			t.Error(err)
		}
	})
	w.Pass(time.Hour)
	w.registration = w.Tenant.Registrations()[0]
	return w
}

// A hybrid device enrols with its device token, and its Entra key is not
// attested: it has none yet.
func TestTechnicianFlowHybrid(t *testing.T) {
	g, w := NewWithT(t), hybridWorld(t)
	m := w.technician()
	m.Context.WhiteGlove, m.Context.WhiteGloveHybridJoin = false, true
	p, fault := w.Enrol(w.h, w.deviceToken(), m)
	g.Expect(fault).To(BeNil())
	d, err := w.Tenant.Device(p.DM.EntDMID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Hybrid).To(BeTrue())
	g.Expect([]any{d.Kind, d.JoinType, d.AzureADDeviceID, d.RegistrationID}).To(Equal([]any{tenant.EnrolledWhiteGlove, "unknown", w.registration.EntraDeviceID, w.registration.ID}))
	g.Expect(d.Attestation.MDMKey).To(BeTrue())
	g.Expect([]any{d.Attested, d.Attestation.EntraKey, d.Attestation.Check}).To(Equal([]any{false, false, "Entra key"}))
	g.Expect(d.DeviceHealthAttestationState).To(BeNil())
	_, fault = w.Enrol(w.h, w.deviceToken(), m)
	g.Expect(fault.Code()).To(Equal(hresult.EnrollDeviceNotSupported), "the one-time limit is the same")
}

// A user enrols a hybrid device, which has not joined Entra ID and so brings no
// token of its own.
func TestUserEnrolsHybridDevice(t *testing.T) {
	g, w := NewWithT(t), hybridWorld(t)
	p, fault := w.Enrol(w.h, w.UserToken(rig.TenantID, ada, ""), w.user())
	g.Expect(fault).To(BeNil())
	d, err := w.Tenant.Device(p.DM.EntDMID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{d.Kind, d.Hybrid, d.JoinType, d.RegistrationID, d.AzureADDeviceID, d.UserPrincipalName, d.ManagedDeviceOwnerType}).
		To(Equal([]any{tenant.EnrolledByUser, true, "unknown", w.registration.ID, w.registration.EntraDeviceID, ada, "company"}))

	// Somebody else's hardware does not take its place by knowing the id.
	m := w.user()
	m.Context.HWDevID, _ = rig.HWDevID(2)
	p, fault = w.Enrol(w.h, w.UserToken(rig.TenantID, ada, ""), m)
	if fault == nil {
		d, err = w.Tenant.Device(p.DM.EntDMID)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(d.RegistrationID).To(BeEmpty())
	}
	r, err := w.Tenant.Registration(w.registration.ID)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = w.Tenant.Device(r.ManagedDeviceID)
	g.Expect(err).NotTo(HaveOccurred())
	// The device itself does, after a reset.
	p, fault = w.Enrol(w.h, w.UserToken(rig.TenantID, ada, ""), w.user())
	g.Expect(fault).To(BeNil())
	d, err = w.Tenant.Device(p.DM.EntDMID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.RegistrationID).To(Equal(w.registration.ID))
}
