package connect

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/ldap"
)

// found is what an import brought.
type found struct {
	computers []dirsync.Computer
	users     []dirsync.User
	deleted   []string
	full      bool
	usn       uint64
	source    string
}

// accountDisabled is ADS_UF_ACCOUNTDISABLE ([MS-ADTS] 2.2.16).
const accountDisabled = 2

// read imports what has changed since the last import at this controller, or
// everything.
func (c *Connect) read(ctx context.Context) (*found, error) {
	dc, usn, err := c.look(ctx)
	if err != nil {
		return nil, err
	}
	if dc.Name == c.source && usn == c.usn && c.usn != 0 {
		return &found{usn: usn, source: c.source}, nil
	}
	l, err := adclient.OpenAt(ctx, c.host(), dc, c.o.Domain, c.o.Account, adclient.Secret{Password: c.o.Password})
	if err != nil {
		return nil, fmt.Errorf("connect to %s as %s: %w", c.o.Domain, c.o.Account, err)
	}
	defer l.Close()
	source := dc.Name
	root, err := l.RootDSE("defaultNamingContext")
	if err != nil {
		return nil, err
	}
	// A lower number than before is a controller that was restored.
	f := &found{usn: usn, source: source, full: source != c.source || c.usn == 0 || usn < c.usn}
	since := ""
	var controls []ldap.Control
	if !f.full {
		since = "(uSNChanged>=" + strconv.FormatUint(c.usn+1, 10) + ")"
		controls = []ldap.Control{{Type: ldap.ControlShowDeleted, Critical: true}}
	}
	entries, err := l.Search(ldap.SearchRequest{
		Base: root.Text("defaultNamingContext"), Scope: ldap.WholeSubtree,
		Filter:     ldap.MustFilter("(&(objectClass=user)" + since + ")"), // a computer is a user too
		Attributes: attributes,
	}, controls...)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	c.sort(f, entries)
	return f, nil
}

// look asks a controller, as nobody, which change was its last: most cycles have
// nothing to do.
func (c *Connect) look(ctx context.Context) (*adclient.Controller, uint64, error) {
	h := c.host()
	dc, err := c.controller(ctx, h)
	if err != nil {
		return nil, 0, err
	}
	l, err := adclient.DialLDAP(ctx, h, dc.Name)
	if err != nil {
		return nil, 0, err
	}
	defer l.Close()
	root, err := l.RootDSE("highestCommittedUSN")
	if err != nil {
		return nil, 0, err
	}
	usn, err := strconv.ParseUint(root.Text("highestCommittedUSN"), 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("highestCommittedUSN: %w", err)
	}
	return dc, usn, nil
}

// controller is that of the last import as long as it answers: another one may
// not have heard yet of what the last one knew, and would seem to have lost it.
func (c *Connect) controller(ctx context.Context, h adclient.Host) (*adclient.Controller, error) {
	if c.source != "" {
		if dc, err := adclient.Ping(ctx, h, c.o.Domain, c.source); err == nil {
			return dc, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
	}
	return adclient.Locate(ctx, h, c.o.Domain, c.o.Site)
}

var attributes = []string{
	"objectClass", "objectGUID", "objectSid", "cn", "isDeleted", "userCertificate", "userAccountControl", "operatingSystemVersion",
	"userPrincipalName", "sAMAccountName",
}

// sort makes exports of entries, in the directory's order.
func (c *Connect) sort(f *found, entries []ldap.Entry) {
	here := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		id, err := ldap.GUIDFromBytes(e.Bytes("objectGUID"))
		if err != nil {
			continue
		}
		guid := strings.ToLower(id.String())
		out := strings.EqualFold(e.Text("isDeleted"), "TRUE") || !c.inScope(e.DN)
		computer := slices.ContainsFunc(e.Texts("objectClass"), func(s string) bool { return strings.EqualFold(s, "computer") })
		if !out && !computer {
			c.user(f, e, id)
			continue
		}
		cert := certificate(e, guid)
		if out || cert == nil {
			if !f.full && c.exported[guid] != "" {
				f.deleted = append(f.deleted, guid)
			}
			continue
		}
		here[guid] = true
		uac, _ := strconv.ParseUint(e.Text("userAccountControl"), 10, 32) // none: an account in use
		sid, _ := ldap.SIDFromBytes(e.Bytes("objectSid"))                 // none: nothing can claim the object
		f.computers = append(f.computers, dirsync.Computer{
			GUID: guid, SID: sid.String(), Name: e.Text("cn"), OSVersion: osVersion(e.Text("operatingSystemVersion")), Certificate: cert, Enabled: uac&accountDisabled == 0,
		})
	}
	if !f.full {
		return
	}
	for guid := range c.exported {
		if !here[guid] {
			f.deleted = append(f.deleted, guid)
		}
	}
	slices.Sort(f.deleted)
}

func (c *Connect) user(f *found, e *ldap.Entry, id ldap.GUID) {
	if e.Text("userPrincipalName") == "" {
		return
	}
	sid, _ := ldap.SIDFromBytes(e.Bytes("objectSid")) // informative only
	f.users = append(f.users, dirsync.User{
		UPN: e.Text("userPrincipalName"), Anchor: base64.StdEncoding.EncodeToString(e.Bytes("objectGUID")), SAM: e.Text("sAMAccountName"), SID: sid.String(), DN: e.DN,
	})
}

func (c *Connect) inScope(text string) bool {
	if len(c.scope) == 0 {
		return true
	}
	dn, err := ldap.ParseDN(text)
	return err == nil && slices.ContainsFunc(c.scope, func(s ldap.DN) bool { return dn.Equal(s) || dn.Below(s) })
}

// certificate is the newest one whose subject is the computer's own objectGUID;
// others, of an enterprise's own authority say, are no claim on a device object.
func certificate(e *ldap.Entry, guid string) (der []byte) {
	var best *x509.Certificate
	for _, value := range e.Values("userCertificate") {
		cert, err := x509.ParseCertificate(value)
		if err == nil && strings.EqualFold(cert.Subject.CommonName, guid) && (best == nil || cert.NotBefore.After(best.NotBefore)) {
			best, der = cert, value
		}
	}
	return der
}

// osVersion makes "10.0.26100" of what the directory has: "10.0 (26100)".
func osVersion(v string) string {
	version, build, ok := strings.Cut(strings.TrimSuffix(v, ")"), " (")
	if !ok {
		return v
	}
	return version + "." + build
}

// digest tells whether an object has changed since it was exported.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
