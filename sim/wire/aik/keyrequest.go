package aik

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// KeyRequestParams is what a device puts into request 1 for a key that its AIK vouches for (MS-WCCE 3.1.1.4.3.4.2,
// "subject only"). The service answers it with the certificate at once: only an EK has to be challenged.
type KeyRequestParams struct {
	Key       crypto.Signer // signs the request; an RSA or a P-256 key of the TPM
	AIK       tpmattest.AIKInfo
	Statement tpmattest.Statement // with a KeyAttestation over [KeyQualifyingData]

	OSVersion     string
	TPM           TPMName
	Client        ClientInfo
	SubjectKeyID  []byte // nil means one derived from the key
	TransactionID string // "" means one derived from the key

	Signer    scep.Identity // from [scep.NewSigner]
	Authority *Authority
}

// KeyQualifyingData is what the AIK's TPM2_Certify of the key is over: SHA-256 of the certificate that signs the SCEP
// message. It ties the statement to one requester; what Windows gives there is not public, so it is our model.
func KeyQualifyingData(signer *x509.Certificate) []byte {
	sum := sha256.Sum256(signer.Raw)
	return sum[:]
}

// BuildKeyRequest writes the request. Two private-key operations: the key's and the signer's. The reply is for
// [ParseSuccess].
func BuildKeyRequest(p KeyRequestParams, rand io.Reader) (*Sent, error) {
	if p.Key == nil || p.Authority == nil || p.Signer.Certificate == nil {
		return nil, errors.New("aik: key request: key, authority and signer are needed")
	}
	base := Request1Params{
		PublicKey: p.Key.Public(), SubjectKeyID: p.SubjectKeyID, TransactionID: p.TransactionID, Signer: p.Signer, Authority: p.Authority,
	}
	if err := base.complete(); err != nil {
		return nil, fmt.Errorf("aik: key request: %w", err)
	}
	info, err := p.AIK.Marshal()
	if err != nil {
		return nil, fmt.Errorf("aik: key request: %w", err)
	}
	sealed, err := scep.Seal(info, p.Authority.Encryption, rand)
	if err != nil {
		return nil, fmt.Errorf("aik: key request: AIK info: %w", err)
	}
	csr, err := CertificateRequest{
		OSVersion:    p.OSVersion,
		SignerHash:   signerHash(p.Signer.Certificate),
		Client:       p.Client,
		Provider:     Provider,
		TPM:          p.TPM,
		SubjectKeyID: base.SubjectKeyID,
		Statement:    p.Statement.Marshal(),
		AIKInfo:      sealed,
	}.MarshalSigned(p.Key)
	if err != nil {
		return nil, fmt.Errorf("aik: key request: %w", err)
	}
	return send(scep.PKCSReq, base.TransactionID, csr, nil, p.Signer, p.Authority, rand)
}

func (r *Request1) openAIKInfo(ra scep.Identity) error {
	info, err := scep.Open(r.Request.AIKInfo, ra)
	if err != nil {
		return fmt.Errorf("aik: request 1: AIK info: %w", err)
	}
	a, err := tpmattest.ParseAIKInfo(info)
	if err != nil {
		return fmt.Errorf("aik: request 1: %w", err)
	}
	r.AIK = &a
	return nil
}

// VerifyKeyAttestation checks an AIK's word for the key to certify, where the request has one: the AIK's certificate is
// about the AIK that is named beside it, and this AIK attests that the key is in its TPM and cannot leave it, for this
// requester. Who issued the AIK's certificate is the service's to check. Errors are of package tpmattest and name the
// check.
func (r *Request1) VerifyKeyAttestation() (key *tpmattest.Public, aik *x509.Certificate, err error) {
	refuse := func(check tpmattest.Check, err error) (*tpmattest.Public, *x509.Certificate, error) {
		return nil, nil, &tpmattest.Error{Check: check, Err: err}
	}
	switch {
	case r.AIK == nil || r.AIK.Certificate == nil:
		return refuse(tpmattest.CheckCertificate, errors.New("no AIK certificate"))
	case !r.Request.Signed:
		return refuse(tpmattest.CheckSignature, errors.New("the request is not signed by its key"))
	case len(r.Statement.IDBinding) != 0:
		return refuse(tpmattest.CheckFormat, errors.New("an idBinding beside an AIK info"))
	}
	if aik, err = x509.ParseCertificate(r.AIK.Certificate); err != nil {
		return refuse(tpmattest.CheckCertificate, err)
	}
	if !tpmattest.SameKey(aik.PublicKey, r.AIK.Key) {
		return refuse(tpmattest.CheckCertificate, errors.New("the AIK certificate is about another key"))
	}
	statement, err := tpmattest.ParseKeyAttestation(r.Statement.KeyAttestation)
	if err != nil {
		return nil, nil, err
	}
	if key, err = statement.Public(); err != nil {
		return nil, nil, err
	}
	_, err = tpmattest.VerifyCertify(aik.PublicKey, statement.Attest, statement.Signature, KeyQualifyingData(r.Message.Signer), key, r.Request.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	return key, aik, nil
}
