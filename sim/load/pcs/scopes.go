package pcs

import (
	"context"
	"fmt"

	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/wire/hosts"
)

// scope is one kind of arrival.
type scope struct {
	name       string
	registered bool // its PCs have to be in the tenant
	// prepare brings a new PC to just before the scope; do is the scope; restore
	// brings the PC back from wherever do left it.
	prepare func(ctx context.Context, m *member) error
	do      func(ctx context.Context, m *member, r *record) error
	restore func(ctx context.Context, m *member) error
	inPlace bool // a PC that is on needs nothing but its disk put back
	free    *free
}

func scopes() map[string]*scope {
	all := map[string]*scope{}
	for _, s := range []*scope{
		{name: Activation, prepare: prepareActivation, do: doActivation, restore: restoreDriven, inPlace: true},
		{name: AIK, prepare: prepareAIK, do: doAIK, restore: restoreDriven, inPlace: true},
		{name: Join, registered: true, prepare: prepareJoin, do: doJoin, restore: restoreBooted},
		{name: Enrolment, registered: true, prepare: prepareEnrolment, do: doEnrolment, restore: restoreEnrolment},
		{name: Technician, registered: true, prepare: prepareSetup, do: doTechnician, restore: restoreSetup},
		{name: Life, registered: true, prepare: prepareSetup, do: doLife, restore: restoreSetup},
	} {
		all[s.name] = s
	}
	return all
}

// start boots a PC to be driven and sets its clock, as setup does once there is
// a network.
func start(ctx context.Context, m *member) error {
	if err := m.boot(ctx); err != nil {
		return err
	}
	w := m.windows(ctx)
	if now, err := w.AskTime(ctx, hosts.NTP); err == nil {
		w.SetFirmwareTime(now)
	}
	return nil
}

func prepareAIK(ctx context.Context, m *member) error {
	if err := start(ctx, m); err != nil {
		return err
	}
	e, err := join.NewAIKExchange(m.windows(ctx))
	if err != nil {
		return err
	}
	m.aik = e
	return nil
}

func prepareActivation(ctx context.Context, m *member) error {
	if err := prepareAIK(ctx, m); err != nil {
		return err
	}
	return m.aik.Meet()
}

// activate is an exchange up to the recovered secret.
func activate(e *join.AIKExchange, r *record) error {
	if err := r.timed("tpm.certify", e.Certify); err != nil {
		return err
	}
	if err := e.Request(); err != nil {
		return err
	}
	return r.timed("tpm.activate", e.Recover)
}

func doActivation(ctx context.Context, m *member, r *record) error {
	return activate(m.aik.Again(ctx), r)
}

func doAIK(ctx context.Context, m *member, r *record) error {
	e := m.aik.Again(ctx)
	if err := e.Meet(); err != nil {
		return err
	}
	if err := activate(e, r); err != nil {
		return err
	}
	return e.Answer()
}

func prepareJoin(ctx context.Context, m *member) error {
	if err := start(ctx, m); err != nil {
		return err
	}
	w := m.windows(ctx)
	var err error
	if m.profile, err = oobe.AcquireProfile(w); err != nil {
		return fmt.Errorf("acquire Autopilot profile: %w", err)
	}
	return join.Attest(w)
}

func (m *member) tenant() join.Tenant {
	return join.Tenant{ID: m.profile.CloudAssignedTenantID, Domain: m.profile.CloudAssignedTenantDomain}
}

func doJoin(ctx context.Context, m *member, _ *record) error {
	return join.JoinAsDevice(m.windows(ctx), m.tenant())
}

func prepareEnrolment(ctx context.Context, m *member) error {
	if err := prepareJoin(ctx, m); err != nil {
		return err
	}
	w := m.windows(ctx)
	if err := join.JoinAsDevice(w, m.tenant()); err != nil {
		return err
	}
	_, err := join.TokenFor(w, esp.Resource)
	return err
}

func doEnrolment(ctx context.Context, m *member, _ *record) error {
	w := m.windows(ctx)
	token, err := join.TokenFor(w, esp.Resource) // the one that it has, unless that has expired
	if err != nil {
		return err
	}
	return mdm.Enroll(w, mdm.Enrollment{Token: token.Raw, WhiteGlove: true, ZtdID: m.profile.ZtdRegistrationID})
}
