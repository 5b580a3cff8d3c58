package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/installer"
)

// changeDevice carries out an action that is about PCs themselves; done is false
// for one that is not.
func (w *World) changeDevice(ctx context.Context, do scenario.Action) (done bool, err error) {
	switch {
	case do.Redeploy != nil:
		return true, w.each(do.Redeploy.Device, func(pc *device.PC) error { return w.redeploy(ctx, pc, *do.Redeploy) })
	case do.Press != nil:
		return true, w.each(do.Press.Device, func(pc *device.PC) error { return pc.Press(ctx, do.Press.Button, nil) })
	case do.PowerOn != nil:
		return true, w.each(do.PowerOn.Device, func(pc *device.PC) error { return pc.PowerOn(ctx) })
	case do.CutPower != nil:
		return true, w.each(do.CutPower.Device, func(pc *device.PC) error {
			pc.CutPower()
			return nil
		})
	case do.SetClock != nil:
		return true, w.each(do.SetClock.Device, func(pc *device.PC) error {
			pc.SetFirmwareTime(w.Clock.Now().Add(time.Duration(do.SetClock.Offset)))
			return nil
		})
	case do.MoveDevice != nil:
		return true, w.each(do.MoveDevice.Device, func(pc *device.PC) error {
			pc.NIC.Move(w.Sites[do.MoveDevice.Site])
			return nil
		})
	case do.UpdateWindows != nil:
		return true, w.each(do.UpdateWindows.Device, func(pc *device.PC) error {
			pc.Installation.Build = string(do.UpdateWindows.Build)
			return nil
		})
	case do.ReplaceBoard != nil:
		return true, w.each(do.ReplaceBoard.Device, w.replaceBoard)
	case do.SetRegistry != nil:
		return true, w.each(do.SetRegistry.Device, func(pc *device.PC) error {
			(&device.Windows{PC: pc}).WriteValues([]installer.RegistryValue{do.SetRegistry.Value}, "")
			return nil
		})
	}
	return false, nil
}

// errStillOn says that a PC is on to which something can only be done while it is
// off.
var errStillOn = errors.New("the PC is on; it must be off for that: cutPower, or a later time")

// redeploy lets a PC's story be lived again, once it has ended.
func (w *World) redeploy(ctx context.Context, pc *device.PC, again scenario.Redeployment) error {
	s, end := w.storyOfPC(pc)
	if s == nil {
		return fmt.Errorf("%s has no story", pc.Name)
	}
	over := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return s.over
	}
	if err := w.through.Await(ctx, over); err != nil {
		return err
	}
	if pc.On() {
		pc.CutPower()
	}
	if err := pc.AwaitOff(ctx); err != nil {
		return err
	}
	if again.Disk == "reinstall" {
		pc.Disk.Wipe(pc.Hardware)
		pc.Wiped()
	}
	next := *s
	next.Arrives = nil // it is there
	if again.From == "user" {
		next.Technician = nil
	} else if s.Technician != nil {
		pc.NIC.Move(w.Sites[s.Bench])
	}
	w.mu.Lock()
	end.again()
	s.over = false
	w.going++
	w.mu.Unlock()
	w.Journal.Record(pc.Name, "story.again")
	w.Clock.Go(context.WithoutCancel(ctx), "story of "+pc.Name+", again", func(ctx context.Context) {
		w.live(ctx, &next, end)
		w.storyOver(s)
	})
	return nil
}

// storyOfPC is a PC's story and how it ended so far; nil where it has none.
func (w *World) storyOfPC(pc *device.PC) (*Story, *End) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.stories {
		if s.pc == pc {
			return s, w.ends[i]
		}
	}
	return nil, nil
}

// again forgets how a story ended that is lived once more.
func (e *End) again() { *e = End{Device: e.Device, Serial: e.Serial, Outcome: Unfinished} }

// spareChips is where the numbers of the chips on spare boards begin.
const spareChips = 1_000_000

// replaceBoard repairs a PC that is off: another main board with another TPM of
// the same model and other identifiers, into whose firmware the old serial number
// is written. The disk stays.
func (w *World) replaceBoard(pc *device.PC) error {
	if pc.On() {
		return fmt.Errorf("%s: %w", pc.Name, errStillOn)
	}
	s, _ := w.storyOfPC(pc)
	if s == nil {
		return fmt.Errorf("%s has no story", pc.Name)
	}
	h := device.Makes[0].Build(w.Seed.Stream("hardware", pc.Name+", other board"))
	for _, m := range device.Makes {
		if m.Model == pc.Hardware.Model {
			h = m.Build(w.Seed.Stream("hardware", pc.Name+", other board"))
		}
	}
	h.Serial = pc.Hardware.Serial
	var chip *vtpm.Chip
	if s.Chip != (vtpm.ChipID{}) {
		var err error
		if chip, err = w.Lab.Deal(w.Clock, vtpm.ChipID{Model: s.Chip.Model, N: spareChips + s.Chip.N}, w.Seed); err != nil {
			return err
		}
	}
	return pc.ReplaceBoard(h, chip)
}

