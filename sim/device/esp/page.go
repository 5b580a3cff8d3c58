package esp

import (
	"encoding/json"
	"slices"

	"windtunnel.test/sim/device"
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
}

// open shows a category's page with none of its rows begun.
func open(w *device.Windows, category string, names ...string) *page {
	p := &page{w: w, category: category}
	for _, n := range names {
		p.rows = append(p.rows, row{name: n, state: notStarted, text: "Waiting for previous steps to finish"})
	}
	w.Registry().SetString(device.KeyTracking, "Phase", category)
	w.Event("esp.category", journal.F("category", category), journal.F("state", inProgress))
	p.draw()
	w.Signal(SignalPhase).Broadcast()
	return p
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
	p.store("")
}

// fail marks a row as failed and those after it as never reached.
func (p *page) fail(name, text string) {
	p.set(name, failed, text)
	after := false
	for _, r := range p.rows {
		if after && r.state == notStarted {
			p.set(r.name, r.state, "Previous step failed")
		}
		after = after || r.name == name
	}
	p.close(failed)
}

// close ends the category.
func (p *page) close(state string) {
	p.store(state)
	p.w.Event("esp.category", journal.F("category", p.category), journal.F("state", state))
}

func (p *page) draw() {
	s := device.Screen{ID: "esp", Title: "Setting up for work or school", Lines: []device.Line{{Label: "Category", Value: p.category}}}
	for _, r := range p.rows {
		s.Rows = append(s.Rows, device.Row{Name: r.name, Status: r.text, Working: r.state == inProgress})
	}
	p.w.Show(s)
}

// store writes the category's status as Windows keeps it: one JSON string.
func (p *page) store(state string) {
	if state == "" {
		state = inProgress
	}
	status := map[string]any{"categoryState": state, "categoryStatusText": p.category}
	if state == succeeded || state == failed {
		status["categorySucceeded"] = state == succeeded
	}
	for _, r := range p.rows {
		status[p.category+"."+subcategories[r.name]] = subcategory{r.state, r.text}
	}
	b, err := json.Marshal(status)
	if err != nil {
		return // strings and booleans always encode
	}
	p.w.Registry().SetString(device.KeySettings, p.category+"Category.Status", string(b))
}
