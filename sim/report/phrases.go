package report

import (
	"fmt"
	"strconv"
	"strings"

	"windtunnel.test/sim/journal"
)

// others lists the fields that the sentence itself does not use.
func others(e journal.Event, used ...string) string {
	var list []string
next:
	for _, f := range e.Fields {
		for _, u := range used {
			if f.Key == u {
				continue next
			}
		}
		if v := field(e, f.Key); v != "" && !f.Loose {
			list = append(list, words(f.Key)+" "+v)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ": " + strings.Join(list, ", ")
}

func yes(e journal.Event, key, ifTrue, ifFalse string) string {
	if v, _ := e.Get(key); v == true {
		return ifTrue
	}
	return ifFalse
}

func screenShown(e journal.Event) (string, int) {
	id, name := e.Text("screen"), e.Text("title")
	if id == "off" || id == "firmware" {
		return fill("{title} [{screen}]", e), Everything // the power events say so already
	}
	if name == "" {
		return id, Story
	}
	return name + "  (" + id + ")", Story
}

func struck(e journal.Event) (string, int) {
	switch e.Text("times") {
	case "", "1":
		return fill("Strikes the {key} key", e), Story
	case "5":
		return fill("Strikes the {key} key five times", e), Story
	}
	return fill("Strikes the {key} key {times} times", e), Story
}

func profile(e journal.Event) (string, int) {
	if e.Text("outcome") == "found" {
		return fill("Profile \"{profile}\" is here[, assigned to {user}]", e), Story
	}
	return fill("No profile[: {code}][: {error}]", e), Story
}

func ticket(e journal.Event) (string, int) {
	return yes(e, "tpmValidated", "Device ticket, TPM-validated", "Device ticket, not yet TPM-validated"), Story
}

// heavy are the TPM's commands that a story mentions: those that make and use
// keys for a reason that the reader has just been told.
var heavy = map[string]string{
	"TPM2_ActivateCredential": "The TPM answers the challenge (TPM2_ActivateCredential)",
	"TPM2_Create":             "The TPM makes a new key (TPM2_Create)",
	"TPM2_Certify":            "The attestation key vouches for the new key (TPM2_Certify)",
	"TPM2_CertifyCreation":    "The TPM proves where the attestation key was made (TPM2_CertifyCreation)",
	"TPM2_Clear":              "The TPM is cleared (TPM2_Clear)",
}

func tpmCommand(e journal.Event) (string, int) {
	if result := e.Text("result"); result != "ok" {
		return fill("{operation} failed: {result}", e), Story
	}
	if s, ok := heavy[e.Text("operation")]; ok {
		return s, Story
	}
	return e.Text("operation"), Everything
}

func enrolled(e journal.Event) (string, int) {
	return fill(yes(e, "whiteGlove", "Enrolled for pre-provisioning", "Enrolled[, by {upn}]"), e), Story
}

// origins are the values of the client's UserAgentOrigin header (MS-MDM).
var origins = map[string]string{"1": "a person asked", "2": "scheduled", "3": "pushed by the server", "4": "sign-in", "5": "enrolment"}

func session(e journal.Event) (string, int) {
	why := origins[e.Text("origin")]
	if why == "" {
		why = "origin " + e.Text("origin")
	}
	s := fmt.Sprintf("Session (%s): %s commands", why, e.Text("commands"))
	if e.Text("commands") == "1" {
		s = fmt.Sprintf("Session (%s): 1 command", why)
	}
	if login := e.Text("login"); login == "user" {
		s = "User " + strings.ToLower(s[:1]) + s[1:]
	}
	if o := e.Text("outcome"); o != "ok" && o != "" {
		return s + ", broke off: " + o, Story
	}
	if n, _ := strconv.Atoi(e.Text("commands")); n <= 2 || e.Text("origin") == "2" {
		return s, Everything // a poll, or the schedule, which goes on for ever
	}
	return s, Story
}

// msi tells of failures in the story; that a product was installed is an event
// of its own.
func msi(e journal.Event) (string, int) {
	if status := e.Text("status"); strings.HasSuffix(status, "Failed") {
		return fill("MSI {product}: {status}", e), Story
	}
	return fill("MSI {product}: {status}", e), Everything
}

// job tells of packages that the MDM client installs, when one has failed; that
// a product was installed is an event of its own.
func job(e journal.Event) (string, int) {
	if code := e.Text("code"); code != "" && code != "0x00000000" {
		return fill("{node} failed with {code}", e), Story
	}
	return fill("{node}: status {status}", e), Everything
}

func compliance(e journal.Event) (string, int) {
	if e.Text("before") == e.Text("state") {
		return fill("Compliance evaluated: still {state}", e), Everything
	}
	return fill("Compliance evaluated: {state}[, before: {before}]", e), Story
}

// states are the progress page's states as its rows show them.
var states = map[string]string{
	"notStarted": "waiting", "inProgress": "working on it", "succeeded": "Complete", "failed": "FAILED", "notRequired": "not required",
}

func stateName(s string) string {
	if n, ok := states[s]; ok {
		return n
	}
	return s
}

var categories = map[string]string{
	"DevicePreparation": "Device preparation", "DeviceSetup": "Device setup", "AccountSetup": "Account setup",
}

func category(e journal.Event) (string, int) {
	name := e.Text("category")
	if n, ok := categories[name]; ok {
		name = n
	}
	if e.Text("state") == "inProgress" {
		return "-- " + name, Story
	}
	return "-- " + name + ": " + stateName(e.Text("state")), Story
}

func row(e journal.Event) (string, int) {
	said := e.Text("text")
	if said == "" {
		said = stateName(e.Text("state"))
	}
	if e.Text("state") == "failed" && !strings.Contains(strings.ToLower(said), "fail") {
		said = "FAILED, " + said
	}
	return e.Text("row") + ": " + said, Story
}

func app(e journal.Event) (string, int) {
	state := map[string]string{
		"NotInstalled": "not installed yet", "InProgress": "installing", "Completed": "done", "Error": "FAILED with {code}",
	}[e.Text("state")]
	if state == "" {
		state = "{state}"
	}
	return fill("{app}: "+state, e), Story
}

// request tells of exchanges that went wrong in the story, of all in the detail.
// A client's mistake (4xx) is often a question that the protocol asks that way.
func request(e journal.Event) (string, int) {
	what := e.Text("host") + " " + e.Text("operation")
	if e.Text("operation") == "" {
		what = e.Text("method") + " " + e.Text("host")
	}
	status, _ := strconv.Atoi(e.Text("status"))
	switch {
	case status == 0:
		return what + fill(": no answer[, {code}]", e), Story
	case status >= 500 || status == 429:
		return what + fill(": {status}", e), Story
	}
	return what + fill(": {status}", e), Everything
}

func transfer(e journal.Event) (string, int) {
	n, _ := strconv.ParseFloat(e.Text("bytes"), 64)
	s := fmt.Sprintf("%s from %s", size(n), e.Text("host"))
	if e.Text("code") != "" {
		return s + fill(": broke off, {code}", e), Story
	}
	return s, Story
}

// size writes a size in the units that download pages use.
func size(n float64) string {
	unit := 0
	for n >= 1000 && unit < 3 {
		n, unit = n/1000, unit+1
	}
	return strconv.FormatFloat(n, 'f', map[bool]int{true: 0, false: 1}[unit == 0 || n >= 100], 64) + " " + [...]string{"bytes", "kB", "MB", "GB"}[unit]
}
