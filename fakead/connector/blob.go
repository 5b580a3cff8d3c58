package connector

import (
	"context"
	"strings"

	wire "windtunnel.test/sim/wire/connector"
	"windtunnel.test/sim/wire/odj"
)

// blob is what the device is to know, but for its name and SID.
func (c *Connector) blob(ctx context.Context, o Options, s *session) odj.Win7 {
	dc := s.dc
	w := odj.Win7{
		Domain: o.Domain, MachinePassword: c.password(), Options: odj.OptionsDefault,
		DNSDomain: odj.DomainInfo{Name: dc.NetBIOS, DNS: dc.Domain, Forest: dc.Forest, GUID: dc.DomainGUID.String(), SID: s.sid},
		Controller: odj.ControllerInfo{Name: `\\` + dc.Name, Address: `\\` + dc.Name, AddressType: odj.AddressNetBIOS, DomainGUID: dc.DomainGUID.String(),
			Domain: dc.Domain, Forest: dc.Forest, Flags: dc.Flags, Site: dc.Site, ClientSite: dc.ClientSite},
	}
	if found, err := c.o.Net.Lookup(ctx, dc.Name); err == nil && len(found) > 0 {
		w.Controller.Address, w.Controller.AddressType = `\\`+found[0].String(), odj.AddressInet
	}
	return w
}

const (
	nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	letters        = 26
	// passwordLength is what Windows and Samba give a machine ([MS-NRPC] 3.1.1: up
	// to 120 characters).
	passwordLength = 120
)

// name makes a computer name up. One of digits only is none.
func (c *Connector) name(r wire.Request) string {
	var b strings.Builder
	b.WriteString(r.NamePrefix)
	from := nameCharacters
	if strings.Trim(r.NamePrefix, "0123456789") == "" {
		from = nameCharacters[:letters]
	}
	for b.Len() < len(r.NamePrefix)+r.RandomCharacters {
		b.WriteByte(c.pick(from))
		from = nameCharacters
	}
	return b.String()
}

// password makes a machine's password up, of all that can be typed.
func (c *Connector) password() string {
	var all, b strings.Builder
	for ch := byte('!'); ch <= '~'; ch++ {
		all.WriteByte(ch)
	}
	for b.Len() < passwordLength {
		b.WriteByte(c.pick(all.String()))
	}
	return b.String()
}

// pick draws one of at most 256 characters, each as often as the others.
func (c *Connector) pick(of string) byte {
	for {
		if n := int(c.random(1)[0]); n < 256/len(of)*len(of) {
			return of[n%len(of)]
		}
	}
}
