package aik

import (
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// Challenge is the content of the reply to request 1.
type Challenge struct {
	// Credential is for TPM2_ActivateCredential.
	Credential tpmattest.Credential
	// ServerContext is the service's own, to be sent back unchanged.
	ServerContext []byte
}

// The header of the challenge blob: six words, little-endian. Its layout was observed, the magic is our model.
const (
	challengeMagic   = 0x4843414B // "KACH"
	challengeVersion = 1
	platformTPM2     = 2
	challengeHeader  = 24
)

// MarshalBlob writes the challenge blob: header, then the two structures with their sizes.
func (c Challenge) MarshalBlob() []byte {
	body := c.Credential.Marshal()
	var b []byte
	for _, word := range []uint32{challengeMagic, challengeVersion, platformTPM2, challengeHeader, uint32(len(body)), 0} {
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	return append(b, body...)
}

// ParseChallengeBlob reads what [Challenge.MarshalBlob] writes.
func ParseChallengeBlob(b []byte) (tpmattest.Credential, error) {
	if len(b) < challengeHeader {
		return tpmattest.Credential{}, errors.New("aik: challenge: truncated")
	}
	for i, want := range []uint32{challengeMagic, challengeVersion, platformTPM2, challengeHeader, uint32(len(b) - challengeHeader)} {
		if got := binary.LittleEndian.Uint32(b[4*i:]); got != want {
			return tpmattest.Credential{}, fmt.Errorf("aik: challenge: word %d of the header is %#x, want %#x", i, got, want)
		}
	}
	return tpmattest.ParseCredential(b[challengeHeader:])
}

// BuildChallenge writes the reply to request 1 that challenges the device. One private-key operation.
func BuildChallenge(request *scep.Message, c Challenge, ra Registrar, rand io.Reader) ([]byte, error) {
	content, err := marshalPair(oidAttestationChallenge, c.MarshalBlob(), c.ServerContext)
	if err != nil {
		return nil, fmt.Errorf("aik: challenge: %w", err)
	}
	return reply(request, Challenged, content, ra, rand)
}

// BuildSuccess writes the reply that carries the AIK certificate, then the certificates of chain. One private-key
// operation.
func BuildSuccess(request *scep.Message, cert *x509.Certificate, chain []*x509.Certificate, ra Registrar, rand io.Reader) ([]byte, error) {
	content, err := scep.MarshalCertificates(append([]*x509.Certificate{cert}, chain...)...)
	if err != nil {
		return nil, fmt.Errorf("aik: success: %w", err)
	}
	return reply(request, scep.Success, content, ra, rand)
}

// BuildPending writes the reply that asks the device to come again later. One private-key operation.
func BuildPending(request *scep.Message, ra Registrar, rand io.Reader) ([]byte, error) {
	return reply(request, scep.Pending, nil, ra, rand)
}

// BuildFailure writes the reply that refuses, with a reason and a text for people. One private-key operation.
func BuildFailure(request *scep.Message, info scep.FailInfo, text string, ra Registrar, rand io.Reader) ([]byte, error) {
	nonce, err := scep.NewNonce(rand)
	if err != nil {
		return nil, fmt.Errorf("aik: failure: %w", err)
	}
	attrs := request.Attributes.Reply(scep.Failure, nonce)
	attrs.FailInfo, attrs.FailText = info, text
	return scep.Message{Attributes: attrs}.Sign(ra.Signing)
}

func reply(request *scep.Message, status scep.Status, content []byte, ra Registrar, rand io.Reader) ([]byte, error) {
	nonce, err := scep.NewNonce(rand)
	if err != nil {
		return nil, fmt.Errorf("aik: reply: %w", err)
	}
	m := scep.Message{Attributes: request.Attributes.Reply(status, nonce)}
	if content != nil {
		if m.Content, err = scep.Seal(content, request.Signer, rand); err != nil {
			return nil, fmt.Errorf("aik: reply: %w", err)
		}
	}
	return m.Sign(ra.Signing)
}

// RejectedError is a reply in good order that is not the one hoped for: the service refuses, or wants the device to
// wait.
type RejectedError struct {
	Status   scep.Status
	FailInfo scep.FailInfo
	Text     string
}

// Error says status and reason.
func (e *RejectedError) Error() string {
	if e.Status == scep.Failure {
		return fmt.Sprintf("aik: the service refuses: %s: %s", e.FailInfo, e.Text)
	}
	return fmt.Sprintf("aik: the service answers with pkiStatus %d", e.Status)
}

// ParseChallenge reads the reply to request 1 (one private-key operation). Any other state than a challenge is a
// [*RejectedError].
func ParseChallenge(der []byte, sent *Sent) (*Challenge, error) {
	content, err := openReply(der, sent, Challenged)
	if err != nil {
		return nil, err
	}
	var blob []byte
	context, err := parsePair(content, oidAttestationChallenge, &blob)
	if err != nil {
		return nil, fmt.Errorf("aik: challenge: %w", err)
	}
	credential, err := ParseChallengeBlob(blob)
	if err != nil {
		return nil, err
	}
	return &Challenge{Credential: credential, ServerContext: context}, nil
}

// ParseSuccess reads the reply to request 2 (one private-key operation): the AIK certificate and what came with it.
// Any other state is a [*RejectedError]. That the certificate is about the AIK is for the device to check.
func ParseSuccess(der []byte, sent *Sent) (cert *x509.Certificate, chain []*x509.Certificate, err error) {
	content, err := openReply(der, sent, scep.Success)
	if err != nil {
		return nil, nil, err
	}
	certs, err := scep.ParseCertificates(content)
	if err != nil {
		return nil, nil, fmt.Errorf("aik: success: %w", err)
	}
	return certs[0], certs[1:], nil
}

// openReply believes a reply only when the RA of the authority signed it and it answers this very request.
func openReply(der []byte, sent *Sent, want scep.Status) ([]byte, error) {
	m, err := scep.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("aik: reply: %w", err)
	}
	if !m.Signer.Equal(sent.Authority.Signing) {
		return nil, errors.New("aik: reply: not signed by the registration authority")
	}
	if err := m.CheckReply(sent.Attributes); err != nil {
		return nil, fmt.Errorf("aik: %w", err)
	}
	if m.Status != want {
		return nil, &RejectedError{Status: m.Status, FailInfo: m.FailInfo, Text: m.FailText}
	}
	content, err := scep.Open(m.Content, sent.Signer)
	if err != nil {
		return nil, fmt.Errorf("aik: reply: %w", err)
	}
	return content, nil
}
