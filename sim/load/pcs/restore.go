package pcs

import (
	"context"
	"errors"

	"windtunnel.test/sim"
)

// rollBackDisk is for PCs whose TPM is as it was, since credentials were
// activated with keys that last: they stay on.
func (m *member) rollBackDisk() {
	m.dev.RollBackDisk(m.before)
	m.dev.NIC.Up() // where it was dropped
}

// restoreDriven is for such a PC that has lost its power all the same.
func restoreDriven(ctx context.Context, m *member) error {
	if err := m.off(ctx); err != nil {
		return err
	}
	if err := m.dev.RollBack(m.before); err != nil {
		return err
	}
	return m.scope.prepare(ctx, m)
}

// restoreBooted takes the power away, puts disk and TPM back, and boots again.
func restoreBooted(ctx context.Context, m *member) error {
	if err := m.off(ctx); err != nil {
		return err
	}
	if err := m.dev.RollBack(m.before); err != nil {
		return err
	}
	return m.boot(ctx)
}

func restoreEnrolment(ctx context.Context, m *member) error {
	if err := m.forget(ctx); err != nil {
		return err
	}
	return restoreBooted(ctx, m)
}

// restoreSetup leaves a PC as it came from its maker, off.
func restoreSetup(ctx context.Context, m *member) error {
	if err := m.off(ctx); err != nil {
		return err
	}
	if err := m.forget(ctx); err != nil {
		return err
	}
	m.dev.NIC.Move(m.bench())
	return m.dev.RollBack(m.before)
}

// forget has an administrator delete the record of the PC in Intune: a device
// is pre-provisioned once, and again only where its record is gone
// (learn.microsoft.com, Autopilot known issues, 0x80180014).
func (m *member) forget(ctx context.Context) error {
	admin, err := m.pool.admins.Get(ctx)
	if err != nil {
		return err
	}
	defer m.pool.admins.TryPut(admin)
	if err := admin.DeleteManagedDevice(ctx, m.dev.Hardware.Serial); !errors.Is(err, sim.ErrNoSuchPC) {
		return err
	}
	return nil // it did not get that far
}
