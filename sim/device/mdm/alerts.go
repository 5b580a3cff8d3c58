package mdm

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/syncml"
)

// alertType is the kind of the generic alert by which an asynchronous command
// reports its end.
const alertType = "Reversed-Domain-Name:com.microsoft.mdm.win32csp_install"

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
		alert := syncml.NewAlert(syncml.AlertGeneric, alertType, decimal(result))
		alert.Items[0].Source = uri
		alerts = append(alerts, alert)
	}
	r.DeleteTree(key)
	return alerts
}
