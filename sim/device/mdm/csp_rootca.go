package mdm

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// rootStores are the certificate stores that the CSP writes, where Windows has
// another name for them.
var rootStores = map[string]string{"Root": device.StoreRoot, "CA": device.StoreCA}

func rootStore(c csp.RootCertificate, sid string) string {
	name, ok := rootStores[c.Store]
	if !ok {
		name = c.Store
	}
	return scopeKey(name, sid)
}

// rootCA is the RootCATrustedCertificates CSP.
var rootCA = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		c, name, ok := csp.ParseRootCertificate(t.uri)
		switch {
		case !ok:
			return syncml.NotFound
		case name == "":
			return syncml.OK
		case name != csp.RootEncoded:
			return syncml.CommandNotAllowed
		}
		der, err := c.DER(value)
		if err != nil {
			return syncml.CommandFailed
		}
		cert, err := pki.Parse(der)
		if err != nil {
			return syncml.CommandFailed
		}
		t.w.PutCertificate(device.Certificate{Store: rootStore(c, t.sid), Name: strings.ToUpper(c.Hash), DER: der})
		t.w.Event("certificate.installed", journal.F("name", c.Hash), journal.F("subject", cert.Subject.String()), journal.F("store", c.Store), journal.F("scope", t.sid))
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		c, name, ok := csp.ParseRootCertificate(t.uri)
		if !ok {
			return "", syncml.NotFound
		}
		held, there := t.w.Disk.Certs.Find(rootStore(c, t.sid), strings.ToUpper(c.Hash))
		if !there {
			return "", syncml.NotFound
		}
		cert, err := held.Parse()
		if err != nil {
			return "", syncml.CommandFailed
		}
		switch name {
		case csp.RootEncoded:
			return csp.B64("", held.DER).Value, syncml.OK
		case csp.RootIssuedBy:
			return cert.Issuer.CommonName, syncml.OK
		case csp.RootIssuedTo:
			return cert.Subject.CommonName, syncml.OK
		case csp.RootValidFrom:
			return cert.NotBefore.UTC().Format(timeLayout), syncml.OK
		case csp.RootValidTo:
			return cert.NotAfter.UTC().Format(timeLayout), syncml.OK
		}
		return "", syncml.NotFound
	},
	del: func(t target) syncml.StatusCode {
		c, name, ok := csp.ParseRootCertificate(t.uri)
		if _, there := t.w.Disk.Certs.Find(rootStore(c, t.sid), strings.ToUpper(c.Hash)); !ok || name != "" || !there {
			return syncml.NotFound
		}
		t.w.DeleteCertificate(rootStore(c, t.sid), strings.ToUpper(c.Hash))
		t.w.Event("certificate.removed", journal.F("name", c.Hash), journal.F("scope", t.sid))
		return syncml.OK
	},
}
