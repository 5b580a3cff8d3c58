package aik

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"windtunnel.test/sim/wire/scep"
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
// signature field holds the SHA-256 digest of the rest; who asks is proved by attestation. A key that an AIK vouches for
// signs its own request.
type CertificateRequest struct {
	PublicKey    crypto.PublicKey // the AIK, or the key that it vouches for
	Signed       bool             // by the key itself; set by [ParseCertificateRequest]
	OSVersion    string           // 10.0.26100.2
	SignerHash   []byte           // SHA-1 of the certificate that signs the SCEP messages
	Client       ClientInfo
	Provider     string // always [Provider]; anything else is refused
	TPM          TPMName
	SubjectKeyID []byte
	Statement    []byte // KeyAttestationStatement
	// EnvelopedData to the RA around an EK info or, when an AIK vouches for the key, an AIK info: one of the two.
	EKInfo, AIKInfo []byte
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
		Signature asn1.BitString
	}
	cspProvider struct {
		KeySpec   int
		Name      asn1.RawValue
		Signature asn1.BitString
	}
)

// Marshal writes the request with the digest in place of a signature.
func (r CertificateRequest) Marshal() ([]byte, error) {
	info, err := r.marshalInfo()
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	digest := sha256.Sum256(info)
	return marshalRequest(info, pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}, digest[:])
}

// MarshalSigned writes the request signed by its key, RSASSA or ECDSA with SHA-256. One private-key operation.
func (r CertificateRequest) MarshalSigned(key crypto.Signer) ([]byte, error) {
	r.PublicKey = key.Public()
	info, err := r.marshalInfo()
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	digest := sha256.Sum256(info)
	signature, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	algorithm := pkix.AlgorithmIdentifier{Algorithm: oidSHA256WithRSA, Parameters: asn1.NullRawValue}
	if _, ok := r.PublicKey.(*ecdsa.PublicKey); ok {
		algorithm = pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256}
	}
	return marshalRequest(info, algorithm, signature)
}

func marshalRequest(info []byte, algorithm pkix.AlgorithmIdentifier, signature []byte) ([]byte, error) {
	der, err := asn1.Marshal(signedRequest{
		Info:      requestInfo{Raw: info},
		Algorithm: algorithm,
		Signature: asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	})
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	return der, nil
}

func (r CertificateRequest) marshalInfo() ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(r.PublicKey)
	if err != nil {
		return nil, err
	}
	extensions, err := r.extensions()
	if err != nil {
		return nil, err
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
	if r.AIKInfo != nil {
		list.add(oidAIKInfo, "", asn1.RawValue{FullBytes: r.AIKInfo})
	} else {
		list.add(oidEKInfo, "", asn1.RawValue{FullBytes: r.EKInfo})
	}
	attrs, err := list.marshal(asn1.ClassContextSpecific, 0)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(requestInfo{
		Subject:    asn1.RawValue{FullBytes: []byte{0x30, 0}},
		PublicKey:  asn1.RawValue{FullBytes: spki},
		Attributes: attrs,
	})
}

// ParseCertificateRequest reads a request and checks its digest or signature. That the signer's hash fits, and what the
// statement says, is for the caller to check.
func ParseCertificateRequest(der []byte) (*CertificateRequest, error) {
	var s signedRequest
	if err := unmarshalWhole(der, &s, ""); err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	switch {
	case s.Info.Version != 0:
		return nil, fmt.Errorf("aik: certificate request: version %d", s.Info.Version)
	case s.Info.Attributes.Class != asn1.ClassContextSpecific || s.Info.Attributes.Tag != 0:
		return nil, fmt.Errorf("aik: certificate request: no attributes")
	}
	key, err := x509.ParsePKIXPublicKey(s.Info.PublicKey.FullBytes)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	signed, err := s.check(der)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	attrs, err := parseAttributes(s.Info.Attributes.Bytes)
	if err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	r := &CertificateRequest{PublicKey: key, Signed: signed}
	if err := r.read(attrs); err != nil {
		return nil, fmt.Errorf("aik: certificate request: %w", err)
	}
	return r, nil
}

// check tells whether the request is signed by its key; if not, it must hold its digest.
func (s *signedRequest) check(der []byte) (signed bool, err error) {
	if !s.Algorithm.Algorithm.Equal(oidSHA256) {
		request, err := x509.ParseCertificateRequest(der)
		if err != nil {
			return true, err
		}
		if key, ok := request.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > scep.MaxKeyBits {
			return true, fmt.Errorf("a key of %d bits", key.N.BitLen())
		}
		return true, request.CheckSignature()
	}
	if digest := sha256.Sum256(s.Info.Raw); !bytes.Equal(s.Signature.Bytes, digest[:]) {
		return false, errors.New("signature field is not the SHA-256 digest")
	}
	return false, nil
}

func (r *CertificateRequest) read(attrs attributes) error {
	info, oidInfo, envelope := &r.EKInfo, oidEKInfo, asn1.RawValue{}
	_, vouched := attrs[oidAIKInfo.String()]
	if vouched {
		info, oidInfo = &r.AIKInfo, oidAIKInfo
	}
	if _, both := attrs[oidEKInfo.String()]; both && vouched {
		return errors.New("both EK info and AIK info")
	}
	statement := oidAttestationStatement
	if _, ok := attrs[statement.String()]; !ok {
		statement = oidStatementInSpec
	}
	var extensions []pkix.Extension
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
		{oidInfo, &envelope, ""},
	} {
		if err := attrs.get(a.oid, a.to, a.params); err != nil {
			return err
		}
	}
	*info = envelope.FullBytes
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
