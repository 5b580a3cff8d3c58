package odj

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/connector"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/odj"
)

// Options are what the surface is made of.
type Options struct {
	Tenants     *tenant.Service
	Authorities *authority.Authorities
}

// Service answers for the connectors' host.
type Service struct{ Options }

// New makes the surface.
func New(o Options) *Service { return &Service{o} }

// Audience is what the administrator's access token is made out to, and
// Permission what he needs to have a connector enrolled (our model: setup asks
// for an account with the role Intune administrator).
const (
	Audience   = "https://graph.microsoft.com"
	Permission = "DeviceManagementServiceConfig.ReadWrite.All"
)

// requestsAPoll is how many requests a connector gets at once.
const requestsAPoll = 10

// Operation names a request for the journal and for fault rules.
func Operation(r *http.Request) string {
	switch r.URL.Path {
	case wire.PathEnrol:
		return "odj.enrol"
	case wire.PathPoll:
		return "odj.poll"
	case wire.PathBlob:
		return "odj.blob"
	case wire.PathFailure:
		return "odj.failure"
	}
	return "odj.unknown"
}

// refusal is a check that said no.
type refusal struct {
	check  string
	status int
	wire.Refusal
}

func no(check string, status int, code, message string) error {
	return &refusal{check, status, wire.Refusal{Code: code, Message: message}}
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(r)
	status := http.StatusOK
	if err != nil {
		e := &refusal{"internal", http.StatusInternalServerError, wire.Refusal{Code: "InternalError", Message: "internal error"}}
		errors.As(err, &e)
		s.Tenants.Refused(r.Context(), "odj", Operation(r), e.check, strconv.Itoa(e.status)+" "+e.Code)
		answer, status = e.Refusal, e.status
	}
	body, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no error of the service
}

func (s *Service) answer(r *http.Request) (any, error) {
	operation := Operation(r)
	switch {
	case operation == "odj.unknown":
		return nil, no("not modelled", http.StatusNotFound, wire.CodeInvalid, "not modelled: "+r.URL.Path)
	case r.Method != http.MethodPost:
		return nil, no("method", http.StatusMethodNotAllowed, wire.CodeInvalid, "only POST")
	case operation == "odj.enrol":
		return s.enrol(r)
	}
	t, c, err := s.Authorities.ConnectorClient(r)
	if err != nil {
		return nil, no(err.Error(), authority.Status(err), wire.CodeForbidden, err.Error())
	}
	switch operation {
	case "odj.poll":
		return s.poll(r, t, c)
	case "odj.blob":
		return s.blob(r, t, c)
	}
	return s.failure(r, t, c)
}

// message reads a request's body.
func message[T any](r *http.Request) (v T, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, wire.MaxBody+1))
	if err == nil && len(body) > wire.MaxBody {
		return v, no("message length", http.StatusRequestEntityTooLarge, wire.CodeInvalid, "the message is too long")
	}
	if err == nil {
		v, err = wire.Decode[T](body)
	}
	if err != nil {
		return v, no("message format", http.StatusBadRequest, wire.CodeInvalid, err.Error())
	}
	return v, nil
}

// supported refuses what Intune no longer serves.
func supported(version string) error {
	v, err := wire.ParseVersion(version)
	if err != nil {
		return no("version", http.StatusBadRequest, wire.CodeInvalid, err.Error())
	}
	if v.Compare(wire.Minimum) < 0 {
		return no("minimum version", http.StatusForbidden, wire.CodeVersion, "this version of the connector is not supported any more; install "+wire.Minimum.String()+" or later")
	}
	return nil
}

