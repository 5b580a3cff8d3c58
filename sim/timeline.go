package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
)

// plan makes an actor of every change on the timeline. Changes are around what
// goes on and end with it; but a PC's second life keeps the world going.
func (w *World) plan(changes []scenario.Change) error {
	for i, c := range changes {
		name := fmt.Sprintf("timeline %d", i+1)
		act := func(ctx context.Context) { w.act(ctx, name, i+1, c) }
		switch {
		case c.Do.Redeploy != nil && c.At.Event != nil:
			w.await(*c.At.Event, func() { w.Clock.Go(context.Background(), name, act) })
		case c.Do.Redeploy != nil:
			w.Clock.Go(context.Background(), name, act)
		case c.At.Event != nil:
			happened := w.Clock.NewCond(name)
			w.await(*c.At.Event, happened.Broadcast)
			w.Clock.GoDaemon(context.Background(), name, func(ctx context.Context) {
				if happened.Wait(ctx) == nil {
					act(ctx)
				}
			})
		default:
			w.Clock.GoDaemon(context.Background(), name, act)
		}
	}
	return nil
}

// act waits until a change is due, carries it out and says so.
func (w *World) act(ctx context.Context, name string, n int, c scenario.Change) {
	after := c.At.After
	if c.At.Event != nil {
		after = c.At.Event.After
	}
	now := w.Clock.Now()
	if w.Clock.Sleep(ctx, after.After(now).Sub(now), name) != nil {
		return
	}
	if err := w.change(ctx, c.Do); err != nil {
		w.Journal.Record("", "timeline.failed", journal.F("change", n), journal.F("error", err.Error()))
		return
	}
	w.Journal.Record("", "timeline.changed", journal.F("change", n))
}

// await calls f at the nth event that fits.
func (w *World) await(m scenario.EventMatch, f func()) {
	seen := 0 // the journal calls one listener at a time
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hearing = append(w.hearing, func(e journal.Event) {
		if !fault.Match(m.Event, e.Kind) || (m.Device != "" && !w.fits(m.Device, e.Device)) {
			return
		}
		if seen++; seen == max(1, m.Nth) {
			f()
		}
	})
}

// fits tells whether a glob is about a PC, by its name or its serial number.
func (w *World) fits(glob, name string) bool {
	pc := w.PC(name)
	return fault.Match(glob, name) || (pc != nil && fault.Match(glob, pc.Hardware.Serial))
}

// ErrNoSuchPC says that nobody knows such a PC.
var ErrNoSuchPC = errors.New("no PC fits")

// each calls f for every PC that fits a glob.
func (w *World) each(glob string, f func(*device.PC) error) error {
	w.mu.Lock()
	pcs := slices.Clone(w.PCs)
	w.mu.Unlock()
	found := false
	for _, pc := range pcs {
		if !w.fits(glob, pc.Name) {
			continue
		}
		found = true
		if err := f(pc); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%s: %w", glob, ErrNoSuchPC)
	}
	return nil
}

// change carries out one action.
func (w *World) change(ctx context.Context, do scenario.Action) error {
	for _, way := range []func(context.Context, scenario.Action) (bool, error){w.changeDomain, w.changeDevice, w.changeByGraph, w.changeAround} {
		if done, err := way(ctx, do); done {
			return err
		}
	}
	admin := w.Administrator()
	switch {
	case do.Block != nil:
		return w.Sites[do.Block.Site].Block(do.Block.Host, do.Block.Mode.Mode())
	case do.Unblock != nil:
		w.Sites[do.Unblock.Site].Unblock(do.Unblock.Host)
		return nil
	case do.Assign != nil:
		return admin.Assign(ctx, *do.Assign)
	case do.Unassign != nil:
		return admin.Unassign(ctx, *do.Unassign)
	case do.DeleteManagedDevice != nil:
		return w.each(do.DeleteManagedDevice.Device, func(pc *device.PC) error { return admin.DeleteManagedDevice(ctx, pc.Hardware.Serial) })
	case do.DeleteEntraDevice != nil:
		return w.each(do.DeleteEntraDevice.Device, func(pc *device.PC) error { return admin.DeleteEntraDevice(ctx, pc.Hardware.Serial) })
	case do.DeleteRegistration != nil:
		return w.each(do.DeleteRegistration.Device, func(pc *device.PC) error { return admin.DeleteRegistration(ctx, pc.Hardware.Serial) })
	case do.Import != nil:
		return w.importAgain(ctx, admin, do.Import.Device)
	case do.AllowNextEnrollment != nil:
		return w.each(do.AllowNextEnrollment.Device, func(pc *device.PC) error {
			return admin.onIdentity(ctx, pc.Hardware.Serial, "allowNextEnrollment", nil)
		})
	case do.AssignUser != nil:
		return w.each(do.AssignUser.Device, func(pc *device.PC) error { return admin.AssignUser(ctx, pc.Hardware.Serial, do.AssignUser.User) })
	case do.UnassignUser != nil:
		return w.each(do.UnassignUser.Device, func(pc *device.PC) error {
			return admin.onIdentity(ctx, pc.Hardware.Serial, "unassignUserFromDevice", nil)
		})
	case do.SetTPMState != nil:
		return w.each(do.SetTPMState.Device, func(pc *device.PC) error { return w.setTPMState(ctx, pc, string(do.SetTPMState.State)) })
	case do.Generalize != nil:
		return w.each(do.Generalize.Device, func(pc *device.PC) error {
			oobe.Generalize(pc.Disk)
			pc.CutPower()
			return nil
		})
	case do.DisableService != nil:
		return w.each(do.DisableService.Device, func(pc *device.PC) error {
			pc.Disk.Registry.SetDWORD(device.KeyServices+`\`+do.DisableService.Service, "Start", device.StartDisabled)
			return nil
		})
	}
	return errors.New("an empty action")
}
