package enroll

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/mde"
)

// Audience is the resource that access tokens for enrolment and management are
// issued for.
const Audience = "https://enrollment.manage.microsoft.com/"

// Attestation knows AIK certificates: it verifies one, and gives the SHA-256 of
// the SubjectPublicKeyInfo of the endorsement key that it was issued for, zero
// where that is not known. The AIK certificate service implements it; see also
// [ChainTo].
type Attestation interface {
	Attested(certificate []byte, now time.Time) (aik *x509.Certificate, ekHash [32]byte, err error)
}

// Options are what the service is made of.
type Options struct {
	Tenants     *tenant.Service
	Authorities *authority.Authorities
	Attestation Attestation // nil: no AIK certificate is good
	SignIn      SignIn      // nil: nobody has a password
	// Supported tells whether a Windows, by its version ("10.0.26200.6584") and the
	// number of its edition, gets updates at a moment; nil: every one does.
	Supported func(version, edition string, at time.Time) bool
}

// Service answers for the enrolment host. It reads at most [mde.MaxBytes] of a
// message and [maxForm] of the authentication page's form.
type Service struct {
	Options
	settings *store.Table[Settings]
	tokens   *store.Table[token]
}

// New makes the service.
func New(o Options) *Service {
	return &Service{Options: o, settings: store.NewTable[Settings](o.Tenants.DB, "intune.enrolment.settings"),
		tokens: store.NewTable[token](o.Tenants.DB, "intune.enrolment.tokens")}
}

// Operation names a request for the journal and for fault rules.
func Operation(r *http.Request) string {
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case strings.EqualFold(path, mde.DiscoveryPath) && r.Method == http.MethodGet:
		return "enroll.ping"
	case strings.EqualFold(path, mde.DiscoveryPath):
		return "enroll.discover"
	case strings.EqualFold(path, mde.PolicyPath):
		return "enroll.policy"
	case strings.EqualFold(path, mde.EnrolPath):
		return "enroll.enrol"
	case strings.EqualFold(path, AuthenticationPath):
		return "enroll.authenticate"
	}
	return "enroll.unknown"
}

// exchange is a message that came in.
type exchange struct {
	*http.Request
	body []byte
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := Operation(r)
	switch operation {
	case "enroll.ping": // any body will do ([MS-MDE2] 3.1.4)
		w.WriteHeader(http.StatusOK)
		return
	case "enroll.authenticate":
		s.authentication(w, r)
		return
	}
	handle, ok := map[string]func(context.Context, exchange) ([]byte, mde.Header, error){
		"enroll.discover": s.discover, "enroll.policy": s.policy, "enroll.enrol": s.enrol,
	}[operation]
	switch {
	case !ok:
		http.Error(w, "not modelled: "+r.Method+" "+r.URL.Path, http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mde.MaxBytes+1))
	if err != nil {
		http.Error(w, "the request could not be read", http.StatusBadRequest)
		return
	}
	var answer []byte
	var h mde.Header
	status := http.StatusOK
	if err = contentType(r.Header); err == nil {
		answer, h, err = handle(r.Context(), exchange{r, body})
		if err != nil {
			status = http.StatusInternalServerError
		}
	} else {
		status = http.StatusUnsupportedMediaType
	}
	if err != nil {
		answer = s.fault(r.Context(), operation, h, err)
	}
	w.Header().Set("Content-Type", mde.ContentType)
	// The client takes no chunks (learn.microsoft.com, "Certificate renewal").
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(status)
	// A client that went away is no error of the service.
	_, _ = w.Write(answer)
}

// contentType: SOAP 1.2 has its own media type (RFC 3902), once.
func contentType(h http.Header) error {
	values := h.Values("Content-Type")
	if len(values) == 1 {
		if kind, _, err := mime.ParseMediaType(values[0]); err == nil && kind == "application/soap+xml" {
			return nil
		}
	}
	return no("content type", hresult.EnrollMessageFormat, "the content type is not application/soap+xml")
}

// refusal is a check that said no.
type refusal struct {
	check  string
	code   hresult.Code // that the client will show
	reason string
}

func (r *refusal) Error() string { return r.check + ": " + r.reason }

func no(check string, code hresult.Code, reason string, args ...any) error {
	return &refusal{check, code, fmt.Sprintf(reason, args...)}
}

// fault words an error as SOAP and records it. What is no refusal is the
// service's own failure, of which the client learns nothing. The trace id
// follows from the request, so that both ends' logs can be matched.
func (s *Service) fault(ctx context.Context, operation string, h mde.Header, err error) []byte {
	n, ok := err.(*refusal)
	if !ok {
		n = &refusal{"internal", hresult.EnrollInternalService, "internal error"}
	}
	s.Tenants.Refused(ctx, "enroll", operation, n.check, n.code.Hex())
	f, ok := mde.NewFault(n.code, n.reason)
	if !ok {
		f = &mde.Fault{Subcode: mde.EnrollmentServer, Reason: n.reason}
	}
	if f.ErrorType != "" {
		f.Message = n.reason
	}
	f.TraceID = s.Tenants.Seed.UUID("trace", operation, h.MessageID)
	answer, err := mde.EncodeFault(h.Reply(), f)
	if err != nil {
		return nil // text always encodes
	}
	return answer
}

// unreadable is the refusal of a message that could not be decoded.
func unreadable(err error) error {
	if mde.ErrSecurity(err) {
		return no("message security", hresult.EnrollInvalidSecurity, "%v", err)
	}
	return no("message format", hresult.EnrollMessageFormat, "%v", err)
}
