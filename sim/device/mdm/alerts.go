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

// waitingAlerts gives the alerts that no server has heard yet, and what they
// say.
func waitingAlerts(w *device.Windows) (alerts []syncml.Command, results map[string]uint32) {
	r, key := w.Registry(), enrollmentKey(w)+`\Alerts`
	results = map[string]uint32{}
	for _, uri := range r.ValueNames(key) {
		result, _ := r.DWORD(key, uri)
		alert := syncml.NewAlert(syncml.AlertGeneric, syncml.TypeInstallResult, decimal(result))
		alert.Items[0].Source = uri
		alerts, results[uri] = append(alerts, alert), result
	}
	return alerts, results
}

// dropAlerts forgets the alerts that the server has answered. Where the session
// failed before that they wait for the next one: Windows keeps the results of
// what it ran for a server until it is rid of them. A result that changed
// meanwhile is another one.
func dropAlerts(w *device.Windows, heard map[string]uint32) {
	r, key := w.Registry(), enrollmentKey(w)+`\Alerts`
	for uri, result := range heard {
		if now, ok := r.DWORD(key, uri); ok && now == result {
			r.Delete(key, uri)
		}
	}
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
	r := &runner{w: w, s: Session{Origin: OriginUser, Login: LoginUser}, alerts: []syncml.Command{syncml.UnenrolmentAlert()}}
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
