package sidecar

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/hosts"
	wire "windtunnel.test/sim/wire/sidecar"
)

// Path is where the gateway is, below its host.
const Path = "/TrafficGateway/TrafficRoutingService/SideCar/StatelessSideCarGatewayService"

// maxBody bounds a request, far above what an agent sends.
const maxBody = 4 << 20

// Options are what the gateway is made of.
type Options struct {
	Tenants     *tenant.Service
	Authorities *authority.Authorities
	Content     delivery.Publisher // nil: content goes nowhere, and downloads get 404
	// APIVersion is the one that the gateway speaks; "": wire.APIVersion.
	APIVersion string
	// Technician tells whether a device is in the technician flow; nil: none is.
	Technician func(m tenant.ManagedDevice) bool
}

// Service answers for the location service and for the gateway: each path is
// one of the two's.
type Service struct {
	Options

	mu        sync.Mutex
	published map[string][sha256.Size]byte // digest of the plain content, by path
}

// New makes the service.
func New(o Options) *Service {
	return &Service{Options: o, published: map[string][sha256.Size]byte{}}
}

// Operation names a request for the journal and for fault rules.
func Operation(r *http.Request) string {
	rest, ok := below(r.URL.Path)
	switch {
	case strings.EqualFold(r.URL.Path, wire.DiscoveryPath):
		return "sidecar.location"
	case ok && strings.EqualFold(rest, wire.CertificatePath):
		return "sidecar.certificate"
	}
	if _, session := wire.ParseSessionPath(r.URL.Path); ok && session {
		return "sidecar.session"
	}
	for _, service := range portal {
		if strings.Contains(strings.ToLower(r.URL.Path), service) {
			return "sidecar.portal"
		}
	}
	return "sidecar.unknown"
}

// portal are the services of the company portal that the location service of
// Intune names beside the gateway: they answer 501 here.
var portal = []string{"/iwservice", "/tokenrenewalservice"}

func below(path string) (string, bool) {
	if len(path) < len(Path) || !strings.EqualFold(path[:len(Path)], Path) {
		return "", false
	}
	return path[len(Path):], true
}

// refusal is a check that said no, with the HTTP status for the caller.
type refusal struct {
	check  string
	status int
}

func (r *refusal) Error() string { return r.check }

func no(check string, status int) error { return &refusal{check, status} }

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := Operation(r)
	route, ok := map[string]struct {
		method, takes, gives string
		handle               func(*http.Request, []byte) ([]byte, error)
	}{
		"sidecar.location":    {http.MethodGet, "", "application/json; charset=utf-8", s.location},
		"sidecar.certificate": {http.MethodPost, "application/pkcs10", "application/pkix-cert", s.certificate},
		"sidecar.session":     {http.MethodPut, "application/json", "application/json; charset=utf-8", s.session},
	}[operation]
	var body, answer []byte
	var err error
	switch {
	case operation == "sidecar.portal":
		err = no("not modelled", http.StatusNotImplemented)
	case !ok:
		err = no("not modelled", http.StatusNotFound)
	case r.Method != route.method:
		w.Header().Set("Allow", route.method)
		err = no("method", http.StatusMethodNotAllowed)
	default:
		body, err = readBody(r, route.takes)
	}
	if err == nil {
		answer, err = route.handle(r, body)
	}
	if err != nil {
		n := &refusal{"internal", http.StatusInternalServerError}
		errors.As(err, &n)
		s.Tenants.Refused(r.Context(), "sidecar", operation, n.check, http.StatusText(n.status))
		http.Error(w, n.check, n.status)
		return
	}
	w.Header().Set("Content-Type", route.gives)
	w.WriteHeader(http.StatusOK)
	// A client that went away is no error of the service.
	_, _ = w.Write(answer)
}

