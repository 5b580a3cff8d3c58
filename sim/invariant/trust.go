package invariant

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
)

// presented is the certificate that a PC presents to a service which then says
// this.
var presented = map[string]string{"mdm.session.ended": "mdm", "ime.apps.selected": "ime", "ime.scripts.selected": "ime", "ime.app.reported": "ime"}

var trustRules = []Invariant{
	{"aik-of-its-tpm", "an AIK certificate is issued for the endorsement key of the PC's own TPM", func(l *look) string {
		if l.pc == nil || l.Kind != "aik.certificate.issued" {
			return ""
		}
		if l.pc.Chip == nil {
			return "the PC has no TPM"
		}
		keys := []any{l.pc.Chip.EKPublic(), l.pc.Chip.SecondEKPublic()}
		for _, key := range keys {
			if digest(key) == l.Text("ek") {
				return ""
			}
		}
		return "it is for " + l.Text("ek")
	}},
	{"aik-of-its-own", "an AIK certificate is one PC's", func(l *look) string {
		if l.pc == nil || l.Kind != "aik.certificate" {
			return ""
		}
		if whose := l.all.serials[l.Text("serial")]; whose != l.Device {
			return fmt.Sprintf("%s was issued to %q", l.Text("serial"), whose)
		}
		return ""
	}},
	{"certificates-in-their-life", "a service lets a PC in by a certificate that is valid now", func(l *look) string {
		name := presented[l.Kind]
		if l.pc == nil || name == "" {
			return ""
		}
		c, ok := l.pc.Disk.Certs.Find(device.StoreMySystem, name)
		if !ok {
			return "the PC has no certificate " + name
		}
		cert, err := c.Parse()
		switch {
		case err != nil:
			return err.Error()
		case l.Time.Before(cert.NotBefore.Add(-precision)):
			return name + " is not valid before " + cert.NotBefore.String()
		case l.Time.After(cert.NotAfter.Add(precision)):
			return name + " was valid until " + cert.NotAfter.String()
		}
		return ""
	}},
	{"no-secrets", "no password, key or token is written into the journal", func(l *look) string {
		secrets := l.all.secrets
		if l.pc != nil {
			r := l.pc.Disk.Registry
			for _, s := range []string{r.String(device.KeyLSASecrets, "CurrVal"), r.String(device.KeyLSASecrets, "NewVal"), r.String(prt, "Token")} {
				if len(s) >= 8 {
					secrets = append(secrets[:len(secrets):len(secrets)], s)
				}
			}
		}
		for _, f := range l.Fields {
			text := textOf(f)
			if strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, `eyJhbGciOi`) || strings.Contains(text, `eyJ0eXAiOi`) {
				return "field " + f.Key + " has a key or a token"
			}
			for _, s := range secrets {
				if strings.Contains(text, s) {
					return "field " + f.Key + " has a secret"
				}
			}
		}
		return ""
	}},
}

// precision is that of times in certificates (RFC 5280, 4.1.2.5).
const precision = 1e9

func textOf(f journal.Field) string {
	switch v := f.Value.(type) {
	case string:
		return v
	case []string:
		return strings.Join(v, "\n")
	}
	return ""
}

// digest names an endorsement key as the services' events do: by the beginning
// of the SHA-256 of its SubjectPublicKeyInfo.
func digest(key any) string {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "" // a TPM without such a key
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:8])
}
