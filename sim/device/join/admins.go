package join

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/journal"
)

// KeyAdministrators has the members of the local group of administrators, a
// value each, by their security identifiers. The accounts that Windows brings
// with it are not among them. (Windows keeps it in the SAM; our model.)
const KeyAdministrators = `HKLM\SAM\SAM\Domains\Builtin\Aliases\Administrators`

// fieldLanguage is the value with the language that setup was gone through in.
const fieldLanguage = "Language"

// GrantAdministrator makes the first user of a PC an administrator where its
// profile wants that. It does not where somebody is one already (learn.microsoft.com,
// "Windows Autopilot known issues"), nor where this Windows does not find the
// group under its name in another language ("Resolved issues", KB4505903).
func GrantAdministrator(w *device.Windows, a device.Account) {
	r := w.Registry()
	others := r.ValueNames(KeyAdministrators)
	why := ""
	switch language := r.String(device.KeyOOBE, fieldLanguage); {
	case r.HasValue(KeyAdministrators, a.SID):
		return
	case len(others) > 0:
		why = "another administrator is there"
	case w.Has(defects.NamesEnglish) && language != "" && !strings.HasPrefix(strings.ToLower(language), "en"):
		why = "there is no group named Administrators"
	}
	if why != "" {
		w.Event("administrator.refused", journal.F("name", a.Name), journal.F("why", why))
		return
	}
	r.SetDWORD(KeyAdministrators, a.SID, 1)
	w.Event("administrator.granted", journal.F("name", a.Name))
}

// Administrator tells whether an account is one of this PC's administrators.
func Administrator(w *device.Windows, sid string) bool {
	return w.Registry().HasValue(KeyAdministrators, sid)
}
