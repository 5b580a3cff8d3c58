package join

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// KeyTargeted is where a targeted deployment names the tenant, instead of the
// service connection point: values TenantId and TenantName (learn.microsoft.com,
// "Microsoft Entra hybrid join targeted deployment").
const KeyTargeted = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\CDJ\AAD`

// The key and certificate that the computer shows to the directory.
const (
	certClaim = "hybrid-claim"
	keyClaim  = "hybrid-claim"
)

// scpName is the service connection point below the configuration naming
// context (learn.microsoft.com, "Configure Microsoft Entra hybrid join manually").
const scpName = "CN=62a0ff2e-97b9-4513-943f-0d221bd30080,CN=Device Registration Configuration,CN=Services,"

// computer is the PC's own object.
type computer struct {
	dn, guid, sid string
	certificates  [][]byte
}

var (
	errNoSCP      = errors.New("the service connection point names no tenant")
	errNoOwnEntry = errors.New("the computer's own object is not in the directory of this controller")
)

// configuration signs the computer in to the directory and reads which tenant is
// the domain's.
func (h *hybrid) configuration() error {
	fail := func(err error) error { return hresult.New(opHybrid, hresult.AutoJoinADConfigRead, err) }
	key, err := machineKey(h.w, h.m, krb5.AES256)
	if err != nil {
		return fail(err)
	}
	h.ad, err = adclient.OpenAt(h.w.Ctx, h.w.ADHost(), h.dc, h.m.Domain, h.m.Computer+"$", adclient.Secret{Keys: []krb5.Key{key}})
	if err != nil {
		h.w.Log(device.LogRegistration, 220, "Error", "The computer could not sign in to the directory: "+err.Error())
		return fail(err)
	}
	root, err := h.ad.RootDSE("configurationNamingContext", "defaultNamingContext")
	if err == nil {
		err = h.readTenant(root.Text("configurationNamingContext"))
	}
	if err == nil {
		err = h.readSelf(root.Text("defaultNamingContext"))
	}
	if err != nil {
		_ = h.ad.Close() // of no more use
		return fail(err)
	}
	return nil
}

func (h *hybrid) readTenant(configuration string) error {
	r := h.w.Registry()
	h.tenant = Tenant{ID: r.String(KeyTargeted, "TenantId"), Domain: r.String(KeyTargeted, "TenantName")}
	if h.tenant.ID != "" && h.tenant.Domain != "" {
		return nil
	}
	scp, err := h.ad.Read(scpName+configuration, "keywords")
	if err != nil {
		return err
	}
	for _, word := range scp.Texts("keywords") {
		name, value, _ := strings.Cut(word, ":")
		switch strings.ToLower(name) {
		case "azureadid":
			h.tenant.ID = value
		case "azureadname":
			h.tenant.Domain = value
		}
	}
	if h.tenant.ID == "" || h.tenant.Domain == "" {
		return errNoSCP
	}
	return nil
}

// readSelf finds the computer's own object. One that was just made may not be at
// this controller yet.
func (h *hybrid) readSelf(base string) error {
	list, err := h.ad.Search(ldap.SearchRequest{
		Base: base, Scope: ldap.WholeSubtree, SizeLimit: 1, Filter: ldap.Eq("sAMAccountName", h.m.Computer+"$"),
		Attributes: []string{"objectGUID", "objectSid", "userCertificate"},
	})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		h.w.Log(device.LogRegistration, 220, "Error", errNoOwnEntry.Error())
		return errNoOwnEntry
	}
	guid, err := ldap.GUIDFromBytes(list[0].Bytes("objectGUID"))
	if err != nil {
		return err
	}
	sid, err := ldap.SIDFromBytes(list[0].Bytes("objectSid"))
	if err != nil {
		return err
	}
	h.computer = computer{dn: list[0].DN, guid: strings.ToLower(guid.String()), sid: sid.String(), certificates: list[0].Values("userCertificate")}
	return nil
}

// identify has the certificate by which Entra ID will know the computer, in its
// store and in the directory. What one run made the next uses.
func (h *hybrid) identify() error {
	cert, err := h.claimCertificate()
	if err != nil {
		return err
	}
	return h.publish(cert)
}

// claimCertificate is the computer's self-signed certificate, CN=<objectGUID>.
func (h *hybrid) claimCertificate() ([]byte, error) {
	w := h.w
	if c, ok := w.Disk.Certs.Find(device.StoreMySystem, certClaim); ok {
		parsed, err := c.Parse()
		_, keyErr := w.Key(w.Ctx, keyClaim)
		if err == nil && keyErr == nil && strings.EqualFold(parsed.Subject.CommonName, h.computer.guid) && w.Now().Before(parsed.NotAfter) {
			return c.DER, nil
		}
	}
	key, err := w.NewKey(w.Ctx, keyClaim)
	if err != nil {
		return nil, tpmError(w, "make the computer's key", err)
	}
	now := w.Now().UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(w.Random(15)), Subject: pkix.Name{CommonName: h.computer.guid}, SignatureAlgorithm: x509.SHA256WithRSA,
		NotBefore: now, NotAfter: w.Timing.Entra.DeviceCertificateLife.After(now), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(w.RandomReader(), template, template, key.Public(), key.In(w.Ctx))
	if err != nil {
		return nil, tpmError(w, "sign the computer's certificate", err)
	}
	w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: certClaim, DER: der, Container: keyClaim})
	return der, nil
}

// publish writes the certificate to the computer's own object, in the place of
// older ones of the same subject. Others' are left alone.
func (h *hybrid) publish(der []byte) error {
	keep := [][]byte{der}
	for _, other := range h.computer.certificates {
		if bytes.Equal(other, der) {
			return nil
		}
		if c, err := x509.ParseCertificate(other); err != nil || !strings.EqualFold(c.Subject.CommonName, h.computer.guid) {
			keep = append(keep, other)
		}
	}
	if err := h.ad.Modify(h.computer.dn, adclient.Replace(ldap.Binary("userCertificate", keep...))); err != nil {
		return hresult.New(opHybrid, hresult.AutoJoinADConfigRead, fmt.Errorf("write userCertificate: %w", err))
	}
	h.w.Event("hybrid.certificate.written", journal.F("computer", h.computer.dn), journal.F("controller", h.dc.Name))
	return nil
}

// sign proves to the service that it is this computer that asks, now.
func (h *hybrid) sign(now time.Time) (drs.ClientIdentity, error) {
	key, err := h.w.Key(h.w.Ctx, keyClaim)
	if err != nil {
		return drs.ClientIdentity{}, tpmError(h.w, "open the computer's key", err)
	}
	text := drs.SignedSID(h.computer.sid, now)
	digest := sha256.Sum256([]byte(text))
	blob, err := key.In(h.w.Ctx).Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return drs.ClientIdentity{}, tpmError(h.w, "sign the claim", err)
	}
	return drs.ClientIdentity{Type: drs.ClientIdentitySigned, SID: text, SignedBlob: blob}, nil
}
