package drs

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ClientIdentitySigned is the one kind of identity of a sync join: a text that
// the key of the computer's userCertificate has signed, RSASSA-PKCS1-v1_5 over
// SHA-256.
const ClientIdentitySigned = "sha256signed"

// SyncJoinRequest is the body of PUT /EnrollmentServer/device/{objectGUID}: a
// computer of Active Directory that the directory sync has made known claims its
// device object, without a token (as open-source clients of the service send
// it; the "device registration: how it works" page tells the steps).
type SyncJoinRequest struct {
	CertificateRequest CertificateRequest `json:"CertificateRequest"`
	ServerAdJoinData   ServerAdJoinData   `json:"ServerAdJoinData"`
	JoinType           JoinType           `json:"JoinType"`
	Attributes         Attributes         `json:"attributes"`
}

// ServerAdJoinData is what the computer says of itself and of where it comes
// from.
type ServerAdJoinData struct {
	TransportKey           Bytes          `json:"TransportKey"` // as JoinRequest's
	TargetDomain           string         `json:"TargetDomain"` // the verified domain that the service connection point names
	DeviceType             string         `json:"DeviceType"`
	OSVersion              string         `json:"OSVersion"`
	DeviceDisplayName      string         `json:"DeviceDisplayName"`
	SourceDomainController string         `json:"SourceDomainController"`
	TargetDomainID         string         `json:"TargetDomainId"` // tenant id
	ClientIdentity         ClientIdentity `json:"ClientIdentity"`
}

// ClientIdentity proves that the sender holds the key of the computer's
// userCertificate: SignedBlob is the signature over Sid's UTF-8 bytes.
type ClientIdentity struct {
	Type       string `json:"Type"`
	SID        string `json:"Sid"`
	SignedBlob Bytes  `json:"SignedBlob"`
}

// signedLayout is how the moment stands behind the SID.
const signedLayout = "2006-01-02 15:04:05Z"

// SignedSID is the text to be signed: the computer's SID and the moment.
func SignedSID(sid string, at time.Time) string { return sid + "." + at.UTC().Format(signedLayout) }

var errSignedSID = errors.New("drs: client identity: not a SID, a dot and a moment")

// ParseSignedSID takes the text of [SignedSID] apart.
func ParseSignedSID(text string) (sid string, at time.Time, err error) {
	sid, moment, ok := strings.Cut(text, ".")
	if !ok || !strings.HasPrefix(sid, "S-1-") {
		return "", time.Time{}, errSignedSID
	}
	if at, err = time.Parse(signedLayout, moment); err != nil {
		return "", time.Time{}, fmt.Errorf("%w: %w", errSignedSID, err)
	}
	return sid, at, nil
}

// SyncJoinVersion is the version of the interface that hybrid clients use.
const SyncJoinVersion = "1.0"

// SyncJoinURL is where a computer claims its device object. service is the
// address of the join service that discovery told; nil is the well-known one.
func SyncJoinURL(service *Endpoint, objectGUID string) string {
	return deviceURL(service, objectGUID, SyncJoinVersion)
}

// ParseSyncJoinRequest decodes the body and checks its certificate request as
// [ParseJoinRequest] does.
func ParseSyncJoinRequest(body []byte) (*SyncJoinRequest, *x509.CertificateRequest, error) {
	var r SyncJoinRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, nil, fmt.Errorf("drs: sync join request: %w", err)
	}
	csr, err := r.CertificateRequest.parse()
	if err != nil {
		return nil, nil, fmt.Errorf("drs: sync join request: %w", err)
	}
	return &r, csr, nil
}

// parse checks what [MS-DVRJ] 3.1.5.1 demands of every request: PKCS#10 with a
// valid signature of its own.
func (r CertificateRequest) parse() (*x509.CertificateRequest, error) {
	if !strings.EqualFold(r.Type, "pkcs10") {
		return nil, fmt.Errorf("certificate request type %q, want pkcs10", r.Type)
	}
	csr, err := x509.ParseCertificateRequest(r.Data)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	if key, ok := csr.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxKeyBits {
		return nil, fmt.Errorf("certificate request: a key of %d bits", key.N.BitLen())
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return csr, nil
}
