package esp

import (
	"encoding/json"
	"slices"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// Names of the rows as a person reads them.
const (
	RowHardware     = "Securing your hardware"
	RowNetwork      = "Joining your organization's network"
	RowRegistering  = "Registering your device for mobile management"
	RowPreparing    = "Preparing your device for mobile management"
	RowPolicies     = "Security policies"
	RowCertificates = "Certificates"
	RowConnections  = "Network connections"
	RowApps         = "Apps"
)

// Names of the subcategories in the registry, by row.
var subcategories = map[string]string{
	RowHardware: "TpmAttestationSubcategory", RowNetwork: "AadjSubcategory",
	RowRegistering: "MdmEnrollmentSubcategory", RowPreparing: "EspProviderInstallationSubcategory",
	RowPolicies: "SecurityPoliciesSubcategory", RowCertificates: "CertificatesSubcategory",
	RowConnections: "NetworkConnectionsSubcategory", RowApps: "AppsSubcategory",
}

// Names of the steps that nobody sees, as the registry has them.
const (
	StepSync         = "InitiateSyncSessions"
	StepVisibility   = "SetContinueAnywayButtonVisibility"
	StepReboot       = "RebootCoalescing"
	StepResults      = "SendResultsToMdmServer"
	StepSave         = "SaveWhiteGloveSuccessResult"
	StepRegistration = "WaitingForAadRegistrationSubcategory"
	StepToken        = "PrepareMultifactorAuth"
)

// Rows of the two categories that track, with their silent steps in their order.
var (
	deviceRows  = []string{RowPolicies, RowCertificates, RowConnections, RowApps, StepReboot, StepResults, StepSave}
	accountRows = []string{StepRegistration, StepToken, RowPolicies, RowCertificates, RowConnections, RowApps, StepResults}
)

// States of a row, spelt as the registry has them.
const (
	notStarted  = "notStarted"
	inProgress  = "inProgress"
	succeeded   = "succeeded"
	failed      = "failed"
	notRequired = "notRequired"
)

type row struct {
	name, state, text string
}

// silent tells the steps from the rows that people see.
func (r row) silent() bool { return subcategories[r.name] == "" }

// key is the name in the registry.
func (r row) key() string {
	if r.silent() {
		return r.name
	}
	return subcategories[r.name]
}

// subcategory is a row as the registry has it.
type subcategory struct {
	State string `json:"subcategoryState"`
	Text  string `json:"subcategoryStatusText"`
}

// page is one category on the screen.
type page struct {
	w        *device.Windows
	category string // "DevicePreparation", "DeviceSetup", "AccountSetup"
	rows     []row
	resumed  bool // it was up when Windows stopped
}

// open shows a category's page: none of its rows begun, or, where the page was
// up when Windows stopped, as the registry has it.
func open(w *device.Windows, category string, names ...string) *page {
	state, known := stored(w, category)
	p := &page{w: w, category: category, resumed: state == inProgress}
	for _, n := range names {
		r := row{name: n, state: notStarted, text: "Waiting for previous steps to finish"}
		if was, ok := known[r.key()]; ok && p.resumed {
			r.state, r.text = was.State, was.Text
		}
		p.rows = append(p.rows, r)
	}
	w.Registry().SetString(device.KeyTracking, "Phase", category)
	p.store(inProgress, "Working on it...")
	w.Event("esp.category", journal.F("category", category), journal.F("state", inProgress))
	p.draw()
	w.Signal(SignalPhase).Broadcast()
	return p
}

// state is a row's.
func (p *page) state(name string) string {
	for _, r := range p.rows {
		if r.name == name {
			return r.state
		}
	}
	return ""
}

// set changes a row; nothing happens where it says so already.
func (p *page) set(name, state, text string) {
	i := slices.IndexFunc(p.rows, func(r row) bool { return r.name == name })
	if i < 0 || (p.rows[i].state == state && p.rows[i].text == text) {
		return
	}
	p.rows[i].state, p.rows[i].text = state, text
	p.w.Event("esp.row", journal.F("category", p.category), journal.F("row", name), journal.F("state", state), journal.F("text", text))
	p.draw()
	p.store(inProgress, "Working on it...")
}

// fail marks a row as failed and those after it as never reached.
func (p *page) fail(name, text string, code hresult.Code) {
	p.set(name, failed, text)
	after := false
	for _, r := range p.rows {
		if after && r.state == notStarted {
			p.set(r.name, r.state, "Previous step failed")
		}
		after = after || r.name == name
	}
	p.close(failed, "Failed ("+code.Hex()+")")
}

// close ends the category.
func (p *page) close(state, text string) {
	p.store(state, text)
	p.w.Event("esp.category", journal.F("category", p.category), journal.F("state", state))
}

func (p *page) draw() {
	s := device.Screen{ID: "esp", Title: "Setting up for work or school", Lines: []device.Line{{Label: "Category", Value: p.category}}}
	for _, r := range p.rows {
		name := r.name
		if r.name == StepRegistration && (r.state == inProgress || r.state == failed || r.state == succeeded) {
			name = RowNetwork // a step that is seen where there is something to wait for
		} else if r.silent() {
			continue
		}
		s.Rows = append(s.Rows, device.Row{Name: name, Status: r.text, Working: r.state == inProgress})
	}
	p.w.Show(s)
}

// statusName is the value that keeps a category's status.
func statusName(category string) string { return category + "Category.Status" }

// store writes the category's status as Windows keeps it: one JSON string.
func (p *page) store(state, text string) {
	status := map[string]any{"categoryState": state, "categoryStatusText": text}
	if state == succeeded || state == failed {
		status["categorySucceeded"] = state == succeeded
	}
	for _, r := range p.rows {
		status[p.category+"."+r.key()] = subcategory{r.state, r.text}
	}
	b, err := json.Marshal(status)
	if err != nil {
		return // strings and booleans always encode
	}
	p.w.Registry().SetString(device.KeySettings, statusName(p.category), string(b))
}

// stored reads a category's status back: its state, "" where it has none, and
// its subcategories.
func stored(w *device.Windows, category string) (state string, rows map[string]subcategory) {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(w.Registry().String(device.KeySettings, statusName(category))), &members) != nil {
		return "", nil
	}
	if json.Unmarshal(members["categoryState"], &state) != nil {
		return "", nil
	}
	rows = map[string]subcategory{}
	for name, raw := range members {
		var s subcategory
		if key, is := strings.CutPrefix(name, category+"."); is && json.Unmarshal(raw, &s) == nil {
			rows[key] = s
		}
	}
	return state, rows
}

// announce writes a category that is still to come: all of it not started.
func announce(w *device.Windows, category string, names ...string) {
	if state, _ := stored(w, category); state != "" {
		return
	}
	p := &page{w: w, category: category}
	for _, n := range names {
		p.rows = append(p.rows, row{name: n, state: notStarted})
	}
	p.store(notStarted, "")
}
