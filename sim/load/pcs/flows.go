package pcs

import (
	"context"
	"errors"

	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/vnet"
)

// prepareSetup leaves a PC off, as it came from its maker.
func prepareSetup(_ context.Context, m *member) error {
	m.setup.Store(true)
	return nil
}

// bench is where the PC is pre-provisioned: where it stands at first.
func (m *member) bench() *vnet.Site {
	if m.story.Bench != "" {
		return m.pool.World.Sites[m.story.Bench]
	}
	return m.pool.World.Sites[m.story.Home]
}

func doTechnician(ctx context.Context, m *member, r *record) error {
	r.begin("technician.profile")
	return m.technician.Provision(ctx, m.dev)
}

var errNoUser = errors.New("the scenario has no user for this PC")

// doLife is over at the desktop: what its user does there is no part of it. The
// power goes then.
func doLife(ctx context.Context, m *member, r *record) error {
	if m.story.User == nil {
		return errNoUser
	}
	if err := doTechnician(ctx, m, r); err != nil {
		return err
	}
	// The tokens of the technician's last sync have run out until a user comes.
	join.Age(m.dev.Disk, m.dev.Timing.Flow.MinimumGap)
	m.dev.NIC.Move(m.pool.World.Sites[m.story.Home])
	r.begin("user")
	at, reached := m.pool.World.Clock.WithCancel(ctx)
	defer reached(errOver)
	m.story.User.AtDesktop(func() { reached(errOver) })
	err := m.story.User.Unpack(at, m.dev)
	if errors.Is(context.Cause(at), errOver) && ctx.Err() == nil {
		return nil
	}
	return err
}
