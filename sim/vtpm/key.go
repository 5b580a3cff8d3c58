package vtpm

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Key is an RSA-2048 key that a chip made and wrapped with its storage root
// key. The chip keeps nothing of it: who has the blob, and that chip, has the
// key. It signs and decrypts through In.
type Key struct {
	chip            *Chip
	label           string
	public, private []byte // TPMT_PUBLIC, contents of TPM2B_PRIVATE
	rsa             *rsa.PublicKey
}

// joinBlob is TPM2B_PUBLIC, TPM2B_PRIVATE.
func joinBlob(public, private []byte) []byte {
	f := &frame{b: make([]byte, 0, 4+len(public)+len(private))}
	return f.sized(public).sized(private).b
}

func (c *Chip) openBlob(label string, blob []byte) (*Key, error) {
	r := &reader{b: bytes.Clone(blob)}
	k := &Key{chip: c, label: label, public: r.sized(), private: r.sized()}
	if r.err != nil || len(r.b) != 0 {
		return nil, errors.New("not a key blob (TPM2B_PUBLIC, TPM2B_PRIVATE)")
	}
	var err error
	k.rsa, err = rsaPublic(k.public)
	return k, err
}

// NewKey makes a key. It takes the virtual time that the part needs to find
// two primes; the key itself is the next one that this chip made ahead under
// its SRK, or, when those are used up or the chip was cleared, one made now.
func (c *Chip) NewKey(ctx context.Context, label string) (*Key, error) {
	var k *Key
	err := c.Do(ctx, "TPM2_Create", Cost{CreateRSA: 1}, func(t transport.TPM) error {
		blob, err := c.nextKey(t)
		if err == nil {
			k, err = c.openBlob(label, blob)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: new key %q: %w", label, err)
	}
	return k, nil
}

// nextKey returns a wrapped key. The pool is read from the image when it is
// needed: in memory it would be the largest part of a parked chip.
func (c *Chip) nextKey(t transport.TPM) ([]byte, error) {
	if c.keys >= poolKeys {
		made, err := create(t, srkHandle, templates().key)
		if errors.Is(err, tpm2.TPMRCHandle) {
			return nil, ErrNoKey // the storage root key is
		}
		if err != nil {
			return nil, err
		}
		return joinBlob(made.public, made.private), nil
	}
	if c.pool == nil {
		img, err := c.lab.image(c.id)
		if err != nil {
			return nil, err
		}
		c.pool = img.pool
	}
	c.keys++
	return c.pool[c.keys-1], nil
}

// LoadKey makes a key usable again from its blob. The TPM refuses a blob of
// another TPM, or from before it was cleared, with TPM_RC_INTEGRITY.
func (c *Chip) LoadKey(ctx context.Context, blob []byte) (*Key, error) {
	k, err := c.openBlob("", blob)
	if err != nil {
		return nil, fmt.Errorf("vtpm: load key: %w", err)
	}
	err = k.use(ctx, "TPM2_Load", Cost{}, func(transport.TPM, tpm2.TPMHandle) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("vtpm: load key: %w", err)
	}
	return k, nil
}

// use loads the key for one job and flushes it again; cost is f's own.
func (k *Key) use(ctx context.Context, tag string, cost Cost, f func(t transport.TPM, h tpm2.TPMHandle) error) error {
	cost.Load++
	cost.Light++
	return k.chip.Do(ctx, tag, cost, func(t transport.TPM) error {
		h, _, err := load(t, srkHandle, k.private, k.public)
		if err != nil {
			return err
		}
		err = f(t, h)
		return errors.Join(err, flush(t, h))
	})
}

// Label is the name that NewKey was given; it is not in the blob.
func (k *Key) Label() string { return k.label }

// Public is the public key, an *rsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.rsa }

// PublicArea is the TPM2B_PUBLIC, which the key's Name is a digest of.
func (k *Key) PublicArea() []byte { return (&frame{}).sized(k.public).b }

// Blob is TPM2B_PUBLIC and TPM2B_PRIVATE, one behind the other: what a disk
// keeps of the key.
func (k *Key) Blob() []byte { return joinBlob(k.public, k.private) }

// In binds the key to an actor's context, for libraries that take a
// crypto.Signer or crypto.Decrypter and have no context of their own.
func (k *Key) In(ctx context.Context) *BoundKey { return &BoundKey{key: k, ctx: ctx} }

// BoundKey is a Key that waits on behalf of one actor. It implements
// crypto.Signer and crypto.Decrypter; their rand is not used.
type BoundKey struct {
	key *Key
	ctx context.Context
}

var (
	_ crypto.Signer    = (*BoundKey)(nil)
	_ crypto.Decrypter = (*BoundKey)(nil)
)

// Public is Key.Public.
func (b *BoundKey) Public() crypto.PublicKey { return b.key.rsa }

// Sign makes a PKCS #1 v1.5 signature over a digest, or a PSS one with
// *rsa.PSSOptions, whose salt is then as long as the hash.
func (b *BoundKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash, err := algorithm(opts.HashFunc())
	if err != nil {
		return nil, err
	}
	scheme := tpm2.TPMAlgRSASSA
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		scheme = tpm2.TPMAlgRSAPSS
		if n := pss.SaltLength; n > 0 && n != opts.HashFunc().Size() {
			return nil, fmt.Errorf("vtpm: sign: PSS salt of %d bytes is not what a TPM makes", n)
		}
	}
	var signature []byte
	err = b.key.use(b.ctx, "TPM2_Sign", Cost{Sign: 1}, func(t transport.TPM, h tpm2.TPMHandle) error {
		signature, err = sign(t, h, scheme, hash, digest)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: sign: %w", err)
	}
	return signature, nil
}

// Decrypt undoes RSAES-OAEP with *rsa.OAEPOptions, RSAES-PKCS1-v1_5 with nil or
// *rsa.PKCS1v15DecryptOptions. A label must end with a zero byte, as TPMs ask.
func (b *BoundKey) Decrypt(_ io.Reader, cipher []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	var hash tpm2.TPMAlgID
	var label []byte
	switch o := opts.(type) {
	//lint:ignore SA1019 SCEP's envelopes are opened like this (RFC 8894, RFC 3370 4.2.1)
	case nil, *rsa.PKCS1v15DecryptOptions:
	case *rsa.OAEPOptions:
		var err error
		if hash, err = algorithm(o.Hash); err != nil {
			return nil, err
		}
		if o.MGFHash != 0 && o.MGFHash != o.Hash {
			return nil, errors.New("vtpm: decrypt: a TPM masks with the same hash")
		}
		label = o.Label
	default:
		return nil, fmt.Errorf("vtpm: decrypt: options %T", opts)
	}
	var plain []byte
	err := b.key.use(b.ctx, "TPM2_RSA_Decrypt", Cost{Decrypt: 1}, func(t transport.TPM, h tpm2.TPMHandle) error {
		var err error
		plain, err = rsaDecrypt(t, h, hash, label, cipher)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: decrypt: %w", err)
	}
	return plain, nil
}
