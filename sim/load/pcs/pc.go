package pcs

import (
	"context"
	"errors"
	"sync/atomic"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/ztd"
)

// member is one PC of the pool. Whoever has taken it has it alone.
type member struct {
	pool  *Pool
	at    int // in the pool's list
	scope *scope
	story sim.Story
	dev   *device.PC
	now   atomic.Pointer[record] // of the arrival that goes on; nil: none does

	setup  atomic.Bool                    // it boots Windows' setup, and not to be driven
	booted *vclock.Queue[*device.Windows] // a boot that waits to be driven
	w      *device.Windows                // the one that is driven
	before *device.Checkpoint             // just before the scope

	aik        *join.AIKExchange // that has met the TPM
	profile    ztd.Profile
	technician *sim.Technician
}

// program is what the PC boots: setup, or a Windows whose parts are called from
// outside, which stays up until the power goes.
func (m *member) program(w *device.Windows) error {
	if m.setup.Load() {
		return oobe.Program(w)
	}
	if !w.NIC.IsUp() {
		w.Connect()
	}
	m.booted.TryPut(w)
	return w.Clock.NewCond("what a load wants of " + m.dev.Name).Wait(w.Ctx)
}

// boot switches a PC on that will be driven.
func (m *member) boot(ctx context.Context) error {
	if err := m.dev.PowerOn(m.pool.ctx); err != nil {
		return err
	}
	w, err := m.booted.Get(ctx)
	if err != nil {
		return err
	}
	m.w = w
	return nil
}

// off takes the power of a PC away and waits until it is gone.
func (m *member) off(ctx context.Context) error {
	m.w = nil
	m.dev.CutPower()
	return m.dev.AwaitOff(ctx)
}

// windows is the driven boot, for work that ends with ctx.
func (m *member) windows(ctx context.Context) *device.Windows { return m.w.Under(ctx) }

// exchanged is told of the PC's exchanges.
func (m *member) exchanged(x vnet.Exchange) {
	if r := m.now.Load(); r != nil {
		r.exchange(x)
	}
}

// heard is told of the PC's events.
func (m *member) heard(kind string) {
	if r := m.now.Load(); r != nil {
		r.heard(kind)
	}
}

// prepare brings a new PC to just before its scope.
func (m *member) prepare(ctx context.Context) error {
	if err := m.scope.prepare(ctx, m); err != nil {
		return err
	}
	var err error
	m.before, err = m.dev.Checkpoint(!m.scope.inPlace)
	return err
}

var errOver = errors.New("the arrival is over")
