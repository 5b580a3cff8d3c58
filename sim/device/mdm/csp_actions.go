package mdm

import (
	"context"
	"strconv"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// resets are the nodes that give a PC back to setup, and what setup is to do
// when Windows has restarted. That a protected wipe goes on when it is
// interrupted, and whence a cloud wipe gets its Windows, makes no difference
// here.
var resets = map[string]string{
	csp.Wipe: "wipe", csp.WipeProtected: "wipe", csp.WipeCloud: "wipe", csp.WipeKeepingPackages: "wipe",
	csp.WipeKeepingUserData: "wipeKeepUserData", csp.AutomaticRedeployment: "autopilotReset",
	csp.Clean: "clean", csp.CleanKeepingUserData: "clean",
}

// reset is the RemoteWipe and the CleanPC CSP: what is to be done is written
// down, and done by the next start of Windows.
var reset = &provider{
	exec: func(t target, _ string) syncml.StatusCode {
		kind, ok := resets[t.uri]
		if !ok {
			return syncml.CommandNotAllowed
		}
		t.w.Event("mdm.reset", journal.F("node", t.uri), journal.F("kind", kind))
		t.w.Registry().SetString(device.KeyReset, "Pending", kind)
		t.then(t.uri)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		switch t.uri {
		case csp.RedeploymentStatus:
			if t.w.Registry().String(device.KeyReset, "Pending") == "autopilotReset" {
				return strconv.Itoa(int(csp.RedeploymentRestarting)), syncml.OK
			}
			return strconv.Itoa(int(csp.RedeploymentNever)), syncml.OK
		case csp.RedeploymentLastError:
			return "0", syncml.OK
		}
		return "", syncml.NotFound
	},
}

const keyRebootCSP = `HKLM\SOFTWARE\Microsoft\PolicyManager\Reboot`

// rebooting is the Reboot CSP. A restart that is ordered comes a few minutes
// later, so that somebody who works can save what he has; a scheduled one at its
// time, if the PC is on then.
var rebooting = &provider{
	exec: func(t target, _ string) syncml.StatusCode {
		if t.uri != csp.RebootNow {
			return syncml.CommandNotAllowed
		}
		at := t.w.Now().Add(t.w.Timing.MDM.RebootNowDelay)
		t.w.Registry().SetString(keyRebootCSP, "Now", at.UTC().Format(timeLayout))
		startReboots(t.w)
		return syncml.OK
	},
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		if t.uri != csp.RebootOnce && t.uri != csp.RebootDaily {
			return syncml.CommandNotAllowed
		}
		if _, ok := moment(value); !ok {
			return syncml.BadRequest
		}
		t.w.Registry().SetString(keyRebootCSP, segment(t.path, 1), value)
		startReboots(t.w)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		if v := t.w.Registry().String(keyRebootCSP, segment(t.path, 1)); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
	del: func(t target) syncml.StatusCode {
		if !t.w.Registry().HasValue(keyRebootCSP, segment(t.path, 1)) {
			return syncml.NotFound
		}
		t.w.Registry().Delete(keyRebootCSP, segment(t.path, 1))
		return syncml.OK
	},
}

// moment reads a time in one of the forms of ISO 8601 that the CSP takes.
func moment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// rebootOrders are the values of the CSP's key that order restarts.
var rebootOrders = []string{"Now", "Single", "DailyRecurrent"}

// startReboots has somebody wait for each of the restarts that are ordered.
func startReboots(w *device.Windows) {
	for _, name := range rebootOrders {
		order := w.Registry().String(keyRebootCSP, name)
		if at, ok := moment(order); ok {
			w.Service("restart "+name+" "+order, func(ctx context.Context) { rebootAt(w.Under(ctx), name, order, at) })
		}
	}
}

// missedReboots forgets the restarts that were ordered for a moment at which the
// PC was off: it has been started since.
func missedReboots(w *device.Windows) {
	for _, n := range []string{"Now", "Single"} {
		if t, ok := moment(w.Registry().String(keyRebootCSP, n)); ok && !t.After(w.Now()) {
			w.Registry().Delete(keyRebootCSP, n)
		}
	}
}

// rebootAt waits for one restart, unless its order was taken back or put off
// meanwhile.
func rebootAt(w *device.Windows, name, order string, at time.Time) {
	now := w.Now()
	if name == "DailyRecurrent" && !at.After(now) {
		at = at.Add(day * (1 + now.Sub(at)/day))
	}
	if wait := at.Sub(now); wait > 0 && w.Sleep(wait, "ordered restart") != nil || w.Registry().String(keyRebootCSP, name) != order {
		return
	}
	if name != "DailyRecurrent" {
		w.Registry().Delete(keyRebootCSP, name) // before: it is ordered once
	}
	_ = restartNow(w, "Reboot CSP, "+name) // the boot is over either way
}
