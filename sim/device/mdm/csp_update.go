package mdm

import (
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/syncml"
)

const keyUpdateCSP = `HKLM\SOFTWARE\Microsoft\PolicyManager\Update`

// updates is the Update CSP: what a server that approves updates itself says and
// reads. When updates come is a matter of the policies in the area Update, which
// whoever looks for updates reads from the Policy CSP.
var updates = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		switch segment(t.path, 0) {
		case "ApprovedUpdates":
			if id := segment(t.path, 1); id != "" && segment(t.path, 2) == "" {
				t.w.Registry().SetString(keyUpdateCSP+`\Approved`, id, t.w.Now().UTC().Format(timeLayout))
				t.w.Event("update.approved", journal.F("update", id))
			}
			return syncml.OK
		case "DeferUpgrade":
			t.w.Registry().SetString(keyUpdateCSP, "DeferUpgrade", value)
			return syncml.OK
		}
		return syncml.CommandNotAllowed
	},
	get: func(t target) (string, syncml.StatusCode) {
		r := t.w.Registry()
		switch name := segment(t.path, 0); name {
		case "ApprovedUpdates":
			if v := r.String(keyUpdateCSP+`\Approved`, segment(t.path, 1)); v != "" {
				return v, syncml.OK
			}
		case "InstalledUpdates", "FailedUpdates", "PendingRebootUpdates":
			if segment(t.path, 1) == "" {
				return "", syncml.OK
			}
		case "LastSuccessfulScanTime":
			if v := r.String(keyUpdateCSP, name); v != "" {
				return v, syncml.OK
			}
		case "DeferUpgrade":
			if v := r.String(keyUpdateCSP, name); v != "" {
				return v, syncml.OK
			}
		}
		return "", syncml.NotFound
	},
	del: func(t target) syncml.StatusCode {
		id := segment(t.path, 1)
		if segment(t.path, 0) != "ApprovedUpdates" || !t.w.Registry().HasValue(keyUpdateCSP+`\Approved`, id) {
			return syncml.NotFound
		}
		t.w.Registry().Delete(keyUpdateCSP+`\Approved`, id)
		return syncml.OK
	},
}
