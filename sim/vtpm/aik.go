package vtpm

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/wire/tpmattest"
)

// AIK is the chip's attestation identity key: a restricted RSA-2048 signing
// key at a persistent handle, RSASSA with SHA-256, that signs nothing but what
// the TPM says itself.
type AIK struct {
	chip   *Chip
	public []byte // TPMT_PUBLIC
	name   []byte
	rsa    *rsa.PublicKey
}

// Attestation is what the AIK signed.
type Attestation struct {
	Attest    []byte // TPM2B_ATTEST, length included
	Signature []byte // TPMT_SIGNATURE
}

// AIK reads the key's public area. ErrNoKey says that the chip has none, as
// after TPM2_Clear.
func (c *Chip) AIK(ctx context.Context) (*AIK, error) {
	a := &AIK{chip: c}
	err := c.Do(ctx, "TPM2_ReadPublic", Cost{Light: 1}, func(t transport.TPM) error {
		var err error
		a.public, a.name, err = readPublic(t, aikHandle)
		if errors.Is(err, tpm2.TPMRCHandle) {
			return ErrNoKey
		}
		return err
	})
	if err == nil {
		a.rsa, err = rsaPublic(a.public)
	}
	if err != nil {
		return nil, fmt.Errorf("vtpm: AIK of %s: %w", c.id, err)
	}
	return a, nil
}

// Public is the public key.
func (a *AIK) Public() *rsa.PublicKey { return a.rsa }

// PublicArea is the TPM2B_PUBLIC.
func (a *AIK) PublicArea() []byte { return (&frame{}).sized(a.public).b }

// Name is the TPM's name for the key: nameAlg and the digest of its public
// area. A credential challenge is made over it.
func (a *AIK) Name() []byte { return bytes.Clone(a.name) }

// IDBinding is the AIK's proof of origin: how the TPM made it, certified by
// the AIK itself over qualifying (MS-WCCE 2.2.2.5; empty in the exchange with
// the AIK service).
func (a *AIK) IDBinding(ctx context.Context, qualifying []byte) (tpmattest.IDBinding, error) {
	b := tpmattest.IDBinding{Public: a.PublicArea()}
	err := a.chip.Do(ctx, "TPM2_CertifyCreation", Cost{Sign: 1}, func(t transport.TPM) error {
		proof := a.chip.aik
		if proof.data == nil {
			return ErrNoKey
		}
		b.CreationData = (&frame{}).sized(proof.data).b
		var err error
		b.Attest, b.Signature, err = certifyCreation(t, aikHandle, aikHandle, qualifying, proof.hash, proof.ticket)
		return err
	})
	if err != nil {
		return tpmattest.IDBinding{}, fmt.Errorf("vtpm: certify creation of the AIK: %w", err)
	}
	return b, nil
}

// Certify has the AIK vouch for another key of this chip (TPM2_Certify).
func (a *AIK) Certify(ctx context.Context, key *Key, qualifying []byte) (Attestation, error) {
	var out Attestation
	if key.chip != a.chip {
		return out, errors.New("vtpm: certify: the key is of another chip")
	}
	err := key.use(ctx, "TPM2_Certify", Cost{Sign: 1}, func(t transport.TPM, h tpm2.TPMHandle) error {
		var err error
		out.Attest, out.Signature, err = certify(t, h, aikHandle, qualifying)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("vtpm: certify: %w", err)
	}
	return out, nil
}

// Quote has the AIK sign the SHA-256 registers of that list (TPM2_Quote).
func (a *AIK) Quote(ctx context.Context, qualifying []byte, pcrs ...int) (Attestation, error) {
	var out Attestation
	selection, err := selectPCRs(pcrs)
	if err != nil {
		return out, err
	}
	err = a.chip.Do(ctx, "TPM2_Quote", Cost{Sign: 1}, func(t transport.TPM) error {
		var err error
		out.Attest, out.Signature, err = quote(t, aikHandle, qualifying, selection)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("vtpm: quote: %w", err)
	}
	return out, nil
}

// Activate recovers the secret of a credential challenge, which works only
// when it was made to this chip's EK and over this AIK's name. blob is a
// TPM2B_ID_OBJECT, secret a TPM2B_ENCRYPTED_SECRET, each with its length or
// without.
func (a *AIK) Activate(ctx context.Context, blob, secret []byte) ([]byte, error) {
	var out []byte
	cost := Cost{Light: 3, Decrypt: 1}
	err := a.chip.Do(ctx, "TPM2_ActivateCredential", cost, func(t transport.TPM) error {
		// The caller's nonce plays no part without a key in the session; the
		// chip's own is random.
		nonce := make([]byte, 16)
		h, err := startPolicy(t, nonce)
		if err != nil {
			return err
		}
		// The EK's policy is PolicySecret of the endorsement hierarchy.
		if err = policySecret(t, tpm2.TPMRHEndorsement, h); err == nil {
			policy := session{handle: h, nonce: nonce}
			out, err = activate(t, aikHandle, ekHandle, policy, contents(blob), contents(secret))
		}
		// The session outlives the command (continueSession), and a refusal.
		return errors.Join(err, flush(t, h))
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: activate credential: %w", err)
	}
	return out, nil
}

// contents strips the length of a TPM2B where there is one. Without it an ID
// object begins with the length of its HMAC, 32 bytes, and more follows; an
// encrypted secret is 256 bytes.
func contents(b []byte) []byte {
	if len(b) >= 2 && len(b) != 256 && int(b[0])<<8|int(b[1]) == len(b)-2 {
		return b[2:]
	}
	return b
}
