package maa

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Names in a request.
const (
	TypeBasic   = "basic"  // a TPM's evidence alone
	requestType = "attReq" // typ of the JWS
)

// Request is the payload of the second message.
type Request struct {
	Type string `json:"att_type"`
	Data Data   `json:"att_data"`
}

// Data is the evidence and what it is for.
type Data struct {
	RelyingParty   string  `json:"rp_id"`
	RelyingData    Bytes   `json:"rp_data"` // comes back in the report: the relying party's nonce
	Challenge      Bytes   `json:"challenge"`
	TPM            TPMData `json:"tpm_att_data"`
	AttestKey      *Key    `json:"attest_key"` // signs the request
	ServiceContext Bytes   `json:"service_context"`
}

// TPMData is the evidence.
type TPMData struct {
	BootLog        Bytes `json:"srtm_boot_log"`   // see package tcglog
	AIKCertificate Bytes `json:"aik_cert"`        // DER
	AIKPublic      *Key  `json:"aik_pub"`         // the same key
	CurrentClaim   Bytes `json:"current_claim"`   // see [PlatformClaim]
	ResumeLog      Bytes `json:"srtm_resume_log"` // not modelled: empty
}

// What a request is refused for, beside its form.
var (
	ErrSignature = errors.New("request is not signed by its attest_key")
	ErrType      = errors.New("request is of a type that is not modelled")
	ErrKey       = errors.New("key is missing, or not an RSA key")
)

// SignRequest signs a request with PS256 and gives the compact JWS. The
// request's AttestKey is that of key.
func SignRequest(r Request, key crypto.Signer) (string, error) {
	r.Data.AttestKey = &Key{Key: key.Public()}
	body, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("maa: request: %w", err)
	}
	opts := (&jose.SignerOptions{}).WithType(requestType)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: cryptosigner.Opaque(key)}, opts)
	if err != nil {
		return "", fmt.Errorf("maa: request: %w", err)
	}
	jws, err := signer.Sign(body)
	if err != nil {
		return "", fmt.Errorf("maa: request: %w", err)
	}
	return jws.CompactSerialize()
}

// OpenRequest reads a request and checks that the key in it signed it. Whose
// key that is follows from the quote alone: see [Qualifying].
func OpenRequest(compact string) (*Request, error) {
	if len(compact) > MaxBytes {
		return nil, fmt.Errorf("maa: request: %w", ErrLong)
	}
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.PS256})
	if err != nil {
		return nil, fmt.Errorf("maa: request: %w: %w", ErrMalformed, err)
	}
	if typ, _ := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string); typ != requestType {
		return nil, fmt.Errorf("maa: request: %w: typ %q", ErrMalformed, typ)
	}
	var r Request
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &r); err != nil {
		return nil, fmt.Errorf("maa: request: %w: %w", ErrMalformed, err)
	}
	if r.Type != TypeBasic {
		return nil, fmt.Errorf("maa: request: %w: %q", ErrType, r.Type)
	}
	for _, k := range []*Key{r.Data.AttestKey, r.Data.TPM.AIKPublic} {
		if k == nil {
			return nil, fmt.Errorf("maa: request: %w", ErrKey)
		}
		if _, ok := k.Key.(*rsa.PublicKey); !ok {
			return nil, fmt.Errorf("maa: request: %w", ErrKey)
		}
	}
	if _, err := jws.Verify(r.Data.AttestKey.Key); err != nil {
		return nil, fmt.Errorf("maa: request: %w", ErrSignature)
	}
	return &r, nil
}

// Qualifying is what the quote is over: SHA-256 of the challenge and of the
// thumbprint (RFC 7638) of the key that signs the request. Nobody can so put
// another PC's quote under a key of his own. Our model: that the challenge is
// in it is documented, how is not.
func Qualifying(challenge []byte, attestKey crypto.PublicKey) ([]byte, error) {
	thumbprint, err := (&jose.JSONWebKey{Key: attestKey}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("maa: attest_key: %w", err)
	}
	h := sha256.New()
	h.Write(challenge)
	h.Write(thumbprint)
	return h.Sum(nil), nil
}
