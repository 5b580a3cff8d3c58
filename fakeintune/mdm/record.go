package mdm

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// complete tells whether the session's scope was sent everything once.
func (c *conversation) complete() bool {
	if user := c.row.Session.User; user != "" {
		return slices.Contains(c.client.Device.UsersSent, user)
	}
	return c.client.Device.DeviceSent
}

// record takes the answers to the last message in. fresh says that the device
// no longer knows that all was sent: it has begun anew.
func (c *conversation) record() (fresh bool, err error) {
	v := &c.row.Session
	answers := (&syncml.Message{Commands: c.now}).Answers(v.Asked)
	var changes []func(*tenant.ManagedDevice)
	var acted []func() error
	for _, p := range v.Pending {
		a, ok := answers[p.Cmd]
		if !ok {
			continue // not answered: it stays due
		}
		switch p.Kind {
		case kindSetting:
			changes = append(changes, c.setting(p, a.Status))
		case kindEnrol:
			if a.Status.Success() {
				a.Status = syncml.AcceptedForProcessing // how it ends comes later
			}
			changes = append(changes, c.setting(p, a.Status))
		case kindJob:
			if !a.Status.Success() {
				changes = append(changes, c.job(p, v.User, csp.MSIEnforceFailed))
			}
			c.row.put(sent{v.User, p.URI, p.Digest})
		case kindStatus:
			if n, ok := result(a); ok {
				code, _ := strconv.Atoi(n)
				changes = append(changes, c.job(p, v.User, jobStatus(p.URI, code)))
			}
		case kindInventory:
			if value, ok := result(a); ok {
				changes = append(changes, func(m *tenant.ManagedDevice) { takeStock(m, p.URI, value) })
			}
		case kindProbe:
			value, ok := result(a)
			fresh = !ok || !strings.EqualFold(value, "true")
		case kindCertificate:
			if value, ok := result(a); !ok || value == "" {
				c.row.drop(v.User, p.URI)
			}
		case kindRemoval:
			changes = append(changes, c.removed(p, a.Status)...)
		case kindPiece:
			c.piece(p, a.Status)
		case kindAction:
			acted = append(acted, func() error { return c.acted(p, a.Status) })
		case kindJoin:
			acted = append(acted, func() error { return c.joined(p, a.Status) })
		case kindTrigger, kindAttested, kindReport:
			if change := c.healthAnswer(p.Kind, a); change != nil {
				changes = append(changes, change)
			}
		}
	}
	if err := c.update(changes); err != nil {
		return fresh, err
	}
	for _, tell := range acted {
		if err := tell(); err != nil {
			return fresh, err
		}
	}
	return fresh, nil
}

func result(a syncml.Answer) (string, bool) {
	if !a.Status.Success() || len(a.Results) == 0 {
		return "", false
	}
	return a.Results[0].Data, true
}

// setting records what became of a setting. One that failed is sent again only
// when it changes, as Intune does.
func (c *conversation) setting(p pending, code syncml.StatusCode) func(*tenant.ManagedDevice) {
	v := &c.row.Session
	c.row.put(sent{v.User, p.URI, p.Digest})
	state := tenant.SettingState{OwnerID: p.Owner, URI: p.URI, User: v.User, Status: int(code), At: c.s.Tenants.Now()}
	known := slices.ContainsFunc(c.client.Device.Settings, func(s tenant.SettingState) bool {
		return s.OwnerID == state.OwnerID && s.URI == state.URI && s.User == state.User && s.Status == state.Status
	})
	v.Changed = v.Changed || !known
	return func(m *tenant.ManagedDevice) {
		m.SetSetting(state)
		for _, owner := range p.Also {
			same := state
			same.OwnerID = owner
			m.SetSetting(same)
		}
	}
}

// job records how far an installation is.
func (c *conversation) job(p pending, user string, status csp.MSIStatus) func(*tenant.ManagedDevice) {
	v := &c.row.Session
	for _, j := range c.row.MSIs {
		if j.Owner != p.Owner || j.User != user {
			continue
		}
		j.Status = status
		c.row.setMSI(j)
	}
	if known, ok := c.client.Device.App(p.Owner, user); !ok || known.State != int(status) {
		v.Changed = true
	}
	state := tenant.AppState{AppID: p.Owner, User: user, State: int(status), Detected: status == csp.MSIEnforced, At: c.s.Tenants.Now()}
	if status == csp.MSIEnforceFailed || status == csp.MSIDownloadFailed {
		state.Error = hresult.InstallFailure
	}
	return func(m *tenant.ManagedDevice) { m.SetApp(state) }
}

