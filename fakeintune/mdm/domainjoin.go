package mdm

import (
	"slices"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/odj"
	"windtunnel.test/sim/wire/syncml"
)

// domainJoin is for a device whose Autopilot profile makes it join a domain. The
// oldest domain-join profile that reaches one of its groups says which domain;
// the blob is asked of the connectors once, and sent when it is there. A device
// that no such profile reaches gets none, and waits in vain.
func (c *conversation) domainJoin(sub delivery.Subject, due delivery.Due) error {
	m := c.client.Device
	if !m.Hybrid || sub.User != nil {
		return nil
	}
	i := slices.IndexFunc(due.Configurations, func(t tenant.ConfigurationTarget) bool {
		return t.Configuration.DomainJoin != nil && t.Via.Has(tenant.ViaDevice)
	})
	if i < 0 {
		if d, ok := c.client.Tenant.DomainJoinOf(m.ID); !ok || d.State != tenant.JoinDelivered {
			c.s.Tenants.Record(c.ctx, "odj.noprofile", journal.F("device", m.ID))
		}
		return nil
	}
	d, err := c.client.Tenant.RequestDomainJoin(c.ctx, m.ID, due.Configurations[i].Configuration)
	if err != nil || d.State != tenant.JoinReady {
		return err
	}
	c.ask(kindJoin, item{owner: d.ID, uri: canonical(csp.ODJBlob)}, syncml.NewExec(csp.ODJBlob, syncml.B64, odj.Text(d.Blob)))
	return nil
}

// joined takes the device's answer to its blob.
func (c *conversation) joined(p pending, code syncml.StatusCode) error {
	c.row.Session.Changed = true
	if err := c.client.Tenant.DomainJoinDelivered(c.ctx, p.Owner, code.TookEffect()); err != nil {
		return err
	}
	m, err := c.client.Tenant.Device(c.client.Device.ID)
	if err == nil {
		c.client.Device = m
	}
	return err
}
