package sim

import (
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/mde"
)

// loadEnrolment sets up how a customer's devices enrol.
func (w *World) loadEnrolment(t scenario.Tenant) error {
	c := enroll.Settings{AttestationFailure: mde.AttestationFailure(w.attestation.EnrollmentFailure)}
	if e := t.Enrolment; e != nil {
		c.AuthPolicy = mde.AuthPolicy(e.Authentication)
		if e.Document == scenario.LayoutMDE2 {
			c.Layout = mde.LayoutSpec
		}
		if err := w.Intune.SCEP().Configure(t.ID, scep.Settings{Approval: e.SCEPApproval}); err != nil {
			return err
		}
	}
	return w.Intune.Enrollment().Configure(t.ID, c)
}
