package scep

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/smallstep/pkcs7"
)

// MessageType is the messageType attribute (RFC 8894 3.2.1.2). A profile may use others.
type MessageType int

// The message types of RFC 8894.
const (
	CertRep    MessageType = 3
	RenewalReq MessageType = 17
	PKCSReq    MessageType = 19
	CertPoll   MessageType = 20
	GetCert    MessageType = 21
	GetCRL     MessageType = 22
)

// Status is the pkiStatus attribute of a CertRep (RFC 8894 3.2.1.3). A profile may use others.
type Status int

// The states of RFC 8894.
const (
	Success Status = 0
	Failure Status = 2
	Pending Status = 3
)

// FailInfo is the failInfo attribute of a failed CertRep (RFC 8894 3.2.1.4).
type FailInfo int

// The failure reasons of RFC 8894.
const (
	BadAlg          FailInfo = 0
	BadMessageCheck FailInfo = 1
	BadRequest      FailInfo = 2
	BadTime         FailInfo = 3
	BadCertID       FailInfo = 4
)

// String is the name of RFC 8894.
func (f FailInfo) String() string {
	names := [...]string{"badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId"}
	if f < 0 || int(f) >= len(names) {
		return "failInfo " + strconv.Itoa(int(f))
	}
	return names[f]
}

// NonceSize is the length of a nonce (RFC 8894 3.2.1.5).
const NonceSize = 16

// maxTransactionID bounds what a peer may make us keep; Windows sends 40 hexadecimal digits.
const maxTransactionID = 128

// Attributes are the signed attributes of a pkiMessage.
type Attributes struct {
	MessageType   MessageType
	TransactionID string // printable; the same in all messages of one transaction
	SenderNonce   []byte // [NonceSize] bytes
	// RecipientNonce repeats the request's SenderNonce in a reply; nil in a request.
	RecipientNonce []byte
	// Status is sent in a CertRep only.
	Status Status
	// FailInfo and FailText are sent in a CertRep with Status Failure only.
	FailInfo FailInfo
	FailText string
}

// Reply gives the attributes of a reply to a message with attributes a.
func (a Attributes) Reply(status Status, nonce []byte) Attributes {
	return Attributes{
		MessageType:    CertRep,
		TransactionID:  a.TransactionID,
		SenderNonce:    nonce,
		RecipientNonce: slices.Clone(a.SenderNonce),
		Status:         status,
	}
}

// CheckReply tells whether a is a reply to request: a CertRep of the same transaction that repeats its nonce.
func (a Attributes) CheckReply(request Attributes) error {
	switch {
	case a.MessageType != CertRep:
		return fmt.Errorf("scep: reply: messageType %d, want %d", a.MessageType, CertRep)
	case a.TransactionID != request.TransactionID:
		return fmt.Errorf("scep: reply: transaction %q, want %q", a.TransactionID, request.TransactionID)
	case !bytes.Equal(a.RecipientNonce, request.SenderNonce):
		return fmt.Errorf("scep: reply: recipientNonce is not the nonce sent")
	}
	return nil
}

// NewNonce draws a nonce.
func NewNonce(rand io.Reader) ([]byte, error) {
	nonce := make([]byte, NonceSize)
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, fmt.Errorf("scep: nonce: %w", err)
	}
	return nonce, nil
}

// TransactionID is a hash of the public key for which a certificate is asked (RFC 8894 3.2.1.1), as 40 lower-case
// hexadecimal digits: SHA-1 over SubjectPublicKeyInfo.
func TransactionID(pub crypto.PublicKey) (string, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("scep: transaction id: %w", err)
	}
	sum := sha1.Sum(spki)
	return hex.EncodeToString(sum[:]), nil
}

// Attribute types: RFC 8894 3.2.1 under VeriSign's arc, failInfoText under PKIX, and those of CMS (RFC 5652 11).
var (
	oidMessageType    = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 2}
	oidStatus         = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 3}
	oidFailInfo       = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 4}
	oidSenderNonce    = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 5}
	oidRecipientNonce = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 6}
	oidTransactionID  = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 7}
	oidFailInfoText   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 24, 1}
	oidContentType    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
)

func (a Attributes) encode(set *attributeSet) {
	set.add(oidMessageType, "printable", strconv.Itoa(int(a.MessageType)))
	set.add(oidTransactionID, "printable", a.TransactionID)
	set.add(oidSenderNonce, "", a.SenderNonce)
	if a.RecipientNonce != nil {
		set.add(oidRecipientNonce, "", a.RecipientNonce)
	}
	if a.MessageType != CertRep {
		return
	}
	set.add(oidStatus, "printable", strconv.Itoa(int(a.Status)))
	if a.Status == Failure {
		set.add(oidFailInfo, "printable", strconv.Itoa(int(a.FailInfo)))
		if a.FailText != "" {
			set.add(oidFailInfoText, "utf8", a.FailText)
		}
	}
}

func decodeAttributes(p7 *pkcs7.PKCS7) (Attributes, error) {
	var a Attributes
	var err error
	number := func(oid asn1.ObjectIdentifier) (n int) {
		var text string
		if err == nil {
			err = p7.UnmarshalSignedAttribute(oid, &text)
		}
		if err == nil {
			n, err = strconv.Atoi(text)
		}
		return n
	}
	a.MessageType = MessageType(number(oidMessageType))
	if err == nil {
		err = p7.UnmarshalSignedAttribute(oidTransactionID, &a.TransactionID)
	}
	if err == nil {
		err = p7.UnmarshalSignedAttribute(oidSenderNonce, &a.SenderNonce)
	}
	if a.MessageType == CertRep {
		a.Status = Status(number(oidStatus))
		if err == nil {
			err = p7.UnmarshalSignedAttribute(oidRecipientNonce, &a.RecipientNonce)
		}
		if a.Status == Failure {
			a.FailInfo = FailInfo(number(oidFailInfo))
			// Not every server sends the text.
			_ = p7.UnmarshalSignedAttribute(oidFailInfoText, &a.FailText)
		}
	}
	switch {
	case err != nil:
		return Attributes{}, fmt.Errorf("signed attributes: %w", err)
	case a.TransactionID == "" || len(a.TransactionID) > maxTransactionID:
		return Attributes{}, fmt.Errorf("transaction id of %d characters", len(a.TransactionID))
	case len(a.SenderNonce) != NonceSize:
		return Attributes{}, fmt.Errorf("senderNonce of %d bytes, want %d", len(a.SenderNonce), NonceSize)
	}
	return a, nil
}
