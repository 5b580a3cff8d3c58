package spec

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// Events gives what happened to a PC, of these kinds; all kinds where none is
// named. A nil PC stands for the world itself.
func (w *World) Events(pc *device.PC, kinds ...string) []journal.Event {
	name := ""
	if pc != nil {
		name = pc.Name
	}
	return w.EventsOf(name, kinds...)
}

// EventsOf is Events for whoever has a name in the journal: a connector, or the
// directory synchronisation.
func (w *World) EventsOf(name string, kinds ...string) []journal.Event {
	var found []journal.Event
	for _, e := range w.record.Timeline(name) {
		if len(kinds) == 0 {
			found = append(found, e)
		}
		for _, k := range kinds {
			if e.Kind == k {
				found = append(found, e)
			}
		}
	}
	return found
}

// Texts gives one field of a PC's events of a kind, in their order.
func (w *World) Texts(pc *device.PC, kind, field string) []string {
	var texts []string
	for _, e := range w.Events(pc, kind) {
		texts = append(texts, e.Text(field))
	}
	return texts
}

// Products are the installed products, by name.
func (w *World) Products(pc *device.PC) []string {
	return pc.Disk.Registry.Subkeys(device.KeyUninstall)
}

// Policy reads a policy in force on a PC: the device's with an empty sid, else
// that user's. "" where it is not set.
func (w *World) Policy(pc *device.PC, sid, area, name string) string {
	if sid == "" {
		sid = "device"
	}
	return pc.Disk.Registry.String(device.KeyPolicyManager+`\`+sid+`\`+area, name)
}

// Graph makes a call of Microsoft Graph as the tenant's administrator. path
// begins with the version: "/v1.0/users".
func (w *World) Graph(method, path string, in, out any) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.TryGraph(method, path, in, out)).To(gomega.Succeed())
}

// TryGraph is Graph for a call that may be refused, with a *sim.GraphError.
func (w *World) TryGraph(method, path string, in, out any) error {
	ginkgo.GinkgoHelper()
	return w.try(func(ctx context.Context) error {
		return w.admin.Graph(ctx, method, "https://"+hosts.Graph+path, in, out)
	})
}

const identities = "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities"

// Identity is a PC's Autopilot device identity, as Graph has it.
func (w *World) Identity(pc *device.PC) graph.AutopilotDevice {
	ginkgo.GinkgoHelper()
	d, ok := w.FindIdentity(pc)
	gomega.Expect(ok).To(gomega.BeTrue(), "%s is not registered", pc.Name)
	return d
}

// FindIdentity is Identity for a PC that may not be registered.
func (w *World) FindIdentity(pc *device.PC) (graph.AutopilotDevice, bool) {
	ginkgo.GinkgoHelper()
	var all graph.Collection[graph.AutopilotDevice]
	w.Graph(http.MethodGet, identities, nil, &all)
	for _, d := range all.Value {
		if d.SerialNumber == pc.Hardware.Serial {
			return d, true
		}
	}
	return graph.AutopilotDevice{}, false
}

// AssignUser assigns a user to a PC's registration.
func (w *World) AssignUser(pc *device.PC, who Person) {
	ginkgo.GinkgoHelper()
	w.Graph(http.MethodPost, identities+"/"+w.Identity(pc).ID+"/assignUserToDevice", graph.AssignUserRequest{UserPrincipalName: who.UPN}, nil)
}

// Managed is a PC's managed device in Intune.
func (w *World) Managed(pc *device.PC) (graph.ManagedDevice, bool) {
	ginkgo.GinkgoHelper()
	var all graph.Collection[graph.ManagedDevice]
	w.Graph(http.MethodGet, "/v1.0/deviceManagement/managedDevices", nil, &all)
	for _, d := range all.Value {
		if d.SerialNumber == pc.Hardware.Serial {
			return d, true
		}
	}
	return graph.ManagedDevice{}, false
}

// FailureOf is how a person's flow failed, nil where it did not end on a
// failure's screen.
func FailureOf(err error) *sim.Failed {
	var f *sim.Failed
	errors.As(err, &f)
	return f
}

// StuckAt is where a person gave up, nil where nobody did.
func StuckAt(err error) *sim.Stuck {
	var s *sim.Stuck
	errors.As(err, &s)
	return s
}

// Unblock lets a PC that was deployed without a user be deployed so again: the
// portal's "Unblock device".
func (w *World) Unblock(pc *device.PC) error {
	ginkgo.GinkgoHelper()
	return w.TryGraph(http.MethodPost, "/beta/deviceManagement/windowsAutopilotDeviceIdentities/"+w.Identity(pc).ID+"/allowNextEnrollment", nil, nil)
}

// SID is the security identifier of the user whose PC it is, "" before anybody
// signed in.
func (w *World) SID(pc *device.PC) string { return pc.Disk.Registry.String(device.KeyOOBE, "UserSID") }

// EntraDevices are the tenant's device objects, as Graph has them.
func (w *World) EntraDevices() []graph.Device {
	ginkgo.GinkgoHelper()
	var all graph.Collection[graph.Device]
	w.Graph(http.MethodGet, "/v1.0/devices", nil, &all)
	return all.Value
}

// EntraDevice is the device object of a PC's registration.
func (w *World) EntraDevice(pc *device.PC) graph.Device {
	ginkgo.GinkgoHelper()
	id := w.Identity(pc).AzureActiveDirectoryDeviceID
	for _, d := range w.EntraDevices() {
		if d.DeviceID == id {
			return d
		}
	}
	ginkgo.Fail("no device object " + id + " of " + pc.Name)
	return graph.Device{}
}

// Verdict is what Entra ID says of a device's compliance from a moment on.
type Verdict struct {
	At        time.Time
	Compliant bool // unknown counts as no
}

// WatchCompliance looks at a PC's device object from now on, so often, and
// lists when its compliance changed; the first entry is how it is now.
func (w *World) WatchCompliance(pc *device.PC, every time.Duration) *[]Verdict {
	ginkgo.GinkgoHelper()
	path := "https://" + hosts.Graph + "/v1.0/devices/" + w.EntraDevice(pc).ID
	seen := &[]Verdict{}
	auditor := w.World.Administrator()
	w.Clock.Go(vclock.Daemon(context.Background()), "auditor", func(ctx context.Context) {
		for {
			var d graph.Device
			if err := auditor.Graph(ctx, http.MethodGet, path, nil, &d); err != nil {
				return // the world has ended
			}
			v := Verdict{w.Clock.Now(), d.IsCompliant != nil && *d.IsCompliant}
			if n := len(*seen); n == 0 || (*seen)[n-1].Compliant != v.Compliant {
				*seen = append(*seen, v)
			}
			if w.Clock.Sleep(ctx, every, "auditor") != nil {
				return
			}
		}
	})
	return seen
}

// AssignApp makes an app of the tenant required for a group.
func (w *World) AssignApp(app, group string) {
	ginkgo.GinkgoHelper()
	for _, a := range w.Tenant.Apps {
		for _, g := range w.Tenant.Groups {
			if a.DisplayName == app && g.DisplayName == group {
				w.Graph(http.MethodPost, "/beta/deviceAppManagement/mobileApps/"+a.ID+"/assign", graph.AppAssignRequest{
					Assignments: []graph.MobileAppAssignment{{Intent: graph.IntentRequired, Target: graph.Group(g.ID)}},
				}, nil)
				return
			}
		}
	}
	ginkgo.Fail("the tenant has no app " + app + " or no group " + group)
}

// Order lists the kinds of a PC's events, of these kinds, as they happened.
func (w *World) Order(pc *device.PC, kinds ...string) []string {
	var order []string
	for _, e := range w.Events(pc, kinds...) {
		order = append(order, e.Kind)
	}
	return order
}
