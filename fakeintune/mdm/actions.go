package mdm

import (
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// actions sends what an administrator asked of the device. alone says that
// nothing else is worth sending: the device, or its management, is about to go.
func (c *conversation) actions() (alone bool, err error) {
	t, id := c.client.Tenant, c.client.Device.ID
	for _, a := range t.Pending(id) {
		cmd, last := command(a)
		if cmd.Verb == "" { // the session itself is what was asked for
			if err := t.Done(c.ctx, id, a.ID, true); err != nil {
				return false, err
			}
			continue
		}
		if err := t.Sent(id, a.ID); err != nil {
			return false, err
		}
		c.ask(kindAction, item{owner: a.ID, uri: cmd.Items[0].Target}, cmd)
		alone = alone || last
	}
	return alone, nil
}

// command is what an action sends; the zero value: nothing. last says that
// nothing comes after it.
func command(a tenant.Action) (cmd syncml.Command, last bool) {
	switch a.Name {
	case tenant.ActionReboot:
		return syncml.NewExec(csp.RebootNow, "", ""), false
	case tenant.ActionRetire:
		return syncml.NewExec(csp.DMClient(csp.Device, csp.Unenroll), syncml.Chr, csp.Provider), true
	case tenant.ActionWipe:
		if a.KeepUserData || a.KeepEnrollmentData {
			return syncml.NewExec(csp.WipeKeepingUserData, "", ""), true
		}
		return syncml.NewExec(csp.Wipe, "", ""), true
	case tenant.ActionClean:
		if a.KeepUserData {
			return syncml.NewExec(csp.CleanKeepingUserData, "", ""), true
		}
		return syncml.NewExec(csp.Clean, "", ""), true
	case tenant.ActionLogs:
		return syncml.NewExec(csp.ArchiveDefinition, syncml.Chr, a.Document), false
	case tenant.ActionRotateKeys:
		return syncml.NewExec(csp.BitLockerRotate, syncml.Chr, a.ID), false
	case tenant.ActionRotatePassword:
		return syncml.NewExec(csp.LAPSReset, "", ""), false
	case tenant.ActionAutopilotReset:
		return syncml.NewExec(csp.AutomaticRedeployment, "", ""), true
	}
	return syncml.Command{}, false
}

// acted records how the device took an action. A device that was told to leave
// has no record any more.
func (c *conversation) acted(p pending, code syncml.StatusCode) error {
	t, id := c.client.Tenant, c.client.Device.ID
	if err := t.Done(c.ctx, id, p.Owner, code.TookEffect()); err != nil {
		return err
	}
	m, err := t.Device(id)
	if err != nil {
		c.row.Session.Unenroll = true
		return nil
	}
	c.client.Device = m
	return nil
}
