package statuspage_test

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

// to says whom an item is assigned to, and whether the PC is registered with a
// user who is one of them.
type to struct {
	target   string // YAML
	assigned bool
	intent   string // of an app; "" is required
	whole    bool   // a Store app for the whole PC
}

var (
	thePC        = to{target: `{"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}`}
	everyPC      = to{target: `{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}`}
	assignedUser = to{target: `{"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Staff}`, assigned: true}
	someUser     = to{target: assignedUser.target}
	everyUser    = to{target: `{"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}`}
)

func available(t to) to { t.intent = "available"; return t }

func whole(t to) to { t.whole = true; return t }

// cell is what is so at the end of a phase.
type cell int

const (
	no      cell = iota // it is not on the PC
	yes                 // it is, and the page does not wait for it in this phase
	tracked             // it is, and the page waits for it in this phase
	unsaid              // Microsoft does not say whether it is; the page does not wait for it
)

func (c cell) String() string {
	return map[cell]string{no: "is not there", yes: "is there and does not block", tracked: "is there and blocks", unsaid: "does not block"}[c]
}

// row is one line of the table: an item, whom it is assigned to, and what is so at
// the end of the technician flow, of device setup in the user flow, and of account
// setup. For the last two the item is assigned after the technician flow.
type row struct {
	name string
	item
	to
	technician, device, account cell
}

// What is applied when, and what the page waits for (learn.microsoft.com: "Set up
// the Enrollment Status Page", "Windows Autopilot for pre-provisioned deployment",
// "Windows Autopilot known issues"). A domain's PC has a table of its own.
var table = []row{
	{"a policy for the PC", policy("./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana", "0"), thePC, yes, yes, yes},
	{"a policy for Microsoft Edge for the PC", policy("./Device/Vendor/MSFT/Policy/Config/Browser/AllowPopups", "0"), thePC, tracked, tracked, yes},
	{"a policy for Kiosk Browser for the PC", policy("./Device/Vendor/MSFT/Policy/Config/KioskBrowser/EnableHomeButton", "1"), thePC, tracked, tracked, yes},
	{"a policy for the assigned user", policy("./User/Vendor/MSFT/Policy/Config/Start/HideFrequentlyUsedApps", "1"), assignedUser, no, no, yes},
	{"a policy for some user", policy("./User/Vendor/MSFT/Policy/Config/Start/HideFrequentlyUsedApps", "1"), someUser, no, no, yes},
	{"a policy for every user", policy("./User/Vendor/MSFT/Policy/Config/Start/HideFrequentlyUsedApps", "1"), everyUser, no, no, yes},
	{"LAPS for the PC", laps(), thePC, no, yes, yes},
	{"LAPS for a user", laps(), someUser, no, no, yes},
	{"a SCEP certificate for the PC", scepProfile("machine"), thePC, tracked, tracked, yes},
	{"a SCEP certificate for a user", scepProfile("user"), someUser, no, no, tracked},
	{"a Wi-Fi profile for the PC", wifi("Device"), thePC, tracked, tracked, yes},
	{"a VPN profile for the PC", vpn("Device"), thePC, tracked, tracked, yes},
	{"a Wi-Fi profile for a user", wifi("User"), someUser, no, no, tracked},
	{"a Win32 app in device context for the PC", win32("system"), thePC, tracked, tracked, yes},
	{"a Win32 app in device context for every PC", win32("system"), everyPC, tracked, tracked, yes},
	{"a Win32 app in device context for the assigned user", win32("system"), assignedUser, tracked, tracked, tracked},
	{"a Win32 app in device context for some user", win32("system"), someUser, no, no, tracked},
	{"a Win32 app in user context for the PC", win32("user"), thePC, no, no, tracked},
	{"a Win32 app in user context for a user", win32("user"), someUser, no, no, tracked},
	{"a line-of-business app in device context for the PC", lob("true"), thePC, tracked, tracked, yes},
	{"a line-of-business app in device context for every PC", lob("true"), everyPC, tracked, tracked, tracked},
	{"a line-of-business app in device context for the assigned user", lob("true"), assignedUser, tracked, tracked, tracked},
	{"a line-of-business app in device context for some user", lob("true"), someUser, no, no, tracked},
	{"a line-of-business app in user context for the PC", lob("false"), thePC, no, no, tracked},
	{"a packaged app in device context for the PC", packaged(), whole(thePC), tracked, tracked, yes},
	{"a packaged app in user context for the PC", packaged(), thePC, no, no, tracked},
	{"a packaged app in user context for a user", packaged(), someUser, no, no, tracked},
	{"a WinGet app in device context for the PC", winGet("system"), thePC, tracked, tracked, yes},
	{"an app of the Enterprise App Catalog for the PC", catalog(), thePC, tracked, tracked, yes},
	{"an available Win32 app for the PC", win32("system"), available(thePC), no, no, no},
	{"an available Win32 app for a user", win32("system"), available(someUser), no, no, no},
	{"a script in system context for the PC", script("system"), thePC, yes, yes, yes},
	{"a script in user context for the PC", script("user"), thePC, unsaid, unsaid, unsaid},
	{"a compliance policy for a user", compliance(), someUser, no, no, yes},
}

