package authority

import (
	"crypto/x509"
	"fmt"
	"math/big"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/store"
)

// Holder is whose a certificate of a customer's own authority is.
type Holder struct {
	TenantID string
	UPN      string // "" where it is nobody's
	DeviceID string // managed device that it was made for, "" for none; it dies with the record
	Serial   string
	DER      []byte
}

// bySerial finds a certificate as protocols name one that they do not have.
const bySerial = "serial"

func (h Holder) key() string { return h.TenantID + "/" + h.Serial }

// BySerial finds a certificate that a customer's authority issued.
func (a *Authorities) BySerial(t *tenant.Tenant, serial *big.Int) (*x509.Certificate, error) {
	var h Holder
	var ok bool
	_ = a.s.DB.View(func(tx *store.Tx) error {
		_, h, ok = a.issued.First(tx, bySerial, Holder{TenantID: t.ID, Serial: serial.String()}.key())
		return nil
	})
	if !ok {
		return nil, ErrDevice
	}
	return pki.Parse(h.DER)
}

// Keep remembers whose a certificate is that the customer's authority issued.
// Only such certificates prove anything later.
func (a *Authorities) Keep(cert *x509.Certificate, h Holder) error {
	h.DER, h.Serial = cert.Raw, cert.SerialNumber.String()
	return a.s.DB.Update(func(tx *store.Tx) error {
		a.issued.Put(tx, pki.Thumbprint(cert), h)
		return nil
	})
}

// Revoke forgets a certificate, by its thumbprint.
func (a *Authorities) Revoke(thumbprint string) error {
	return a.s.DB.Update(func(tx *store.Tx) error {
		a.issued.Delete(tx, thumbprint)
		return nil
	})
}

// Holder says whose a certificate is, if a customer's authority issued it, it is
// valid now, and neither was it revoked nor its device deleted.
func (a *Authorities) Holder(cert *x509.Certificate) (*tenant.Tenant, Holder, error) {
	var h Holder
	var ok bool
	// Reading cannot fail: the function returns nil.
	_ = a.s.DB.View(func(tx *store.Tx) error {
		h, ok = a.issued.Get(tx, pki.Thumbprint(cert))
		return nil
	})
	if !ok || string(h.DER) != string(cert.Raw) {
		return nil, h, ErrIssuer
	}
	t, err := a.s.Tenant(h.TenantID)
	if err != nil {
		return nil, h, ErrIssuer
	}
	ca, err := a.Organization(t)
	if err != nil {
		return nil, h, fmt.Errorf("fakeintune: certificate's authority: %w", err)
	}
	if pki.CheckIssued(cert, ca.Cert) != nil {
		return nil, h, ErrIssuer
	}
	if !ValidAt(cert, a.s.Now()) {
		return nil, h, ErrValidity
	}
	if h.DeviceID != "" {
		if _, err := t.Device(h.DeviceID); err != nil {
			return nil, h, ErrDevice
		}
	}
	return t, h, nil
}