// enrol certifies a connector for an administrator of the customer.
func (s *Service) enrol(r *http.Request) (any, error) {
	m, err := message[wire.Enrol](r)
	if err != nil {
		return nil, err
	}
	claims, err := s.Tenants.Tokens.Verify(r.Context(), oauth.Bearer(r.Header.Get("Authorization")), Audience, s.Tenants.Now())
	if err != nil {
		return nil, no("token", http.StatusUnauthorized, wire.CodeToken, err.Error())
	}
	t, err := s.Tenants.Tenant(claims.TenantID)
	if err != nil {
		return nil, no("token tenant", http.StatusUnauthorized, wire.CodeToken, "the token's tenant is no customer")
	}
	may := func(p string) bool { return strings.EqualFold(p, Permission) }
	if !slices.ContainsFunc(claims.Roles, may) && !slices.ContainsFunc(claims.Scopes, may) {
		return nil, no("permission", http.StatusForbidden, wire.CodeForbidden, "only an Intune administrator enrols connectors")
	}
	if err := supported(m.Version); err != nil {
		return nil, err
	}
	csr, err := x509.ParseCertificateRequest(m.CSR)
	if err == nil {
		err = pki.CheckRequest(csr)
	}
	if err != nil || m.Name == "" || m.Domain == "" {
		return nil, no("enrolment", http.StatusBadRequest, wire.CodeInvalid, "a connector needs a name, a domain and a certificate request")
	}
	c, err := t.AddConnector(r.Context(), tenant.Connector{Name: m.Name, Domain: m.Domain, Version: m.Version})
	if err != nil {
		return nil, err
	}
	now := s.Tenants.Now()
	cert, err := s.Authorities.ODJ.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: c.ID, OrganizationalUnit: []string{t.ID}}, NotAfter: now.Add(s.Tenants.Timing.MDM.CertificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, csr.PublicKey)
	if err != nil {
		return nil, err
	}
	return wire.Enrolled{ConnectorID: c.ID, Certificate: cert.Raw}, t.CertifyConnector(c.ID, pki.Thumbprint(cert))
}

// poll hands out what waits for the connector's domain, as soon as something
// does: connectors poll for long, since Intune cannot call them
// (oofhours.com, "Trying out Windows Autopilot user-driven Hybrid Azure AD Join").
func (s *Service) poll(r *http.Request, t *tenant.Tenant, c tenant.Connector) (any, error) {
	m, err := message[wire.Poll](r)
	if err != nil {
		return nil, err
	}
	if err := supported(m.Version); err != nil {
		return nil, err
	}
	if !strings.EqualFold(m.Domain, c.Domain) {
		return nil, no("connector's domain", http.StatusForbidden, wire.CodeForbidden, "the connector was enrolled for another domain")
	}
	if err := t.ConnectorSeen(c.ID, m.Version); err != nil {
		return nil, err
	}
	hold := s.Tenants.Timing.Hybrid.ConnectorHold
	if m.Wait < int(hold/time.Second) {
		hold = time.Duration(m.Wait) * time.Second
	}
	taken, err := t.AwaitDomainJoins(r.Context(), c, requestsAPoll, hold)
	if err != nil {
		return nil, err
	}
	work := wire.Work{Requests: make([]wire.Request, len(taken)), More: len(taken) == requestsAPoll}
	for i, d := range taken {
		work.Requests[i] = wire.Request{ID: d.ID, DeviceID: d.DeviceID, Domain: d.Domain, OrganizationalUnit: d.OU,
			NamePrefix: d.Prefix, RandomCharacters: d.Random, Try: d.Try, Lease: d.Lease}
	}
	return work, nil
}

// blob takes what a connector made for a device.
func (s *Service) blob(r *http.Request, t *tenant.Tenant, c tenant.Connector) (any, error) {
	m, err := message[wire.Blob](r)
	if err != nil {
		return nil, err
	}
	bad := func(text string) error { return no("blob", http.StatusBadRequest, wire.CodeBlob, text) }
	if len(m.Blob) > wire.MaxBlob {
		return nil, no("blob length", http.StatusRequestEntityTooLarge, wire.CodeBlob, "the blob is too long")
	}
	join, err := odj.Decode(m.Blob)
	switch {
	case err != nil:
		return nil, bad(err.Error())
	case !strings.EqualFold(join.MachineName, m.ComputerName):
		return nil, bad("the blob is of another computer")
	case !strings.EqualFold(join.DNSDomain.DNS, c.Domain):
		return nil, bad("the blob is of another domain")
	}
	return struct{}{}, ended(t.DomainJoinReady(r.Context(), c, m.RequestID, join.MachineName, m.Blob))
}

// failure takes a connector's word that there is none.
func (s *Service) failure(r *http.Request, t *tenant.Tenant, c tenant.Connector) (any, error) {
	m, err := message[wire.Failure](r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, ended(t.DomainJoinFailed(r.Context(), c, m.RequestID, m.ErrorCode, m.DiagnosticCode, m.DiagnosticText, m.Final))
}

func ended(err error) error {
	switch {
	case errors.Is(err, tenant.ErrLease):
		return no("lease", http.StatusConflict, wire.CodeLease, err.Error())
	case errors.Is(err, tenant.ErrNotFound):
		return no("request", http.StatusNotFound, wire.CodeUnknown, "there is no such request")
	}
	return err
}
