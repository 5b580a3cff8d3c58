package ldap

import (
	"slices"
	"strings"

	wire "windtunnel.test/sim/wire/ldap"
)

// supportedExtensions are the extended operations ([MS-ADTS] 3.1.1.3.4.2).
var supportedExtensions = []string{wire.StartTLS, wire.WhoAmI}

// capabilities say which release the server is of ([MS-ADTS] 3.1.1.3.4.3): Active Directory, V51, LDAP integrity, V60,
// V61_R2, W8.
var capabilities = []string{
	"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670", "1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935",
	"1.2.840.113556.1.4.2080", "1.2.840.113556.1.4.2237",
}

// rootDSE is the server's own object ([MS-ADTS] 3.1.1.3.2), as far as the request's filter is about it and with the
// attributes that it asks for.
func (t *session) rootDSE(r *wire.SearchRequest) found {
	e := t.s.Directory.RootDSE()
	e.Attributes = append(slices.Clone(e.Attributes),
		wire.Text("supportedControl", supportedControls...),
		wire.Text("supportedExtension", supportedExtensions...),
		wire.Text("supportedCapabilities", capabilities...),
		wire.Text("supportedLDAPVersion", "3", "2"),
		wire.Text("supportedLDAPPolicies", "MaxPageSize", "MaxReceiveBuffer", "InitRecvTimeout", "MaxConnIdleTime", "MaxResultSetsPerConn"),
	)
	if t.s.Accept != nil {
		e.Attributes = append(e.Attributes, wire.Text("supportedSASLMechanisms", wire.MechanismGSSAPI, wire.MechanismSPNEGO))
	}
	if !about(&e, r.Filter) {
		return &one{}
	}
	return &one{chosen(e, r), 1}
}

// about tells whether a filter can be true of the root's object: presence and equality are looked at, all else is not.
func about(e *wire.Entry, f *wire.Filter) bool {
	switch f.Kind {
	case wire.And:
		return !slices.ContainsFunc(f.Children, func(c *wire.Filter) bool { return !about(e, c) })
	case wire.Or:
		return slices.ContainsFunc(f.Children, func(c *wire.Filter) bool { return about(e, c) })
	case wire.Not:
		return !about(e, f.Children[0])
	case wire.Present:
		return strings.EqualFold(f.Attribute, "objectClass") || e.Values(f.Attribute) != nil
	case wire.Equal:
		return slices.ContainsFunc(e.Texts(f.Attribute), func(v string) bool { return strings.EqualFold(v, string(f.Value)) })
	}
	return false
}

// chosen leaves the attributes that were asked for, in the server's order.
func chosen(e wire.Entry, r *wire.SearchRequest) wire.Entry {
	all := len(r.Attributes) == 0
	for _, a := range r.Attributes {
		all = all || a == "*"
	}
	out := wire.Entry{DN: e.DN}
	for _, a := range e.Attributes {
		asked := slices.ContainsFunc(r.Attributes, func(n string) bool { return strings.EqualFold(n, a.Type) })
		if !all && !asked || len(a.Values) == 0 {
			continue
		}
		if r.TypesOnly {
			a.Values = nil
		}
		out.Attributes = append(out.Attributes, a)
	}
	return out
}
