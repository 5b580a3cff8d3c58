package mdm

import (
	"context"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/syncml"
)

// queueAlert keeps a generic alert for the next session.
func queueAlert(w *device.Windows, uri string, result uint32) {
	if key := enrollmentKey(w); key != "" {
		w.Registry().SetDWORD(key+`\Alerts`, uri, result)
	}
}

// takeAlerts gives the waiting alerts and forgets them. Where the session
// fails they are lost, as in Windows: the server sees the state at its next
// Get.
func takeAlerts(w *device.Windows) []syncml.Command {
	r, key := w.Registry(), enrollmentKey(w)+`\Alerts`
	var alerts []syncml.Command
	for _, uri := range r.ValueNames(key) {
		result, _ := r.DWORD(key, uri)
		alert := syncml.NewAlert(syncml.AlertGeneric, syncml.TypeInstallResult, decimal(result))
		alert.Items[0].Source = uri
		alerts = append(alerts, alert)
	}
	r.DeleteTree(key)
	return alerts
}

// Unenrol is the user's wish to end the enrolment: the server is told, as well
// as that goes, and the enrolment is dropped whatever comes of it
// (learn.microsoft.com, "Disconnecting from the management infrastructure").
func Unenrol(w *device.Windows) error {
	lock := oneAtATime(w)
	if err := lock.Acquire(w.Ctx, 1); err != nil {
		return err
	}
	defer lock.Release(1)
	r := &runner{w: w, s: Session{Origin: OriginUser, Login: "user"}, alerts: []syncml.Command{syncml.UnenrolmentAlert()}}
	told := r.run()
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	outcome := "ok"
	if told != nil {
		outcome = told.Error()
	}
	w.Event("mdm.unenrolled", journal.F("outcome", outcome))
	Forget(w)
	return nil
}