// removed forgets a setting that the device deleted, or does not have. Another
// answer leaves it: it is asked to delete it again next time.
func (c *conversation) removed(p pending, code syncml.StatusCode) []func(*tenant.ManagedDevice) {
	v := &c.row.Session
	if !code.TookEffect() && code != syncml.NotFound && code != syncml.CommandNotAllowed {
		return nil
	}
	c.row.drop(v.User, p.URI)
	v.Changed = true
	user := v.User
	return []func(*tenant.ManagedDevice){func(m *tenant.ManagedDevice) {
		m.Settings = slices.DeleteFunc(slices.Clone(m.Settings), func(s tenant.SettingState) bool { return s.URI == p.URI && s.User == user })
	}}
}

// piece looks at the answer to a piece of a large object. A refusal is the
// answer to the whole: what is left of it is not sent.
func (c *conversation) piece(p pending, code syncml.StatusCode) {
	v := &c.row.Session
	if code == syncml.ChunkAccepted || len(v.Queue) == 0 || !v.Queue[0].Begun {
		return
	}
	rest := v.Queue[0].Pending
	v.Queue = slices.Clone(v.Queue[1:])
	if rest.Kind == kindSetting {
		c.late = append(c.late, c.setting(rest, code))
	}
}

// unsendable is a command that no message to this device has room for.
func (c *conversation) unsendable(p pending) {
	c.s.Tenants.Refused(c.ctx, "mdm", "mdm.session", "MaxMsgSize or MaxObjSize", p.URI)
	if p.Kind == kindSetting || p.Kind == kindEnrol {
		c.late = append(c.late, c.setting(p, syncml.EntityTooLarge))
	}
}

// takeStock puts a value that the device told where Graph shows it.
func takeStock(m *tenant.ManagedDevice, uri, value string) {
	for _, f := range []struct {
		uri string
		to  *string
	}{
		{csp.DevDetailSwV, &m.OSVersion}, {csp.DevDetailOEM, &m.Manufacturer}, {csp.DevDetailType, &m.Model}, {csp.DevDetailDeviceName, &m.DeviceName},
		{csp.DevDetailOSPlatform, &m.SkuFamily}, {csp.DevDetailSMBIOSSerial, &m.SerialNumber}, {csp.DevDetailMACAddress, &m.WiFiMacAddress},
	} {
		if f.uri == uri {
			*f.to = value
		}
	}
}

// end closes the session.
func (c *conversation) end() error {
	v := c.row.Session
	if v.Unenroll {
		c.s.Tenants.Record(c.ctx, "mdm.unenrolled", journal.F("id", c.client.Device.ID), journal.F("serial", c.client.Device.SerialNumber))
		return c.leave()
	}
	var err error
	c.client.Device, err = c.client.Tenant.UpdateDevice(c.client.Device.ID, func(m *tenant.ManagedDevice) error {
		m.LastSyncDateTime = graph.At(c.s.Tenants.Now())
		m.PageShown = m.PageShown || v.Shown
		switch {
		case !v.Complete:
		case v.User == "":
			m.DeviceSent = true
		case !slices.Contains(m.UsersSent, v.User):
			m.UsersSent = append(slices.Clone(m.UsersSent), v.User)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.row.Session = session{}
	if err := c.s.save(c.client.Device, c.row); err != nil {
		return err
	}
	m := c.client.Device
	c.s.Tenants.Record(c.ctx, "mdm.session.ended", journal.F("id", m.ID), journal.F("user", v.User), journal.F("complete", v.Complete), journal.F("changed", v.Changed))
	if c.s.SessionEnded != nil {
		c.s.SessionEnded(c.ctx, Ended{Tenant: c.client.Tenant, DeviceID: m.ID, User: v.User, Complete: v.Complete, Changed: v.Changed, Technician: c.subject(nil).Technician, Origin: v.Origin})
	}
	return nil
}

// leave ends the management of a device: its record, and what the gateway
// knows of it, go.
func (c *conversation) leave() error {
	key := rowKey(c.client.Device)
	if err := c.client.Tenant.DeleteDevice(c.ctx, c.client.Device.ID); err != nil && !errors.Is(err, tenant.ErrNotFound) {
		return err
	}
	return c.s.Tenants.DB.Update(func(tx *store.Tx) error {
		c.s.rows.Delete(tx, key)
		return nil
	})
}
