package drs

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// JoinType says what kind of trust a device asks for.
type JoinType int

// The join types of the cloud service. 8 is what Windows sends for the
// device-authenticated join of self-deploying and pre-provisioning: our model,
// after client sources that list it as another flavour of the Entra join.
const (
	JoinEntra      JoinType = 0
	JoinRegister   JoinType = 4
	JoinHybrid     JoinType = 6
	JoinDeviceAuth JoinType = 8
)

// Trust is the trustType that Graph shows for the join type.
func (t JoinType) Trust() string {
	switch t {
	case JoinEntra, JoinDeviceAuth:
		return "AzureAd"
	case JoinHybrid:
		return "ServerAd"
	case JoinRegister:
		return "Workplace"
	}
	return ""
}

// RequestSubject is the fixed common name in every device's certificate
// request; the service replaces it by the device id ([MS-DVRJ] 2.2.2.1).
const RequestSubject = "7E980AD9-B86D-4306-9425-9AC066FB014A"

// HeaderNonce carries the nonce service's value beside a join without a user.
// How the real service binds its nonce is not public: our model.
const HeaderNonce = "x-ms-join-nonce"

// JoinRequest is the body of POST /EnrollmentServer/device. Byte members are
// base64 on the wire.
type JoinRequest struct {
	CertificateRequest CertificateRequest `json:"CertificateRequest"`
	// TransportKey is the BCRYPT blob of [EncodeRSA1]. From api-version 3.0 on it
	// may stand among DeviceKeys instead; ParseJoinRequest moves it here.
	TransportKey      Bytes    `json:"TransportKey"`
	TargetDomain      string   `json:"TargetDomain"`
	DeviceType        string   `json:"DeviceType"`
	OSVersion         string   `json:"OSVersion"`
	DeviceDisplayName string   `json:"DeviceDisplayName"`
	JoinType          JoinType `json:"JoinType"`
	// AikCertificate is DER; AttestationData is the key attestation in which
	// the AIK certifies the device key. Empty without TPM attestation.
	AikCertificate  Bytes       `json:"AikCertificate"`
	AttestationData Bytes       `json:"AttestationData"`
	DeviceKeys      []DeviceKey `json:"DeviceKeys,omitempty"`
	Attributes      Attributes  `json:"attributes"`
}

// DeviceKey is one key of a join of version 3.0. That keys stand in such a list
// was observed; how its entries are spelt is our model.
type DeviceKey struct {
	KeyType string `json:"KeyType"` // TransportKey
	KeyData Bytes  `json:"KeyData"`
}

// KeyTransport names the transport key among DeviceKeys.
const KeyTransport = "TransportKey"

// Bytes is base64 on the wire; nothing is "", never null, as clients send it.
type Bytes []byte

// MarshalText codes the bytes.
func (b Bytes) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText decodes the bytes; "" is nil.
func (b *Bytes) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*b = nil
		return nil
	}
	v, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("drs: base64 member: %w", err)
	}
	*b = v
	return nil
}

// CertificateRequest is a PKCS#10 request; Type is "pkcs10".
type CertificateRequest struct {
	Type string `json:"Type"`
	Data []byte `json:"Data"`
}

// Attributes are strings on the wire, booleans included. DeviceTicket is
// empty where the device has none.
type Attributes struct {
	ReuseDevice     bool
	ReturnClientSID bool
	SharedDevice    bool
	DeviceTicket    []byte // "MSA-DDID", base64 of the device ticket
}

type wireAttributes struct {
	ReuseDevice     flag   `json:"ReuseDevice,omitempty"`
	ReturnClientSID flag   `json:"ReturnClientSid,omitempty"`
	SharedDevice    flag   `json:"SharedDevice,omitempty"`
	DeviceTicket    []byte `json:"MSA-DDID,omitempty"`
}

// flag is a boolean as text; some clients write true without quotes.
type flag string

// UnmarshalJSON takes both forms.
func (f *flag) UnmarshalJSON(b []byte) error {
	var is bool
	if json.Unmarshal(b, &is) == nil {
		*f = flag(fmt.Sprint(is))
		return nil
	}
	return json.Unmarshal(b, (*string)(f))
}

func flagOf(b bool) flag { return flag(fmt.Sprint(b)) }

