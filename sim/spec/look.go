package spec

import (
	"context"
	"errors"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// Events gives what happened to a PC and is remembered of it, of these kinds;
// all kinds where none is named. A nil PC stands for the world itself.
func (w *World) Events(pc *device.PC, kinds ...string) []journal.Event {
	name := ""
	if pc != nil {
		name = pc.Name
	}
	var found []journal.Event
	for _, e := range w.Timeline.Timeline(name) {
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
	GinkgoHelper()
	Expect(w.TryGraph(method, path, in, out)).To(Succeed())
}

// TryGraph is Graph for a call that may be refused, with a *sim.GraphError.
func (w *World) TryGraph(method, path string, in, out any) (err error) {
	GinkgoHelper()
	w.Do(func(ctx context.Context) { err = w.admin.Graph(ctx, method, "https://"+hosts.Graph+path, in, out) })
	return err
}

const identities = "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities"

// Identity is a PC's Autopilot device identity, as Graph has it.
func (w *World) Identity(pc *device.PC) graph.AutopilotDevice {
	GinkgoHelper()
	d, ok := w.FindIdentity(pc)
	Expect(ok).To(BeTrue(), "%s is not registered", pc.Name)
	return d
}

// FindIdentity is Identity for a PC that may not be registered.
func (w *World) FindIdentity(pc *device.PC) (graph.AutopilotDevice, bool) {
	GinkgoHelper()
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
	GinkgoHelper()
	w.Graph(http.MethodPost, identities+"/"+w.Identity(pc).ID+"/assignUserToDevice", graph.AssignUserRequest{UserPrincipalName: who.UPN}, nil)
}

// Managed is a PC's managed device in Intune.
func (w *World) Managed(pc *device.PC) (graph.ManagedDevice, bool) {
	GinkgoHelper()
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
