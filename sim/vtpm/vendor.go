package vtpm

import (
	"crypto/rsa"
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

// vendorCAs are made on first use, one for each model.
var vendorCAs sync.Map // of model name to func() (*pki.CA, error)

// VendorCA returns the authority that signs the EK certificates of a model's
// chips; its parent is the vendor's root. It is the same in every run.
func VendorCA(model string) (*pki.CA, error) {
	m, err := FindModel(model)
	if err != nil {
		return nil, err
	}
	f, _ := vendorCAs.LoadOrStore(model, sync.OnceValues(func() (*pki.CA, error) { return m.makeCA() }))
	return f.(func() (*pki.CA, error))()
}

func (m *Model) makeCA() (*pki.CA, error) {
	seed := vendorSeed.Derive("vendor", m.Name)
	root, err := pki.NewRoot(m.Certified, seed, m.Root, pki.Options{
		Subject: m.subject(m.Root), NotBefore: m.Certified.AddDate(-6, 0, 0), Life: 2 * ekLife,
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: root of %s: %w", m.Vendor, err)
	}
	ca, err := root.Sub(m.Certified, m.Issuer, pki.Options{
		Subject: m.subject(m.Issuer), NotBefore: m.Certified.AddDate(-5, 0, 0), Life: 2 * ekLife,
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: authority of %s: %w", m.Vendor, err)
	}
	return ca, nil
}

func (m *Model) subject(name string) pkix.Name {
	return pkix.Name{Organization: []string{m.Vendor}, CommonName: name}
}

// VendorRoots holds the root certificates of all vendors.
func VendorRoots() (*x509.CertPool, error) { return vendorPool(true) }

// VendorIntermediates holds the authorities between the roots and the EK
// certificates. A part does not carry them: Windows fetches them by the URL in
// the certificate.
func VendorIntermediates() (*x509.CertPool, error) { return vendorPool(false) }

func vendorPool(roots bool) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, name := range Models() {
		ca, err := VendorCA(name)
		if err != nil {
			return nil, err
		}
		if roots {
			ca = ca.Root()
		}
		pool.AddCert(ca.Cert)
	}
	return pool, nil
}

// ekCertificate is the certificate of a chip's EK, DER. As the profile asks,
// the subject is empty and so the subject alternative name is critical;
// crypto/x509 lists it in UnhandledCriticalExtensions, because it holds a
// directory name only.
func (m *Model) ekCertificate(id ChipID, ek *rsa.PublicKey) ([]byte, error) {
	ca, err := VendorCA(m.Name)
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
	host := strings.ToLower(strings.Fields(m.Vendor)[0])
	from := m.Certified.Add(time.Duration(id.N%(365*24)) * time.Hour)
	cert, err := ca.Issue(from, &x509.Certificate{
		NotAfter:              from.Add(ekLife),
		KeyUsage:              x509.KeyUsageKeyEncipherment,
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{oidEKCertificate},
		BasicConstraintsValid: true,
		IssuingCertificateURL: []string{"http://pki." + host + ".example/" + m.Name + ".crt"},
		ExtraExtensions: []pkix.Extension{
			{Id: oidSubjectAltName, Critical: true, Value: san},
			{Id: oidSubjectDirectoryAt, Value: spec},
		},
	}, ek)
	if err != nil {
		return nil, fmt.Errorf("vtpm: EK certificate: %w", err)
	}
	return cert.Raw, nil
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
