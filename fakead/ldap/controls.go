package ldap

import (
	wire "windtunnel.test/sim/wire/ldap"
)

// supportedControls are those that have an effect or none to have ([MS-ADTS] 3.1.1.3.4.1).
var supportedControls = []string{
	wire.ControlPaged, wire.ControlSDFlags, wire.ControlSortRequest, wire.ControlShowDeleted, wire.ControlLazyCommit,
	wire.ControlTreeDelete, wire.ControlDomainScope, wire.ControlSearchOption, wire.ControlPermissive,
}

// controls are what a request's controls ask for.
type controls struct {
	paged       *wire.Paged
	sort        []wire.SortKey
	domainScope bool
	deleted     bool
	tree        bool
	permissive  bool
}

// critical refuses controls that the server does not know and may not ignore (RFC 4511 4.1.11).
func (t *session) critical(m *wire.Message) error {
	for i := range m.Controls {
		if c := &m.Controls[i]; c.Critical && !known(c.Type) {
			return unavailable()
		}
	}
	return nil
}

func unavailable() error {
	return refusal(wire.UnavailableCriticalExtension, "00002040", "Error processing control")
}

func known(typ string) bool {
	for _, k := range supportedControls {
		if k == typ {
			return true
		}
	}
	return typ == wire.ControlManageDSAIT // named nowhere, and no harm: there are no referral objects
}

func (t *session) controls(m *wire.Message) (out controls, err error) {
	if len(m.Controls) == 0 {
		return out, nil
	}
	if err := t.critical(m); err != nil {
		return out, err
	}
	for i := range m.Controls {
		if err := out.add(&m.Controls[i]); err != nil {
			return out, unavailable()
		}
	}
	return out, nil
}

// domainScopeOption is SERVER_SEARCH_FLAG_DOMAIN_SCOPE ([MS-ADTS] 3.1.1.3.4.1.12).
const domainScopeOption = 1

func (o *controls) add(c *wire.Control) (err error) {
	switch c.Type {
	case wire.ControlPaged:
		var p wire.Paged
		p, err = wire.ParsePaged(c.Value)
		o.paged = &p
	case wire.ControlSortRequest:
		o.sort, err = wire.ParseSort(c.Value)
	case wire.ControlSDFlags:
		_, err = wire.ParseFlags(c.Value)
	case wire.ControlSearchOption:
		var flags int
		flags, err = wire.ParseFlags(c.Value)
		o.domainScope = o.domainScope || flags&domainScopeOption != 0
	case wire.ControlDomainScope:
		o.domainScope = true
	case wire.ControlShowDeleted:
		o.deleted = true
	case wire.ControlTreeDelete:
		o.tree = true
	case wire.ControlPermissive:
		o.permissive = true
	}
	return err
}
