package mdm

import (
	"encoding/base64"

	"software.sslmate.com/src/go-pkcs12"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// pfx is the ClientCertificateInstall CSP, as far as PKCS #12 files go.
// Writing PFXCertBlob installs: what it needs has to be there before.
var pfx = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		p, name, ok := csp.ParsePFX(t.uri)
		if !ok {
			return syncml.NotFound
		}
		key := pfxKey(t.sid, p.ID)
		if name != csp.PFXCertBlob {
			t.w.Registry().SetString(key, name, value)
			return syncml.OK
		}
		code := importPFX(t, p, value)
		t.w.Registry().SetDWORD(key, csp.PFXStatus, uint32(code))
		node, err := csp.Canonical(p.Node())
		if err != nil {
			return syncml.BadRequest
		}
		if code != 0 {
			processed(t.w, t.sid, node, uint32(code))
			return syncml.CommandFailed
		}
		processed(t.w, t.sid, node, 1)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		p, name, ok := csp.ParsePFX(t.uri)
		if !ok {
			return "", syncml.NotFound
		}
		key := pfxKey(t.sid, p.ID)
		if v, is := t.w.Registry().DWORD(key, name); is {
			return decimal(v), syncml.OK
		}
		if v := t.w.Registry().String(key, name); v != "" && name != csp.PFXCertPassword {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
	del: func(t target) syncml.StatusCode {
		p, _, ok := csp.ParsePFX(t.uri)
		if !ok || !t.w.Registry().Has(pfxKey(t.sid, p.ID)) {
			return syncml.NotFound
		}
		t.w.Registry().DeleteTree(pfxKey(t.sid, p.ID))
		t.w.DeleteCertificate(store(t.sid), p.ID)
		t.w.Event("certificate.removed", journal.F("name", p.ID), journal.F("scope", t.sid))
		return syncml.OK
	},
}

func pfxKey(sid, id string) string {
	if sid == "" {
		sid = device.DeviceSID
	}
	return `HKLM\SOFTWARE\Microsoft\SystemCertificates\PFXCertInstall\` + sid + `\` + id
}

func store(sid string) string {
	if sid == "" {
		return device.StoreMySystem
	}
	return device.StoreMyUser
}

// importPFX opens the file and puts the certificate into the store. Its key
// lands in the software provider: a key that was made elsewhere is not a key
// of this TPM, whatever KeyLocation asks for, and with KeyInTPM the import
// fails where there is no TPM to wrap it.
func importPFX(t target, p csp.PFX, value string) hresult.Code {
	r, key := t.w.Registry(), pfxKey(t.sid, p.ID)
	if n, _ := number(r.String(key, csp.PFXKeyLocation)); csp.KeyLocation(n) == csp.KeyInTPM && t.w.Chip == nil {
		return hresult.DeviceNotReady
	}
	blob, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return hresult.InvalidData
	}
	_, cert, _, err := pkcs12.DecodeChain(blob, r.String(key, csp.PFXCertPassword))
	if err != nil {
		return hresult.InvalidData
	}
	r.SetString(key, csp.PFXThumbprint, thumbprint(cert.Raw))
	t.w.PutCertificate(device.Certificate{Store: store(t.sid), Name: p.ID, DER: cert.Raw, Container: r.String(key, csp.PFXContainerName)})
	t.w.Event("certificate.installed", journal.F("name", p.ID), journal.F("subject", cert.Subject.String()), journal.F("scope", t.sid))
	return 0
}
