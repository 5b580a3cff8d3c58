package drs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/oauth"
)

// Tickets verifies device tickets; an audience of "" is not compared.
type Tickets interface {
	VerifyTicket(ticket, audience string, now time.Time) (msa.Claims, error)
}

// Attestation knows which TPM an AIK lives in: the certificate verified, and
// the SHA-256 of the endorsement key's SubjectPublicKeyInfo.
type Attestation interface {
	Attested(certificate []byte, now time.Time) (aik *x509.Certificate, ekHash [32]byte, err error)
}

// Tokens verifies access tokens for an audience.
type Tokens interface {
	VerifyToken(token, audience string, now time.Time) (*oauth.Claims, error)
}

// Options are the service's settings beside the common ones. A nil verifier
// refuses everything that it would verify.
type Options struct {
	service.Options
	Directory   *tenant.Directory // nil: an empty one
	Tickets     Tickets
	Attestation Attestation
	Tokens      Tokens
	// Region is written into device certificates; "" leaves it out.
	Region string
}

// Service answers for the registration host.
type Service struct {
	service.Core
	settings Options

	dir    *tenant.Directory
	ca     *pki.CA
	nonces *service.Nonces
	bursts bursts
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("drs", s.settings.Options, func() {
		if s.dir = s.settings.Directory; s.dir == nil {
			s.dir = tenant.New(s.Core.Options)
		}
		ca, err := pki.NewRoot(s.Born(), s.Seed, "MS-Organization-Access", pki.Options{Subject: wire.IssuerName()})
		if err != nil {
			panic("fakeentra/drs: device authority: " + err.Error()) // fixed input: cannot fail
		}
		s.ca = ca
		s.nonces = service.NewNonces(s.DB, "entra.drs.nonces")
	})
}

// CA is the certificate that issues device certificates.
func (s *Service) CA() *x509.Certificate {
	s.init()
	return s.ca.Cert
}

// Device verifies a device certificate: issued here, valid now, the last one of
// a device that exists and is enabled.
func (s *Service) Device(cert *x509.Certificate, now time.Time) (tenant.Device, error) {
	s.init()
	if err := pki.CheckIssued(cert, s.ca.Cert); err != nil {
		return tenant.Device{}, fmt.Errorf("fakeentra/drs: %w", ErrCertificate)
	}
	id, err := wire.ParseIdentity(cert)
	if err != nil || now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return tenant.Device{}, fmt.Errorf("fakeentra/drs: %w", ErrCertificate)
	}
	dev, err := s.dir.Device(id.TenantID, id.DeviceID)
	switch {
	case err != nil:
		return tenant.Device{}, fmt.Errorf("fakeentra/drs: %w", err)
	case dev.Thumbprint != pki.Thumbprint(cert):
		return tenant.Device{}, fmt.Errorf("fakeentra/drs: %w", ErrCertificate)
	case !dev.Enabled:
		return tenant.Device{}, fmt.Errorf("fakeentra/drs: %w", tenant.ErrDisabled)
	}
	return dev, nil
}

// ServeHTTP routes by path, case aside.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	path := service.Segments(r.URL.Path)
	is := func(method, pattern string) bool { return r.Method == method && service.Match(path, pattern) }
	switch {
	case is(http.MethodGet, "*/discover"):
		s.discover(w, r, path[0])
	case is(http.MethodGet, "enrollmentserver/nonce/*"):
		s.nonce(w, r, path[2])
	case is(http.MethodGet, "enrollmentserver/contract"):
		s.contract(w, r)
	case is(http.MethodPost, "enrollmentserver/key"):
		s.key(w, r)
	case is(http.MethodPost, "enrollmentserver/device"):
		s.join(w, r)
	case is(http.MethodPut, "enrollmentserver/device/*"):
		s.syncJoin(w, r, path[2])
	case is(http.MethodDelete, "enrollmentserver/device/*"):
		s.leave(w, r, path[2])
	default:
		service.NotModelled(w, r)
	}
}

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	path := service.Segments(r.URL.Path)
	if r.Method == http.MethodPut && service.Match(path, "enrollmentserver/device/*") {
		return "drs.syncJoin"
	}
	for pattern, name := range map[string]string{
		"*/discover": "drs.discover", "enrollmentserver/nonce/*": "drs.nonce",
		"enrollmentserver/contract": "drs.contract", "enrollmentserver/key": "drs.key",
		"enrollmentserver/device": "drs.join", "enrollmentserver/device/*": "drs.leave",
	} {
		if service.Match(path, pattern) {
			return name
		}
	}
	return "drs.other"
}

// refused answers with what a check said.
func (s *Service) refused(w http.ResponseWriter, r *http.Request, operation string, err error) {
	n := &refusal{"internal", wire.InternalServerError, "", err.Error()}
	errors.As(err, &n)
	s.refuse(w, r, operation, n.check, n.code, n.sub, n.message)
}

// refuse answers with the error body and writes who decided.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, operation, check, code, sub, message string) {
	e := wire.NewError(code, sub, operation, message, s.NewID("trace"), s.Now())
	s.Refused(r.Context(), operation, check, e.HResult().Hex())
	status := e.Status()
	if operation == opSyncJoin && status == http.StatusUnauthorized {
		status = http.StatusBadRequest // there is no token that could be another one
	}
	service.WriteJSON(w, status, e)
}
