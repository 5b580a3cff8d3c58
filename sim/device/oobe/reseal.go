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
func reseal(w *device.Windows) error {
	r := w.Registry()
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

// reset gives the PC back its factory state. The TPM keeps its keys' seeds and
// Intune keeps its record: that is why a second try can be refused.
func reset(w *device.Windows) error {
	w.Event("device.reset")
	w.Disk.Wipe(w.Hardware)
	return device.ErrReboot
}
