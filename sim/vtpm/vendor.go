package vtpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ekcert"
)

// Object identifiers of the TCG EK Credential Profile 2.5, section 3.
var (
	oidTPMManufacturer    = asn1.ObjectIdentifier{2, 23, 133, 2, 1}
	oidTPMModel           = asn1.ObjectIdentifier{2, 23, 133, 2, 2}
	oidTPMVersion         = asn1.ObjectIdentifier{2, 23, 133, 2, 3}
	oidTPMSpecification   = asn1.ObjectIdentifier{2, 23, 133, 2, 16}
	oidEKCertificate      = asn1.ObjectIdentifier{2, 23, 133, 8, 1}
	oidSubjectAltName     = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidSubjectDirectoryAt = asn1.ObjectIdentifier{2, 5, 29, 9}
)

// vendorSeed is where the vendors' keys come from. Chips, and so their
// certificates, are the same in every run: the run's seed has no part in them.
const vendorSeed vclock.Seed = 0x57494e4454504d

// ekLife is how long an EK certificate is good for: as long as the part lasts.
const ekLife = 25 * 365 * 24 * time.Hour

// rootBegin is the notBefore of all vendors' roots, which parts of different
// years share.
var rootBegin = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)

// vendorCAs are made on first use, two for each model: the one that signs, and
// one that the vendor has withdrawn.
var vendorCAs sync.Map // of [caName] to func() (*pki.CA, error)

type caName struct {
	model     string
	withdrawn bool
}

// VendorCA returns the authority that signs the EK certificates of a model's
// chips; the vendor's root is above it. It is the same in every run.
func VendorCA(model string) (*pki.CA, error) { return vendorCA(model, false) }

func vendorCA(model string, withdrawn bool) (*pki.CA, error) {
	m, err := FindModel(model)
	if err != nil {
		return nil, err
	}
	f, _ := vendorCAs.LoadOrStore(caName{model, withdrawn}, sync.OnceValues(func() (*pki.CA, error) { return m.makeCA(withdrawn) }))
	return f.(func() (*pki.CA, error))()
}

