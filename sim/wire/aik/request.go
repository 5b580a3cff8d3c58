package aik

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// AnswerChallenge is the message type of request 2, and Challenged the state of the reply to request 1: the service's
// additions to SCEP. Request 1 is a [scep.PKCSReq].
const (
	AnswerChallenge scep.MessageType = 41
	Challenged      scep.Status      = 11
)

// Request1Params is what a device puts into request 1.
type Request1Params struct {
	EK        tpmattest.EKInfo
	Chain     []*x509.Certificate // certificates between EK certificate and vendor's root; they travel in clear
	Statement tpmattest.Statement // with an IDBinding
	PublicKey crypto.PublicKey    // key to certify; nil means the AIK in Statement

	OSVersion     string
	TPM           TPMName
	Client        ClientInfo
	SubjectKeyID  []byte // nil means one derived from the key
	TransactionID string // "" means one derived from the key

	Signer    scep.Identity // from [scep.NewSigner]
	Authority *Authority
}

// Sent is a request on its way, with what its reply is checked against.
type Sent struct {
	DER        []byte // body of the POST
	Attributes scep.Attributes
	Signer     scep.Identity
	Authority  *Authority
}

// BuildRequest1 writes request 1. One private-key operation.
func BuildRequest1(p Request1Params, rand io.Reader) (*Sent, error) {
	if err := p.complete(); err != nil {
		return nil, fmt.Errorf("aik: request 1: %w", err)
	}
	info, err := p.EK.Marshal()
	if err != nil {
		return nil, fmt.Errorf("aik: request 1: %w", err)
	}
	sealed, err := scep.Seal(info, p.Authority.Encryption, rand)
	if err != nil {
		return nil, fmt.Errorf("aik: request 1: EK info: %w", err)
	}
	csr, err := CertificateRequest{
		PublicKey:    p.PublicKey,
		OSVersion:    p.OSVersion,
		SignerHash:   signerHash(p.Signer.Certificate),
		Client:       p.Client,
		Provider:     Provider,
		TPM:          p.TPM,
		SubjectKeyID: p.SubjectKeyID,
		Statement:    p.Statement.Marshal(),
		EKInfo:       sealed,
	}.Marshal()
	if err != nil {
		return nil, fmt.Errorf("aik: request 1: %w", err)
	}
	return send(scep.PKCSReq, p.TransactionID, csr, p.Chain, p.Signer, p.Authority, rand)
}

func (p *Request1Params) complete() error {
	if p.Authority == nil || p.Signer.Certificate == nil {
		return errors.New("authority and signer are needed")
	}
	if p.PublicKey == nil {
		binding, err := tpmattest.ParseIDBinding(p.Statement.IDBinding)
		if err != nil {
			return err
		}
		aik, err := tpmattest.ParsePublic(binding.Public)
		if err != nil {
			return err
		}
		p.PublicKey = aik.Key
	}
	var err error
	if p.SubjectKeyID == nil {
		if p.SubjectKeyID, err = subjectKeyID(p.PublicKey); err != nil {
			return err
		}
	}
	if p.TransactionID == "" {
		p.TransactionID, err = scep.TransactionID(p.PublicKey)
	}
	return err
}

// Request1 is a request 1 as the service reads it. Nothing in it is proved yet but that one party wrote all of it.
type Request1 struct {
	Message   *scep.Message // its Signer is the device's throw-away certificate, its Others the EK chain
	Request   *CertificateRequest
	Statement tpmattest.Statement
	EK        tpmattest.EKInfo
	AIK       *tpmattest.AIKInfo // of the AIK that vouches for the key; nil where the key is an AIK itself
}

// ParseRequest1 reads request 1: checks the SCEP signature, opens the envelopes (two private-key operations), checks
// the request's digest and that it was made for this signer.
func ParseRequest1(der []byte, ra scep.Identity) (*Request1, error) {
	m, content, err := receive(der, scep.PKCSReq, ra)
	if err != nil {
		return nil, fmt.Errorf("aik: request 1: %w", err)
	}
	r := &Request1{Message: m}
	if r.Request, err = ParseCertificateRequest(content); err != nil {
		return nil, fmt.Errorf("aik: request 1: %w", err)
	}
	if !bytes.Equal(r.Request.SignerHash, signerHash(m.Signer)) {
		return nil, errors.New("aik: request 1: was made for another SCEP signer")
	}
	if r.Statement, err = tpmattest.ParseStatement(r.Request.Statement); err != nil {
		return nil, fmt.Errorf("aik: request 1: %w", err)
	}
	if r.Request.AIKInfo != nil {
		return r, r.openAIKInfo(ra)
	}
	info, err := scep.Open(r.Request.EKInfo, ra)
	if err != nil {
		return nil, fmt.Errorf("aik: request 1: EK info: %w", err)
	}
	if r.EK, err = tpmattest.ParseEKInfo(info); err != nil {
		return nil, fmt.Errorf("aik: request 1: %w", err)
	}
	return r, nil
}

