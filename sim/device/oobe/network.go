package oobe

import (
	"net/http"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/hosts"
)

// connected asks the connectivity test as Windows does (NCSI): a fixed text
// from a fixed host. A captive portal answers with something else.
func connected(w *device.Windows) bool {
	if !w.NIC.IsUp() {
		return false
	}
	resp, err := w.Do(device.Request{Op: "connectivity test", Method: http.MethodGet, URL: "http://" + hosts.NCSI + "/connecttest.txt"})
	if err != nil || string(resp.Body) != "Microsoft Connect Test" {
		w.Log(device.LogAutopilot, 165, "Warning", "internet is not available")
		return false
	}
	w.Log(device.LogAutopilot, 164, "Information", "internet is available")
	return true
}

// setClock asks the time server; where it does not answer, the firmware's
// clock stays as it is, right or wrong.
func setClock(w *device.Windows) {
	if now, err := w.AskTime(w.Ctx, hosts.NTP); err == nil {
		w.SetFirmwareTime(now)
	}
}
