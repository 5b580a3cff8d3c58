package aik

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/aik"
)

// Options are the service's settings beside the common ones.
type Options struct {
	service.Options

	// EKRoots are the vendor roots that are trusted for EK certificates; nil
	// trusts none.
	EKRoots []*x509.Certificate
	// VendorCAs are the CAs that issue EK certificates, each of which has an
	// authority host of its own. Nil: a host exists for every CA that a
	// device asks for.
	VendorCAs []*x509.Certificate
	// Vulnerable lists firmware whose keys are not to be trusted; see
	// KnownVulnerable.
	Vulnerable []Firmware
	// Limit throttles; the zero value does not.
	Limit Limit
}

// Limit is how many PKI operations the service takes in a span of time.
type Limit struct {
	Requests int
	Per      time.Duration
}

// Service answers for all authority hosts.
type Service struct {
	service.Core
	settings Options

	root  *pki.CA
	roots *x509.CertPool

	mu          sync.Mutex
	authorities map[string]*authority // by lower-case host
	challenges  *challenges
	issued      *issuedTable
	window      []time.Time // starts of recent PKI operations, only with a Limit
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("aik", s.settings.Options, func() {
		s.roots = x509.NewCertPool()
		for _, c := range s.settings.EKRoots {
			s.roots.AddCert(c)
		}
		root, err := pki.NewRoot(s.Born(), s.Seed, "Windtunnel TPM Root Certificate Authority", pki.Options{})
		if err != nil {
			panic("fakeentra/aik: root authority: " + err.Error()) // fixed input: cannot fail
		}
		s.root = root
		s.authorities = map[string]*authority{}
		s.challenges = newChallenges(s.DB)
		s.issued = newIssuedTable(s.DB)
	})
}

// Root is the certificate that everything the service issues chains to.
func (s *Service) Root() *x509.Certificate {
	s.init()
	return s.root.Cert
}

// ServeHTTP answers GetCACaps, GetCACertChain and PKIOperation on an
// authority's host.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	a, err := s.authority(hostOf(r))
	if err != nil {
		s.refuse(w, r, &refusal{outcome: wire.UnknownAuthority, check: "authority", detail: hostOf(r)})
		return
	}
	if !strings.EqualFold(r.URL.Path, wire.Path) {
		service.NotModelled(w, r)
		return
	}
	switch operation(r) {
	case "GetCACaps":
		service.Write(w, http.StatusOK, "text/plain", wire.Capabilities.Marshal())
	case "GetCACertChain", "GetCACert":
		service.Write(w, http.StatusOK, "application/x-x509-ca-ra-cert", a.chainDER)
	case "PKIOperation":
		s.pkiOperation(w, r, a)
	default:
		service.NotModelled(w, r)
	}
}

func operation(r *http.Request) string {
	for _, name := range []string{"GetCACaps", "GetCACertChain", "GetCACert", "PKIOperation"} {
		if strings.EqualFold(r.URL.Query().Get("operation"), name) {
			return name
		}
	}
	return ""
}

func (s *Service) pkiOperation(w http.ResponseWriter, r *http.Request, a *authority) {
	if wait := s.throttle(); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		s.refuse(w, r, &refusal{outcome: wire.Throttled, check: "rate limit"})
		return
	}
	body, err := service.ReadBody(r)
	if err != nil || r.Method != http.MethodPost || !service.Sends(r, wire.ContentType, "application/octet-stream") {
		s.refuse(w, r, &refusal{outcome: wire.BadRequest, check: "message", detail: "no SCEP message"})
		return
	}
	reply, err := s.answer(r, a, body)
	var no *refusal
	switch {
	case errors.As(err, &no):
		s.refuse(w, r, no)
	case err != nil:
		s.refuse(w, r, &refusal{outcome: wire.Unavailable, check: "internal", detail: err.Error()})
	default:
		service.Write(w, http.StatusOK, wire.ContentType, reply)
	}
}

// refusal is an answer that is no SCEP message.
type refusal struct {
	outcome       wire.Outcome
	check, detail string
}

func (r *refusal) Error() string { return string(r.outcome) + ": " + r.detail }

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	a := wire.NewAnswer(no.outcome, no.detail)
	s.Refused(r.Context(), "aik.enroll", no.check, strconv.Itoa(a.Status)+" "+string(no.outcome))
	if id := r.Header.Get(wire.HeaderClientRequestID); id != "" {
		w.Header().Set(wire.HeaderClientRequestID, id)
	}
	service.Write(w, a.Status, a.ContentType, a.Body)
}

// throttle counts an operation and says how long to wait if it is one too many.
func (s *Service) throttle() time.Duration {
	limit := s.settings.Limit
	if limit.Requests == 0 {
		return 0
	}
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.window) > 0 && now.Sub(s.window[0]) >= limit.Per {
		s.window = s.window[1:]
	}
	if len(s.window) >= limit.Requests {
		return limit.Per - now.Sub(s.window[0])
	}
	s.window = append(s.window, now)
	return 0
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return strings.ToLower(host)
}

// knows tells whether the service has an authority for a CA's key identifier.
func (s *Service) knows(keyID []byte) bool {
	if s.settings.VendorCAs == nil {
		return true
	}
	for _, c := range s.settings.VendorCAs {
		if bytes.Equal(c.SubjectKeyId, keyID) {
			return true
		}
	}
	return false
}

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	if name := operation(r); name != "" {
		return "aik." + name
	}
	return "aik.other"
}
