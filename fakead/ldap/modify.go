package ldap

import wire "windtunnel.test/sim/wire/ldap"

// modify does the changes. With permissive modify ([MS-ADTS] 3.1.1.3.4.1.8) values that are already there, and absent
// ones that shall go, are left out first, as far as they are the request's whole doing.
func (t *session) modify(dn string, changes []wire.Change, c controls) error {
	err := t.s.Directory.Modify(t.ctx, t.who, dn, changes)
	if err == nil || !c.permissive {
		return err
	}
	switch wire.CodeOf(err) {
	case wire.AttributeOrValueExists, wire.NoSuchAttribute:
	default:
		return err
	}
	left, fewer, cause := t.needed(dn, changes)
	if cause != nil || !fewer {
		return err
	}
	if len(left) == 0 {
		return nil
	}
	return t.s.Directory.Modify(t.ctx, t.who, dn, left)
}

// needed are the changes that change something, and whether they are fewer.
func (t *session) needed(dn string, changes []wire.Change) (left []wire.Change, fewer bool, err error) {
	for _, c := range changes {
		if c.Op == wire.ReplaceValues {
			left = append(left, c)
			continue
		}
		one := wire.Change{Op: c.Op, Attribute: wire.Attribute{Type: c.Attribute.Type}}
		for _, v := range c.Attribute.Values {
			has, err := t.s.Directory.Compare(t.ctx, t.who, dn, c.Attribute.Type, v)
			if err != nil && wire.CodeOf(err) != wire.NoSuchAttribute {
				return nil, false, err
			}
			if has != (c.Op == wire.DeleteValues) {
				fewer = true
				continue
			}
			one.Attribute.Values = append(one.Attribute.Values, v)
		}
		if len(one.Attribute.Values) > 0 {
			left = append(left, one)
		}
	}
	return left, fewer, nil
}