const storeSettings = "#microsoft.graph.microsoftStoreForBusinessAppAssignmentSettings"

// options make a world with the row's item, assigned or not.
func (r row) options(assigned bool) []spec.Option {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(r.resource), "\n") {
		b.WriteString([]string{"- ", "  "}[min(i, 1)] + line + "\n")
	}
	if assigned {
		intent := ""
		if r.collection == "mobileApps" {
			intent = "intent: required, "
			if r.intent != "" {
				intent = "intent: " + r.intent + ", "
			}
		}
		if r.whole {
			intent += `settings: {"@odata.type": "` + storeSettings + `", useDeviceContext: true}, `
		}
		b.WriteString("  assignments: [{" + intent + "target: " + r.target + "}]\n")
	}
	return []spec.Option{spec.Resources(r.collection, b.String())}
}

// pc is a PC registered as the row says.
func (r row) pc(w *spec.World) *device.PC {
	if r.assigned {
		return w.NewRegisteredPC(spec.For("alex@contoso.com"))
	}
	return w.NewRegisteredPC()
}

// waited tells whether the page's lists have the item, for a user or, with an
// empty sid, for the PC.
func (r row) waited(pc *device.PC, sid string) bool {
	reg := pc.Disk.Registry
	if r.list == sidecar {
		scope := "Device"
		if sid != "" {
			scope = sid
		}
		for _, app := range reg.Subkeys(device.KeyTracking + `\` + scope + `\Setup\Apps\Tracking\Sidecar`) {
			id, _, _ := strings.Cut(strings.TrimPrefix(app, "Win32App_"), "_")
			if reg.String(device.KeyIME+`\Win32Apps\`+id, "Name") == "Item" {
				return true
			}
		}
		return false
	}
	key := device.KeyESPInfo
	if sid != "" {
		key += `\` + sid
	}
	for _, stamp := range reg.Subkeys(key + `\` + r.list) {
		for _, uri := range reg.ValueNames(key + `\` + r.list + `\` + stamp) {
			if strings.Contains(strings.ToLower(uri), strings.ToLower(r.names)) {
				return true
			}
		}
	}
	return false
}

// is compares a PC with a cell.
func (r row) is(w *spec.World, pc *device.PC, want cell, sid string) {
	GinkgoHelper()
	waited, there := r.waited(pc, sid), r.there(w, pc)
	if want != unsaid {
		Expect(there).To(Equal(want != no), "whether it is on the PC")
	}
	Expect(waited).To(Equal(want == tracked), "whether the page waited for it")
}

// settle waits for what is judged by a service and not by the PC.
func (r row) settle(w *spec.World) {
	GinkgoHelper()
	if r.collection == "deviceCompliancePolicies" {
		w.Wait(evaluation)
	}
}

// paths of the collections in Graph.
var paths = map[string]string{
	"mobileApps":               "/beta/deviceAppManagement/mobileApps",
	"deviceConfigurations":     "/beta/deviceManagement/deviceConfigurations",
	"deviceManagementScripts":  "/beta/deviceManagement/deviceManagementScripts",
	"deviceCompliancePolicies": "/beta/deviceManagement/deviceCompliancePolicies",
}

// assign does in Graph what the file did not say.
func (r row) assign(w *spec.World) {
	GinkgoHelper()
	var all graph.Collection[struct {
		ID          string `json:"id"`
		DisplayName string `json:"displayName"`
	}]
	w.Graph(http.MethodGet, paths[r.collection], nil, &all)
	for _, x := range all.Value {
		if x.DisplayName == "Item" {
			w.Graph(http.MethodPost, paths[r.collection]+"/"+x.ID+"/assign", r.body(w), nil)
			return
		}
	}
	Fail("the tenant has no Item")
}

func (r row) body(w *spec.World) any {
	target := graph.AllDevices()
	if strings.Contains(r.target, "allLicensedUsers") {
		target = graph.AllUsers()
	}
	for _, g := range w.Tenant.Groups {
		if strings.Contains(r.target, g.DisplayName) {
			target = graph.Group(g.ID)
		}
	}
	switch r.collection {
	case "mobileApps":
		intent := graph.IntentRequired
		if r.intent != "" {
			intent = graph.Intent(r.intent)
		}
		assignment := graph.MobileAppAssignment{Intent: intent, Target: target}
		if r.whole {
			assignment.Settings = &graph.AppAssignmentSettings{ODataType: storeSettings, UseDeviceContext: true}
		}
		return graph.AppAssignRequest{Assignments: []graph.MobileAppAssignment{assignment}}
	case "deviceManagementScripts":
		return map[string]any{"deviceManagementScriptAssignments": []graph.Assignment{{Target: target}}}
	}
	return map[string]any{"assignments": []graph.Assignment{{Target: target}}}
}

// shelf is how long a PC lies between the flows.
const shelf = 3 * time.Hour

// between pre-provisions a PC, assigns the item, and has the user sign in.
func (r row) between() (*spec.World, *device.PC) {
	GinkgoHelper()
	w := spec.NewWorld(r.options(false)...)
	pc := r.pc(w)
	w.Provision(pc)
	r.assign(w)
	w.Ship(pc, shelf)
	w.PowerOn(pc)
	w.Await(pc, oobe.ScreenLanguage)
	w.Press(pc, oobe.ButtonYes)
	s := w.Await(pc, oobe.ScreenSignIn)
	if r.assigned {
		Expect(s.Line(oobe.FieldEmail)).To(Equal("alex@contoso.com"))
	}
	w.SignIn(pc, w.User("alex"))
	return w, pc
}

// Each cell is a world of its own.
var _ = Describe("what is applied when, and what the page waits for:", Label("SR-14", "SR-15", "SR-18", "SR-33", "SR-34"), func() {
	for _, r := range table {
		Describe(r.name, func() {
			It(r.technician.String()+" at the end of the technician flow", func() {
				w := spec.NewWorld(r.options(true)...)
				pc := r.pc(w)
				w.ToSuccess(pc)
				r.settle(w)
				r.is(w, pc, r.technician, "")
			})

			It(r.device.String()+" at the end of device setup in the user flow, assigned after the technician flow", func() {
				w, pc := r.between()
				w.AwaitEvent(pc, "esp.category", map[string]string{"category": "DeviceSetup", "state": "succeeded"})
				r.is(w, pc, r.device, "")
			})

			It(r.account.String()+" at the end of account setup, assigned after the technician flow", func() {
				w, pc := r.between()
				w.Await(pc, oobe.ScreenDesktop)
				r.settle(w)
				r.is(w, pc, r.account, w.SID(pc))
			})
		})
	}
})
