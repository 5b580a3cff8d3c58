package health

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/maa"
)

// signingKeyNumber is which RSA key of the shared pool signs reports: RS256 is
// what relying parties know.
const signingKeyNumber = 2

// Issuer is who signs reports: the instance's address.
const Issuer = "https://" + hosts.HealthAttestation

// Attestation verifies AIK certificates, and says which endorsement key was
// certified with one. The AIK service has it.
type Attestation interface {
	Attested(certificate []byte, now time.Time) (aik *x509.Certificate, ekHash [32]byte, err error)
}

// Options are the service's settings beside the common ones.
type Options struct {
	service.Options
	Attestation Attestation // nil: no AIK is believed
}

// Service answers for the attestation host.
type Service struct {
	service.Core
	settings Options

	signer  *maa.Signer
	keys    *jose.JSONWebKeySet
	nonces  *service.Nonces
	context [32]byte // key of the service contexts
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("health", s.settings.Options, func() {
		key := pki.RSAKey(signingKeyNumber)
		ca, err := pki.NewRoot(s.Born(), s.Seed, hosts.HealthAttestation, pki.Options{Key: key})
		if err == nil {
			s.signer, err = maa.NewSigner(key, ca.Cert)
		}
		if err != nil {
			panic("fakeentra/health: signing key: " + err.Error()) // fixed input: cannot fail
		}
		s.keys = s.signer.Keys()
		s.nonces = service.NewNonces(s.DB, "entra.health.challenges")
		s.context = s.Lasting("service context")
	})
}

// Keys are the published keys of reports.
func (s *Service) Keys() *jose.JSONWebKeySet {
	s.init()
	return s.keys
}

// Verify verifies a report of this service.
func (s *Service) Verify(report string, now time.Time) (*maa.Report, error) {
	return maa.Verify(s.Keys(), report, Issuer, now)
}

// ServeHTTP answers the Attest TPM operation, the OpenID document and the keys.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	path := service.Segments(r.URL.Path)
	is := func(method, pattern string) bool { return r.Method == method && service.Match(path, pattern) }
	switch {
	case is(http.MethodPost, strings.TrimPrefix(maa.Path, "/")):
		s.attest(w, r)
	case is(http.MethodGet, ".well-known/openid-configuration"):
		service.WriteJSON(w, http.StatusOK, maa.NewMetadata(Issuer))
	case is(http.MethodGet, "certs"):
		service.WriteJSON(w, http.StatusOK, s.keys)
	default:
		service.NotModelled(w, r)
	}
}

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	path := service.Segments(r.URL.Path)
	switch {
	case service.Match(path, strings.TrimPrefix(maa.Path, "/")):
		return "health.attest"
	case service.Match(path, "certs"):
		return "health.keys"
	}
	return "health.metadata"
}

// refusal is a check that said no.
type refusal struct {
	check, code, detail string
}

func (r *refusal) Error() string { return r.check + ": " + r.detail }

func (s *Service) attest(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(maa.HeaderCorrelation, s.NewID("exchange"))
	answer, err := s.answer(r)
	if err == nil {
		var body []byte
		if body, err = maa.Encode(*answer); err == nil {
			service.Write(w, http.StatusOK, maa.ContentType, body)
			return
		}
	}
	no := &refusal{check: "internal", code: maa.CodeFailed, detail: err.Error()}
	errors.As(err, &no)
	s.Refused(r.Context(), Operation(r), no.check, "400 "+no.code)
	service.Write(w, http.StatusBadRequest, maa.ContentType, maa.EncodeError(maa.Error{Code: no.code, Message: no.Error()}))
}

func (s *Service) answer(r *http.Request) (*maa.ToClient, error) {
	if v := r.URL.Query().Get("api-version"); v != maa.APIVersion {
		return nil, &refusal{"api-version", maa.CodeNotSupported, v}
	}
	if !service.Sends(r, maa.ContentType) {
		return nil, &refusal{"content type", maa.CodeInvalid, "The body has to be " + maa.ContentType + "."}
	}
	body, err := service.ReadBody(r)
	if err != nil {
		return nil, &refusal{"message", maa.CodeInvalid, err.Error()}
	}
	m, err := maa.Decode[maa.ToService](body)
	switch {
	case err != nil:
		return nil, &refusal{"message", maa.CodeInvalid, err.Error()}
	case m.Request != "":
		return s.report(r, m.Request)
	case m.Type == maa.TypeAIKCert:
		return s.challenge()
	}
	return nil, &refusal{"message", maa.CodeInvalid, "neither a request nor the type " + maa.TypeAIKCert}
}

// challenge opens an exchange.
func (s *Service) challenge() (*maa.ToClient, error) {
	now := s.Now()
	text, err := s.nonces.New(s.NewSecret("challenge"), "", now, now.Add(s.Timing.TPM.HealthChallengeLife))
	if err != nil {
		return nil, err
	}
	challenge := maa.Bytes(text)
	return &maa.ToClient{Challenge: challenge, ServiceContext: s.contextOf(challenge)}, nil
}

// contextOf is what only this service can make of a challenge. The real one is
// encrypted and holds more; a client gives it back as it is.
func (s *Service) contextOf(challenge []byte) maa.Bytes {
	h := hmac.New(sha256.New, s.context[:])
	h.Write(challenge)
	return h.Sum(nil)
}