func (m *Model) makeCA(withdrawn bool) (*pki.CA, error) {
	above, err := pki.NewRoot(m.Certified, vendorSeed.Derive("vendor", m.Vendor), m.Root, pki.Options{
		Subject: m.subject(m.Root), NotBefore: rootBegin, Life: 3 * ekLife,
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: root of %s: %w", m.Vendor, err)
	}
	if m.Chain {
		name := m.Root + " Intermediate Authority"
		if above, err = above.Sub(m.Certified, name, pki.Options{Subject: m.subject(name), NotBefore: m.Certified.AddDate(-5, 0, 0), Life: 2 * ekLife}); err != nil {
			return nil, fmt.Errorf("vtpm: authority of %s: %w", m.Vendor, err)
		}
	}
	issuer := m.Issuer
	if withdrawn {
		issuer += " (withdrawn)"
	}
	ca, err := above.Sub(m.Certified, issuer, pki.Options{
		Subject: m.subject(issuer), NotBefore: m.Certified.AddDate(-5, 0, 0), Life: 2 * ekLife, OmitAKI: m.Quirks.NoKeyID,
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: authority of %s: %w", m.Vendor, err)
	}
	return ca, nil
}

func (m *Model) subject(name string) pkix.Name {
	return pkix.Name{Organization: []string{m.Vendor}, CommonName: name}
}

// ekCertificate is the certificate of a chip's EK as its vendor issues it, or
// the authority that the vendor has withdrawn. As the profile asks, the subject
// is empty and so the subject alternative name is critical; crypto/x509 lists
// it in UnhandledCriticalExtensions, because it holds a directory name only.
func (m *Model) ekCertificate(id ChipID, ek crypto.PublicKey, withdrawn bool) ([]byte, error) {
	ca, err := vendorCA(m.Name, withdrawn)
	if err != nil {
		return nil, err
	}
	san, err := m.alternativeName()
	if err != nil {
		return nil, fmt.Errorf("vtpm: EK certificate: %w", err)
	}
	spec, err := m.specification()
	if err != nil {
		return nil, fmt.Errorf("vtpm: EK certificate: %w", err)
	}
	usage := x509.KeyUsageKeyEncipherment
	if _, ecc := ek.(*ecdsa.PublicKey); ecc {
		usage = x509.KeyUsageKeyAgreement
	}
	from := m.Certified.Add(time.Duration(id.N%(365*24)) * time.Hour)
	cert, err := ca.Issue(from, &x509.Certificate{
		NotAfter:              from.Add(ekLife),
		KeyUsage:              usage,
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{oidEKCertificate},
		BasicConstraintsValid: true,
		IssuingCertificateURL: []string{m.issuerURL(withdrawn)},
		ExtraExtensions: []pkix.Extension{
			{Id: oidSubjectAltName, Critical: true, Value: san},
			{Id: oidSubjectDirectoryAt, Value: spec},
		},
	}, ek)
	if err != nil {
		return nil, fmt.Errorf("vtpm: EK certificate: %w", err)
	}
	if m.Quirks.ExplicitFalse {
		der, err := spellOut(cert, ca)
		if err != nil {
			return nil, fmt.Errorf("vtpm: EK certificate: %w", err)
		}
		return der, nil
	}
	return cert.Raw, nil
}

// IssuerHost and IssuerPath are where the vendor publishes the certificate of
// the authority that signs EK certificates; those carry the URL.
func (m *Model) IssuerHost() string {
	return "pki." + strings.ToLower(strings.Fields(m.Vendor)[0]) + ".example"
}

// IssuerPath is the path of that URL.
func (m *Model) IssuerPath() string { return "/" + m.Name + ".crt" }

// issuerURL is the whole of it. Where a withdrawn authority was nothing is
// published any more.
func (m *Model) issuerURL(withdrawn bool) string {
	if withdrawn {
		return "http://" + m.IssuerHost() + "/withdrawn" + m.IssuerPath()
	}
	return "http://" + m.IssuerHost() + m.IssuerPath()
}

// spellOut writes "critical FALSE" into extensions that are not critical, as
// some vendors do although DER leaves default values out (X.690, section 11.5),
// and signs the result.
func spellOut(cert *x509.Certificate, ca *pki.CA) ([]byte, error) {
	var outer struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.Raw, &outer); err != nil {
		return nil, err
	}
	fields, err := ekcert.Elements(outer.TBS.Bytes)
	if err != nil {
		return nil, err
	}
	type explicit struct {
		ID       asn1.ObjectIdentifier
		Critical asn1.RawValue
		Value    []byte
	}
	list := make([]explicit, len(cert.Extensions))
	for i, e := range cert.Extensions {
		flag := asn1.RawValue{Tag: asn1.TagBoolean, Bytes: []byte{0}}
		if e.Critical {
			flag.Bytes = []byte{0xFF}
		}
		list[i] = explicit{e.Id, flag, e.Value}
	}
	extensions, err := asn1.Marshal(list)
	if err != nil {
		return nil, err
	}
	last := len(fields) - 1
	fields[last] = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 3, IsCompound: true, Bytes: extensions}
	tbs, err := asn1.Marshal(fields)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	signature, err := ca.Key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	outer.TBS = asn1.RawValue{FullBytes: tbs}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(outer)
}

// alternativeName is GeneralNames{directoryName} with manufacturer, model and
// version of the TPM.
func (m *Model) alternativeName() ([]byte, error) {
	utf8 := func(s string) asn1.RawValue { return asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(s)} }
	name := pkix.RDNSequence{
		{{Type: oidTPMManufacturer, Value: utf8("id:" + m.Manufacturer)}},
		{{Type: oidTPMModel, Value: utf8(m.Part)}},
		{{Type: oidTPMVersion, Value: utf8("id:" + m.firmwareID())}},
	}
	der, err := asn1.Marshal(name)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal([]asn1.RawValue{
		{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: der},
	})
}

// specification is the attribute tPMSpecification: family, level, revision.
func (m *Model) specification() ([]byte, error) {
	revision, err := strconv.Atoi(strings.ReplaceAll(m.Revision, ".", ""))
	if err != nil {
		return nil, fmt.Errorf("revision %q: %w", m.Revision, err)
	}
	type specification struct {
		Family   string `asn1:"utf8"`
		Level    int
		Revision int
	}
	type attribute struct {
		Type   asn1.ObjectIdentifier
		Values []specification `asn1:"set"`
	}
	return asn1.Marshal([]attribute{{oidTPMSpecification, []specification{{"2.0", 0, revision}}}})
}
