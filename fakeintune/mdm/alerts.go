package mdm

import (
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// alerts takes in what the device says unasked: how commands ended that it
// accepted with 202, and that its user ends the enrolment. Windows sends such
// results as 1226, the sample of EnterpriseDesktopAppManagement as 1224.
func (c *conversation) alerts() error {
	var changes []func(*tenant.ManagedDevice)
	for i := range c.now {
		cmd := &c.now[i]
		if cmd.Verb != syncml.Alert || cmd.Code != syncml.AlertGeneric && cmd.Code != syncml.AlertClientEvent {
			continue
		}
		if cmd.IsUnenrolment() {
			c.row.Session.Unenroll, c.ended = true, true
			return nil
		}
		for _, item := range cmd.Items {
			if change := c.result(item); change != nil {
				changes = append(changes, change)
			}
		}
	}
	return c.update(changes)
}

// result is what changes by an asynchronous result; nil: nothing.
func (c *conversation) result(item syncml.Item) func(*tenant.ManagedDevice) {
	uri, err := csp.Canonical(item.Source)
	if err != nil {
		return nil
	}
	code, err := strconv.ParseInt(strings.TrimSpace(item.Data), 10, 64)
	if err != nil {
		return nil
	}
	failed := code != 0 && code != 1 // S_OK and S_FALSE are not
	if node := jobNode(uri); node != "" && item.Meta.Type == syncml.TypeInstallResult {
		status := csp.MSIEnforced
		if failed {
			status = csp.MSIEnforceFailed
		}
		for _, j := range c.row.MSIs {
			if j.node() == node && !j.Status.Settled() {
				return c.job(pending{Owner: j.Owner, URI: node}, j.User, status)
			}
		}
		return nil
	}
	if s, name, ok := csp.ParseSCEP(uri); ok && name == csp.SCEPEnroll {
		uri = canonical(s.Node(""))
	}
	states := c.client.Device.Settings
	n := slices.IndexFunc(states, func(s tenant.SettingState) bool { return s.URI == uri && s.Status == int(syncml.AcceptedForProcessing) })
	if n < 0 {
		return nil
	}
	state := states[n]
	state.Status, state.At = int(syncml.OK), c.s.Tenants.Now()
	if failed {
		state.Status = int(syncml.CommandFailed)
	}
	c.row.Session.Changed = true
	return func(m *tenant.ManagedDevice) { m.SetSetting(state) }
}

// update applies changes to the device's record.
func (c *conversation) update(changes []func(*tenant.ManagedDevice)) error {
	if len(changes) == 0 {
		return nil
	}
	var err error
	c.client.Device, err = c.client.Tenant.UpdateDevice(c.client.Device.ID, func(m *tenant.ManagedDevice) error {
		for _, change := range changes {
			change(m)
		}
		return nil
	})
	return err
}
