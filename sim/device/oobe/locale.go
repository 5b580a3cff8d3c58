package oobe

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
)

// keyInternational has the policies of language and region (ADMX_Globalization).
const keyInternational = `HKLM\SOFTWARE\Policies\Microsoft\Control Panel\International`

// fixings are those that keep accounts from having a language, a region or a
// keyboard of their own, as setup gives its account one (learn.microsoft.com,
// "Windows Autopilot troubleshooting FAQ", policies that conflict).
var fixings = []string{"PreventUserOverrides", "PreventGeoIdChange", "BlockUserInputMethodsForSignIn", "RestrictUserLocales"}

// fixedLanguage names the policy that stands in setup's way, "" where none does.
func fixedLanguage(w *device.Windows) string {
	for _, name := range fixings {
		if v, _ := w.Registry().DWORD(keyInternational, name); v != 0 {
			return name
		}
	}
	return ""
}

// american is the keyboard that Windows takes where it is told of none.
const american = "00000409"

// keyboards are the identifiers of input locales by language (learn.microsoft.com,
// "Default input profiles (input locales) in Windows"). Others have a keyboard
// that this table lacks.
var keyboards = map[string]string{
	"cs-cz": "00000405", "da-dk": "00000406", "de-at": "00000407", "de-de": "00000407", "de-ch": "00000807", "en-gb": "00000809", "en-us": american,
	"es-es": "0000040A", "fi-fi": "0000040B", "fr-be": "0000080C", "fr-ch": "0000100C", "fr-fr": "0000040C", "it-it": "00000410", "ja-jp": "00000411",
	"nb-no": "00000414", "nl-nl": "00020409", "pl-pl": "00000415", "pt-br": "00000416", "pt-pt": "00000816", "ru-ru": "00000419", "sv-se": "0000041D",
}

// presetKeyboard gives a PC the keyboard of the language that its profile
// presets, where the profile leaves out the page on which people choose one.
// Some builds take the American one instead.
func presetKeyboard(w *device.Windows) {
	const skipKeyboard = 1024 // of CloudAssignedOobeConfig
	p, ok := cachedProfile(w)
	layout, known := keyboards[strings.ToLower(p.CloudAssignedLanguage)]
	if !ok || !known || int(p.CloudAssignedOobeConfig)&skipKeyboard == 0 {
		return
	}
	if w.Has(defects.TypesAmerican) {
		layout = american
	}
	w.Registry().SetString(device.KeyOOBE, FieldKeyboard, layout)
}
