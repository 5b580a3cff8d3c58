package oobe

import (
	"context"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/ime"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
)

// Stages of a PC's setup, kept in the registry under KeyOOBE, "Stage".
const (
	stageNew        = ""           // as it left the factory, or after a reset
	stageTechnician = "technician" // Provision was pressed
	stageResealed   = "resealed"   // Reseal was pressed
	stageUser       = "user"       // a user signed in; the account is not set up yet
	stageDone       = "done"       // somebody has reached the desktop
)

// Program boots Windows: services first, then setup from where it stopped, or
// the desktop.
func Program(w *device.Windows) error {
	w.Provide(device.ServiceIME, ime.Service(w))
	w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
	w.Provide(device.TaskAIK, join.AIKTask(w))
	w.StartServices()
	switch stage(w) {
	case stageTechnician:
		return provision(w)
	case stageUser:
		return resumeUser(w)
	case stageDone:
		return desktop(w)
	default:
		return firstScreens(w)
	}
}

func stage(w *device.Windows) string { return w.Registry().String(device.KeyOOBE, "Stage") }

func setStage(w *device.Windows, s string) { w.Registry().SetString(device.KeyOOBE, "Stage", s) }

// desktop is where setup ends. The PC runs until somebody shuts it down.
func desktop(w *device.Windows) error {
	s := device.Screen{ID: "desktop", Title: "Desktop", Buttons: []string{ButtonShutDown, ButtonRestart}}
	in, err := w.Ask(s)
	if err != nil {
		return err
	}
	if in.Button == ButtonRestart {
		return device.ErrReboot
	}
	return device.ErrShutdown
}

// powerLost gives the reason why this boot cannot go on, nil where it can.
func powerLost(w *device.Windows) error { return context.Cause(w.Ctx) }
