package odj

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Win7 is what a computer needs to be a member of a domain: the content of
// ODJ_WIN7BLOB. GUIDs are in lower case without braces, SIDs as "S-1-5-21-...".
type Win7 struct {
	Domain          string // as it was asked for: DNS or NetBIOS name
	MachineName     string // without the "$"
	MachinePassword string
	DNSDomain       DomainInfo
	Controller      ControllerInfo
	Options         uint32 // as NetProvisionComputerAccount got them

	// AccountSID is the computer account's own SID. It is not in the
	// ODJ_WIN7BLOB but in the package beside it; "" writes no package.
	AccountSID string
}

// DomainInfo is POLICY_DNS_DOMAIN_INFO ([MS-LSAD] 2.2.4.14).
type DomainInfo struct {
	Name   string // NetBIOS
	DNS    string
	Forest string
	GUID   string
	SID    string // of the domain
}

// ControllerInfo is DOMAIN_CONTROLLER_INFO ([MS-NRPC] 2.2.1.2.1): the controller that made
// the account.
type ControllerInfo struct {
	Name        string // `\\dc1.corp.contoso.com`
	Address     string // `\\10.0.0.10`
	AddressType uint32 // 1: an IP address, 2: a NetBIOS name
	DomainGUID  string
	Domain      string
	Forest      string
	Flags       uint32
	Site        string
	ClientSite  string
}

// Addresses, and the options that real producers write.
const (
	AddressInet    = 1
	AddressNetBIOS = 2
	OptionsDefault = 6 // what Windows and Samba write
)

// maxString bounds a string of a blob in UTF-16 units: the longest that
// UNICODE_STRING can tell, its NUL included.
const maxString = 1<<15 - 2

var errWin7 = errors.New("domain, machine name and machine password are needed")

// check tells what cannot be written.
func (w Win7) check() error {
	if w.Domain == "" || w.MachineName == "" || w.MachinePassword == "" {
		return errWin7
	}
	i, c := w.DNSDomain, w.Controller
	for _, s := range []string{w.Domain, w.MachineName, w.MachinePassword, i.Name, i.DNS, i.Forest, c.Name, c.Address, c.Domain, c.Forest, c.Site, c.ClientSite} {
		if len(s) > 3*maxString || len(utf16.Encode([]rune(s))) > maxString || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return fmt.Errorf("a string of %d bytes is too long or no text", len(s))
		}
	}
	for _, g := range []string{i.GUID, c.DomainGUID} {
		if _, err := guidBytes(g); err != nil {
			return err
		}
	}
	for _, s := range []string{i.SID, w.AccountSID} {
		if s == "" {
			continue
		}
		if _, err := parseSID(s); err != nil {
			return err
		}
	}
	return nil
}

// encode is ODJ_WIN7BLOB, serialised.
func (w Win7) encode() []byte {
	return serialise(func(e *encoder) {
		e.text(w.Domain)
		e.text(w.MachineName)
		e.text(w.MachinePassword)
		i := w.DNSDomain
		e.counted(i.Name)
		e.counted(i.DNS)
		e.counted(i.Forest)
		e.guid(i.GUID)
		e.sid(i.SID)
		c := w.Controller
		e.text(c.Name)
		e.text(c.Address)
		e.u32(c.AddressType)
		e.guid(c.DomainGUID)
		e.text(c.Domain)
		e.text(c.Forest)
		e.u32(c.Flags)
		e.text(c.Site)
		e.text(c.ClientSite)
		e.u32(w.Options)
	})
}

// decodeWin7 reads a serialised ODJ_WIN7BLOB.
func decodeWin7(p []byte) (w Win7, err error) {
	err = deserialise("ODJ_WIN7BLOB", p, func(d *decoder) {
		d.text(&w.Domain)
		d.text(&w.MachineName)
		d.text(&w.MachinePassword)
		i := &w.DNSDomain
		d.counted(&i.Name)
		d.counted(&i.DNS)
		d.counted(&i.Forest)
		i.GUID = d.guid()
		d.sid(&i.SID)
		c := &w.Controller
		d.text(&c.Name)
		d.text(&c.Address)
		c.AddressType = d.u32()
		c.DomainGUID = d.guid()
		d.text(&c.Domain)
		d.text(&c.Forest)
		c.Flags = d.u32()
		d.text(&c.Site)
		d.text(&c.ClientSite)
		w.Options = d.u32()
	})
	if err == nil && (w.Domain == "" || w.MachineName == "" || w.MachinePassword == "") {
		err = fmt.Errorf("odj: ODJ_WIN7BLOB: %w", errWin7)
	}
	return w, err
}