// changeByGraph carries out what an administrator does by Graph.
func (w *World) changeByGraph(ctx context.Context, do scenario.Action) (done bool, err error) {
	admin := w.Administrator()
	onManaged := func(glob, action string, body any) error {
		return w.each(glob, func(pc *device.PC) error {
			d, err := admin.ManagedDevice(ctx, pc.Hardware.Serial)
			if err != nil {
				return err
			}
			return admin.Graph(ctx, http.MethodPost, graphRoot+"/v1.0/deviceManagement/managedDevices/"+d.ID+"/"+action, body, nil)
		})
	}
	switch {
	case do.SetGroupTag != nil:
		return true, w.each(do.SetGroupTag.Device, func(pc *device.PC) error {
			return admin.onIdentity(ctx, pc.Hardware.Serial, "updateDeviceProperties", map[string]any{"groupTag": do.SetGroupTag.Tag})
		})
	case do.Wipe != nil:
		return true, onManaged(do.Wipe.Device, "wipe", map[string]any{"keepEnrollmentData": do.Wipe.Keep, "keepUserData": do.Wipe.Keep})
	case do.Retire != nil:
		return true, onManaged(do.Retire.Device, "retire", nil)
	case do.SyncDevice != nil:
		return true, onManaged(do.SyncDevice.Device, "syncDevice", nil)
	case do.RestartDevice != nil:
		return true, onManaged(do.RestartDevice.Device, "rebootNow", nil)
	case do.Graph != nil:
		return true, w.callGraph(ctx, admin, *do.Graph)
	}
	return false, nil
}

// callGraph makes a call once, or for each PC.
func (w *World) callGraph(ctx context.Context, admin *Administrator, call scenario.GraphCall) error {
	var body any
	if call.Body != "" {
		body = json.RawMessage(call.Body)
	}
	if call.Device == "" {
		return admin.Graph(ctx, string(call.Method), graphRoot+call.Path, body, nil)
	}
	return w.each(call.Device, func(pc *device.PC) error {
		path, err := admin.fillIn(ctx, call.Path, pc.Hardware.Serial)
		if err != nil {
			return err
		}
		return admin.Graph(ctx, string(call.Method), graphRoot+path, body, nil)
	})
}

// fillIn puts a PC's own objects into a path.
func (a *Administrator) fillIn(ctx context.Context, path, serial string) (string, error) {
	var registration graph.AutopilotDevice
	var err error
	if strings.Contains(path, "{registration}") || strings.Contains(path, "{entraDevice}") {
		if registration, err = a.Identity(ctx, serial); err != nil {
			return "", err
		}
	}
	if strings.Contains(path, "{managedDevice}") {
		d, err := a.ManagedDevice(ctx, serial)
		if err != nil {
			return "", err
		}
		path = strings.ReplaceAll(path, "{managedDevice}", d.ID)
	}
	if strings.Contains(path, "{entraDevice}") {
		d, err := a.entraDevice(ctx, registration)
		if err != nil {
			return "", err
		}
		path = strings.ReplaceAll(path, "{entraDevice}", d.ID)
	}
	return strings.ReplaceAll(path, "{registration}", registration.ID), nil
}

// changeAround carries out what happens to sites and faults.
func (w *World) changeAround(_ context.Context, do scenario.Action) (done bool, err error) {
	switch {
	case do.SetProxy != nil:
		root, err := pki.NewRoot(w.Clock.Now(), 0, "Windtunnel Proxy Root", pki.Options{})
		if err != nil {
			return true, err
		}
		w.Sites[do.SetProxy.Site].SetProxy(scenario.Site{Proxy: do.SetProxy.Proxy}.Config(root).Proxy)
		return true, nil
	case do.AddFault != nil:
		w.Faults.Add(*do.AddFault)
		return true, nil
	case do.RemoveFault != nil:
		if !w.Faults.Remove(do.RemoveFault.Name) {
			return true, fmt.Errorf("there is no fault rule %q", do.RemoveFault.Name)
		}
		return true, nil
	}
	return false, nil
}