// readBody reads at most maxBody bytes of a type; a request that names none is
// taken at its word.
func readBody(r *http.Request, takes string) ([]byte, error) {
	if text := r.Header.Get("Content-Type"); text != "" && takes != "" {
		if kind, _, err := mime.ParseMediaType(text); err != nil || kind != takes {
			return nil, no("content type", http.StatusUnsupportedMediaType)
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, no("message length", http.StatusBadRequest)
	case len(body) > maxBody:
		return nil, no("message length", http.StatusRequestEntityTooLarge)
	}
	return body, nil
}

func (s *Service) mdmClient(r *http.Request) (authority.Client, error) {
	c, err := s.Authorities.MDMClient(r)
	if err != nil {
		return c, no(err.Error(), authority.Status(err))
	}
	return c, nil
}

// location tells a managed device where the gateway is.
func (s *Service) location(r *http.Request, _ []byte) ([]byte, error) {
	if _, err := s.mdmClient(r); err != nil {
		return nil, err
	}
	return wire.EncodeServiceAddresses(wire.Service{ServiceName: wire.GatewayService, URL: "https://" + hosts.SideCar + Path})
}

// certificate gives the agent a certificate of its own, in the place of the one
// before.
func (s *Service) certificate(r *http.Request, body []byte) ([]byte, error) {
	c, err := s.mdmClient(r)
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(body)
	if err != nil || pki.CheckRequest(request) != nil {
		return nil, no("certificate request", http.StatusBadRequest)
	}
	now := s.Tenants.Now()
	cert, err := s.Authorities.IME.Issue(now, &x509.Certificate{
		Subject:  pkix.Name{CommonName: c.Device.ID, OrganizationalUnit: []string{c.Tenant.ID}},
		NotAfter: s.Tenants.Timing.IME.CertificateLife.After(now),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, request.PublicKey)
	if err != nil {
		return nil, err
	}
	if _, err := c.Tenant.UpdateDevice(c.Device.ID, func(m *tenant.ManagedDevice) error {
		m.IMEThumbprint = pki.Thumbprint(cert)
		return nil
	}); err != nil {
		return nil, err
	}
	s.Tenants.Record(r.Context(), "ime.certificate.issued", journal.F("id", c.Device.ID), journal.F("notAfter", cert.NotAfter))
	return cert.Raw, nil
}

// session is one exchange with the agent.
func (s *Service) session(r *http.Request, body []byte) ([]byte, error) {
	client, err := s.Authorities.IMEClient(r)
	if errors.Is(err, authority.ErrIssuer) { // other agents show the MDM certificate (secureworks/pytune)
		client, err = s.Authorities.MDMClient(r)
	}
	if err != nil {
		return nil, no(err.Error(), authority.Status(err))
	}
	if version := cmp.Or(s.APIVersion, wire.APIVersion); r.URL.Query().Get("api-version") != version {
		return nil, no("api-version", http.StatusBadRequest)
	}
	in, err := wire.DecodeSession(body)
	if err != nil {
		return nil, no("message format", http.StatusBadRequest)
	}
	if id, ok := wire.ParseSessionPath(r.URL.Path); !ok || !strings.EqualFold(id, in.SessionID) {
		return nil, no("session id", http.StatusBadRequest)
	}
	handle, ok := map[wire.ContentType]func(context.Context, authority.Client, *wire.Session, string) (string, error){
		wire.GetSelectedApp: s.selectedApps, wire.GetContentInfo: s.contentInfo, wire.StatusReport: s.report, wire.PolicyRequest: s.scripts,
		wire.GetScript: s.remediations, wire.GetAvailableApp: s.availableApps, wire.RequestApplication: s.requestApp,
		wire.ScriptReport: s.scriptReport,
	}[in.RequestContentType]
	if !ok {
		return nil, no("content type not modelled", http.StatusNotImplemented)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	payload, err := handle(r.Context(), client, in, token)
	if err != nil {
		return nil, err
	}
	return in.Answer(payload).Encode()
}