// VerifyAttestation checks the AIK's own word: that the key to certify is a TPM's restricted signing key and was made
// as it says. It gives the AIK's public area, over whose Name the challenge goes. That the TPM is the one of the EK
// certificate is what the challenge then shows. Errors are of package tpmattest and name the check.
func (r *Request1) VerifyAttestation() (*tpmattest.Public, error) {
	binding, err := tpmattest.ParseIDBinding(r.Statement.IDBinding)
	if err != nil {
		return nil, err
	}
	aik, err := binding.Verify(nil)
	if err != nil {
		return nil, err
	}
	if !aik.Is(r.Request.PublicKey) {
		return nil, &tpmattest.Error{Check: tpmattest.CheckKey, Err: errors.New("the key to certify is not the AIK attested")}
	}
	return aik, nil
}

// Request2Params is what a device puts into request 2.
type Request2Params struct {
	Secret        []byte // what TPM2_ActivateCredential gave
	ServerContext []byte // from the challenge, unchanged
	TransactionID string // that of request 1
	Signer        scep.Identity
	Authority     *Authority
}

// BuildRequest2 writes request 2: the secret in an envelope inside an envelope. One private-key operation.
func BuildRequest2(p Request2Params, rand io.Reader) (*Sent, error) {
	answer, err := scep.Seal(p.Secret, p.Authority.Encryption, rand)
	if err != nil {
		return nil, fmt.Errorf("aik: request 2: %w", err)
	}
	content, err := marshalPair(oidChallengeAnswer, asn1.RawValue{FullBytes: answer}, p.ServerContext)
	if err != nil {
		return nil, fmt.Errorf("aik: request 2: %w", err)
	}
	return send(AnswerChallenge, p.TransactionID, content, nil, p.Signer, p.Authority, rand)
}

// Request2 is a request 2 as the service reads it.
type Request2 struct {
	Message       *scep.Message
	Secret        []byte
	ServerContext []byte
}

// ParseRequest2 reads request 2: checks the SCEP signature and opens the envelopes (two private-key operations).
// Whether the secret is the right one, the challenge still open, and the signer the one of request 1, is for the
// service to check.
func ParseRequest2(der []byte, ra scep.Identity) (*Request2, error) {
	m, content, err := receive(der, AnswerChallenge, ra)
	if err != nil {
		return nil, fmt.Errorf("aik: request 2: %w", err)
	}
	var answer asn1.RawValue
	context, err := parsePair(content, oidChallengeAnswer, &answer)
	if err != nil {
		return nil, fmt.Errorf("aik: request 2: %w", err)
	}
	secret, err := scep.Open(answer.FullBytes, ra)
	if err != nil {
		return nil, fmt.Errorf("aik: request 2: answer: %w", err)
	}
	return &Request2{Message: m, Secret: secret, ServerContext: context}, nil
}

func send(kind scep.MessageType, transaction string, content []byte, others []*x509.Certificate,
	signer scep.Identity, authority *Authority, rand io.Reader,
) (*Sent, error) {
	envelope, err := scep.Seal(content, authority.Encryption, rand)
	if err != nil {
		return nil, fmt.Errorf("aik: request: %w", err)
	}
	nonce, err := scep.NewNonce(rand)
	if err != nil {
		return nil, fmt.Errorf("aik: request: %w", err)
	}
	attrs := scep.Attributes{MessageType: kind, TransactionID: transaction, SenderNonce: nonce}
	der, err := scep.Message{Attributes: attrs, Content: envelope, Others: others}.Sign(signer)
	if err != nil {
		return nil, fmt.Errorf("aik: request: %w", err)
	}
	return &Sent{DER: der, Attributes: attrs, Signer: signer, Authority: authority}, nil
}

func receive(der []byte, kind scep.MessageType, ra scep.Identity) (*scep.Message, []byte, error) {
	m, err := scep.Parse(der)
	if err != nil {
		return nil, nil, err
	}
	if m.MessageType != kind {
		return nil, nil, fmt.Errorf("messageType %d, want %d", m.MessageType, kind)
	}
	if _, ok := m.Signer.PublicKey.(*rsa.PublicKey); !ok {
		return nil, nil, fmt.Errorf("signer's key is %T: a reply cannot be sealed to it", m.Signer.PublicKey)
	}
	content, err := scep.Open(m.Content, ra)
	return m, content, err
}

// marshalPair writes the content of challenge and answer: a SET of the attribute and of the service's own state.
func marshalPair(oid asn1.ObjectIdentifier, value any, context []byte) ([]byte, error) {
	var list attributeList
	list.add(oid, "", value)
	list.add(oidServerState, "", context)
	set, err := list.marshal(asn1.ClassUniversal, asn1.TagSet)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(set)
}

func parsePair(der []byte, oid asn1.ObjectIdentifier, to any) (context []byte, err error) {
	var set asn1.RawValue
	if err := unmarshalWhole(der, &set, ""); err != nil {
		return nil, err
	}
	if set.Class != asn1.ClassUniversal || set.Tag != asn1.TagSet {
		return nil, errors.New("content is not a set")
	}
	attrs, err := parseAttributes(set.Bytes)
	if err != nil {
		return nil, err
	}
	if err := attrs.get(oid, to, ""); err != nil {
		return nil, err
	}
	return context, attrs.get(oidServerState, &context, "")
}
