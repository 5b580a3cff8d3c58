package oobe

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/journal"
)

// reseal undoes what the next person must not find: the technician's result,
// the trackers of the enrollment status page (so that device setup runs again)
// and the cached profile. The PC stays enrolled. Whether it stays joined is a
// switch, because Microsoft does not say; field observation has it unjoined.
//
// That it has begun is written down before anything else, and that it is done
// after everything else: a PC whose power goes meanwhile does all of it again
// at its next start, which does no harm, and then goes off.
func reseal(w *device.Windows) error {
	r := w.Registry()
	setStage(w, stageResealing)
	w.Show(device.Screen{ID: ScreenResealing, Title: "Just a moment..."})
	for _, v := range []string{"WhiteGloveStart", "WhiteGloveSuccess"} {
		r.Delete(device.KeyOOBE, v)
	}
	enrollment := device.KeyEnrollments + `\` + r.String(device.KeyEnrollments, "Current")
	r.DeleteTree(enrollment + `\FirstSync`)
	r.DeleteTree(device.KeyTracking)
	r.DeleteTree(device.KeySettings)
	dropProfile(w)
	if w.Timing.Switches.Reseal.UnjoinsEntra {
		if err := join.Unjoin(w); cancelled(w, err) {
			return err
		} else if err != nil {
			w.Log(device.LogRegistration, 304, "Warning", err.Error()) // the object stays behind; the user's join replaces it
		}
	}
	setStage(w, stageResealed)
	w.Event("device.resealed", journal.F("joined", join.Status(w).Joined))
	return device.ErrShutdown
}