// MarshalJSON writes booleans as "true" and "false", as Windows does.
func (a Attributes) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireAttributes{flagOf(a.ReuseDevice), flagOf(a.ReturnClientSID), flagOf(a.SharedDevice), a.DeviceTicket})
}

// UnmarshalJSON ignores attributes that the package does not know.
func (a *Attributes) UnmarshalJSON(b []byte) error {
	var w wireAttributes
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("drs: join attributes: %w", err)
	}
	is := func(f flag) bool { return strings.EqualFold(string(f), "true") }
	*a = Attributes{is(w.ReuseDevice), is(w.ReturnClientSID), is(w.SharedDevice), w.DeviceTicket}
	return nil
}

// maxKeyBits bounds the keys of strangers: what a signature costs to verify grows
// with the square of it.
const maxKeyBits = 8192

// ParseJoinRequest decodes a join body and checks what [MS-DVRJ] 3.1.5.1
// demands of every request: a PKCS#10 request with a valid self-signature.
func ParseJoinRequest(body []byte) (*JoinRequest, *x509.CertificateRequest, error) {
	var r JoinRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, nil, fmt.Errorf("drs: join request: %w", err)
	}
	for _, k := range r.DeviceKeys {
		if strings.EqualFold(k.KeyType, KeyTransport) && len(r.TransportKey) == 0 {
			r.TransportKey = k.KeyData
		}
	}
	csr, err := r.CertificateRequest.parse()
	if err != nil {
		return nil, nil, fmt.Errorf("drs: join request: %w", err)
	}
	return &r, csr, nil
}

// NewCertificateRequest makes the device's PKCS#10 request. The key signs
// once with RSASSA-PKCS1-v1_5 and SHA-256, so it may live in a TPM.
func NewCertificateRequest(key crypto.Signer) (CertificateRequest, error) {
	tmpl := &x509.CertificateRequest{
		Subject:            pkix.Name{CommonName: RequestSubject},
		SignatureAlgorithm: x509.SHA256WithRSA,
	}
	der, err := x509.CreateCertificateRequest(nil, tmpl, key)
	if err != nil {
		return CertificateRequest{}, fmt.Errorf("drs: certificate request: %w", err)
	}
	return CertificateRequest{Type: "pkcs10", Data: der}, nil
}

// QualifyingData is what the AIK's TPM2_Certify over the device key carries:
// SHA-256 of the certificate request's SubjectPublicKeyInfo and the nonce's
// text. It ties the proof to one key and one attempt. Our model: the real
// content of AttestationData is not public.
func QualifyingData(spki []byte, nonce string) [32]byte {
	h := sha256.New()
	h.Write(spki)
	h.Write([]byte(nonce))
	return [32]byte(h.Sum(nil))
}

// JoinResponse is the answer to a join.
type JoinResponse struct {
	Certificate       Certificate        `json:"Certificate"`
	User              User               `json:"User"`
	MembershipChanges []MembershipChange `json:"MembershipChanges"`
}

// Certificate is the device certificate: SHA-1 thumbprint in upper-case hex
// and the DER bytes.
type Certificate struct {
	Thumbprint string `json:"Thumbprint"`
	RawBody    []byte `json:"RawBody"`
}

// User is the account that joined; Upn is empty for a device's own join.
type User struct {
	UPN string `json:"Upn"`
}

// MembershipChange adds SIDs to a local group. The cloud answers an array of
// these; [MS-DVRJ] shows AD FS's single object, which decodes too.
type MembershipChange struct {
	LocalSID string   `json:"LocalSID"`
	AddSIDs  []string `json:"AddSIDs"`
}

// UnmarshalJSON accepts MembershipChanges as an array or as one object.
func (r *JoinResponse) UnmarshalJSON(b []byte) error {
	var w struct {
		Certificate       Certificate
		User              User
		MembershipChanges json.RawMessage
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("drs: join response: %w", err)
	}
	*r = JoinResponse{Certificate: w.Certificate, User: w.User}
	var one MembershipChange
	switch {
	case len(w.MembershipChanges) == 0:
	case json.Unmarshal(w.MembershipChanges, &r.MembershipChanges) == nil:
	case json.Unmarshal(w.MembershipChanges, &one) == nil:
		r.MembershipChanges = []MembershipChange{one}
	default:
		return errors.New("drs: join response: MembershipChanges is neither a list nor an object")
	}
	return nil
}
