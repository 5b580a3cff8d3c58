package oobe

import (
	"io"
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
	req, err := http.NewRequestWithContext(w.Ctx, http.MethodGet, "http://"+hosts.NCSI+"/connecttest.txt", nil)
	if err != nil {
		return false
	}
	resp, err := w.HTTP().Do(req)
	if err != nil {
		w.Log(device.LogAutopilot, 165, "Warning", "internet is not available")
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64))
	if err != nil || string(body) != "Microsoft Connect Test" {
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
