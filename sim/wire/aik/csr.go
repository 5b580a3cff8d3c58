package aik

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// Provider is the key storage provider of Windows that keeps keys in the TPM.
const Provider = "Microsoft Platform Crypto Provider"

// enrollClientID is the client id that Windows' enrolment task sends (MS-WCCE 2.2.2.7.4).
const enrollClientID = 5

// ClientInfo says who asks (MS-WCCE 2.2.2.7.4 szOID_REQUEST_CLIENT_INFO).
type ClientInfo struct {
	ClientID    int    // 0 is sent as 5
	MachineName string `asn1:"utf8"` // DESKTOP-ABC1234
	UserName    string `asn1:"utf8"` // WORKGROUP\DESKTOP-ABC1234$
	ProcessName string `asn1:"utf8"` // "" is sent as taskhostw.exe
}

// CertificateRequest is the PKCS#10 inside request 1. An AIK cannot sign a request, so its subject is empty and its
// signature field holds the SHA-256 digest of the rest; who asks is proved by attestation.
type CertificateRequest struct {
	PublicKey    crypto.PublicKey // the AIK
	OSVersion    string           // 10.0.26100.2
	SignerHash   []byte           // SHA-1 of the certificate that signs the SCEP messages
	Client       ClientInfo
	Provider     string // always [Provider]; anything else is refused
	TPM          TPMName
	SubjectKeyID []byte
	Statement    []byte // KeyAttestationStatement
	EKInfo       []byte // EnvelopedData to the RA, around an EK info
}

type (
	requestInfo struct {
		Raw        asn1.RawContent
		Version    int
		Subject    asn1.RawValue
		PublicKey  asn1.RawValue
		Attributes asn1.RawValue
	}
	signedRequest struct {
		Info      requestInfo
		Algorithm pkix.AlgorithmIdentifier
		Digest    asn1.BitString
	}
	cspProvider struct {
		KeySpec   int
		Name      asn1.RawValue
		Signature asn1.BitString
	}
)

// Marshal writes the request.
func (r CertificateRequest) Marshal() ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(r.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	extensions, err := r.extensions()
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	client := r.Client
	if client.ClientID == 0 {
		client.ClientID = enrollClientID
	}
	if client.ProcessName == "" {
		client.ProcessName = "taskhostw.exe"
	}
	var list attributeList
	list.add(oidOSVersion, "ia5", r.OSVersion)
	list.add(oidSignerHash, "", r.SignerHash)
	list.add(oidClientInfo, "", client)
	list.add(oidKSPName, "", bmpString(r.Provider))
	list.add(oidCSP, "", cspProvider{Name: bmpString(r.Provider)})
	list.add(oidExtensionRequest, "", extensions)
	list.add(oidAttestationStatement, "", r.Statement)
	list.add(oidEKInfo, "", asn1.RawValue{FullBytes: r.EKInfo})
	attrs, err := list.marshal(asn1.ClassContextSpecific, 0)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	info, err := asn1.Marshal(requestInfo{
		Subject:    asn1.RawValue{FullBytes: []byte{0x30, 0}},
		PublicKey:  asn1.RawValue{FullBytes: spki},
		Attributes: attrs,
	})
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	digest := sha256.Sum256(info)
	der, err := asn1.Marshal(signedRequest{
		Info:      requestInfo{Raw: info},
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue},
		Digest:    asn1.BitString{Bytes: digest[:], BitLength: 8 * len(digest)},
	})
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	return der, nil
}

// ParseCertificateRequest reads a request and checks its digest. That the signer's hash fits, and what the statement
// says, is for the caller to check.
func ParseCertificateRequest(der []byte) (*CertificateRequest, error) {
	var s signedRequest
	if err := unmarshalWhole(der, &s, ""); err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	digest := sha256.Sum256(s.Info.Raw)
	switch {
	case s.Info.Version != 0:
		return nil, fmt.Errorf("aik: certificate request: version %d", s.Info.Version)
	case !s.Algorithm.Algorithm.Equal(oidSHA256) || !bytes.Equal(s.Digest.Bytes, digest[:]):
		return nil, fmt.Errorf("aik: certificate request: signature field is not the SHA-256 digest")
	case s.Info.Attributes.Class != asn1.ClassContextSpecific || s.Info.Attributes.Tag != 0:
		return nil, fmt.Errorf("aik: certificate request: no attributes")
	}
	key, err := x509.ParsePKIXPublicKey(s.Info.PublicKey.FullBytes)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	attrs, err := parseAttributes(s.Info.Attributes.Bytes)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	r := &CertificateRequest{PublicKey: key}
	if err := r.read(attrs); err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	return r, nil
}

func (r *CertificateRequest) read(attrs attributes) error {
	statement := oidAttestationStatement
	if _, ok := attrs[statement.String()]; !ok {
		statement = oidStatementInSpec
	}
	var extensions []pkix.Extension
	var ekInfo asn1.RawValue
	for _, a := range []struct {
		oid    asn1.ObjectIdentifier
		to     any
		params string
	}{
		{oidOSVersion, &r.OSVersion, "ia5"},
		{oidSignerHash, &r.SignerHash, ""},
		{oidClientInfo, &r.Client, ""},
		{oidKSPName, &r.Provider, ""},
		{oidExtensionRequest, &extensions, ""},
		{statement, &r.Statement, ""},
		{oidEKInfo, &ekInfo, ""},
	} {
		if err := attrs.get(a.oid, a.to, a.params); err != nil {
			return err
		}
	}
	r.EKInfo = ekInfo.FullBytes
	// MS-WCCE 3.2.2.6.2.1.2.5, step 5: the CA must verify the provider's name.
	if r.Provider != Provider {
		return fmt.Errorf("provider %q, want %q", r.Provider, Provider)
	}
	return r.readExtensions(extensions)
}

func (r CertificateRequest) extensions() ([]pkix.Extension, error) {
	san, err := r.TPM.MarshalSAN()
	if err != nil {
		return nil, err
	}
	id, err := asn1.Marshal(r.SubjectKeyID)
	if err != nil {
		return nil, err
	}
	return []pkix.Extension{
		{Id: oidSubjectAltName, Value: san},
		{Id: oidKeyAffinity, Value: asn1.NullBytes},
		{Id: oidSubjectKeyID, Value: id},
	}, nil
}

func (r *CertificateRequest) readExtensions(extensions []pkix.Extension) error {
	var san bool
	for _, e := range extensions {
		var err error
		switch {
		case e.Id.Equal(oidSubjectAltName):
			r.TPM, err = ParseTPMSAN(e.Value)
			san = true
		case e.Id.Equal(oidSubjectKeyID):
			err = unmarshalWhole(e.Value, &r.SubjectKeyID, "")
		}
		if err != nil {
			return fmt.Errorf("extension %s: %w", e.Id, err)
		}
	}
	if !san {
		return fmt.Errorf("extension %s is missing", oidSubjectAltName)
	}
	return nil
}

// signerHash is the value of the signer hash attribute: SHA-1 over the whole certificate.
func signerHash(cert *x509.Certificate) []byte {
	sum := sha1.Sum(cert.Raw)
	return sum[:]
}

// subjectKeyID is the usual identifier of a key (RFC 5280 4.2.1.2, method 1, over SubjectPublicKeyInfo's bits).
func subjectKeyID(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if err := unmarshalWhole(der, &spki, ""); err != nil {
		return nil, err
	}
	sum := sha1.Sum(spki.Key.Bytes)
	return sum[:], nil
}
