package enroll

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

// Audience is the resource that access tokens for enrolment and management are
// issued for.
const Audience = "https://enrollment.manage.microsoft.com/"

// maxVersion is the highest EnrollmentVersion that is agreed to: from 5.0 on
// keys are attested, from 7.0 on devices say how their own attempt went.
const maxVersion = 7

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
	// Supported tells whether a Windows, by its version ("10.0.26200.6584") and the
	// number of its edition, gets updates at a moment; nil: every one does.
	Supported func(version, edition string, at time.Time) bool
}

// Service answers for the enrolment host.
type Service struct {
	Options
	settings *store.Table[Settings]
}

// New makes the service.
func New(o Options) *Service {
	return &Service{Options: o, settings: store.NewTable[Settings](o.Tenants.DB, "intune.enrolment.settings")}
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
	}
	return "enroll.unknown"
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := Operation(r)
	if operation == "enroll.ping" { // any body will do ([MS-MDE2] 3.1.4)
		w.WriteHeader(http.StatusOK)
		return
	}
	handle, ok := map[string]func(context.Context, []byte) ([]byte, mde.Header, error){
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
	answer, h, err := handle(r.Context(), body)
	status := http.StatusOK
	if err != nil {
		answer, status = s.fault(r.Context(), operation, h, err), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", mde.ContentType)
	w.WriteHeader(status)
	// A client that went away is no error of the service.
	_, _ = w.Write(answer)
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
// service's own failure, of which the client learns nothing.
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

func (s *Service) discover(_ context.Context, body []byte) ([]byte, mde.Header, error) {
	h, m, err := mde.DecodeDiscover(body)
	if err != nil {
		return nil, h, unreadable(err)
	}
	if m.DeviceType != mde.DeviceType {
		return nil, h, no("device type", hresult.EnrollNotSupported, "device type %q", m.DeviceType)
	}
	answer, err := mde.EncodeDiscoverResult(h.Reply(), &mde.DiscoverResult{
		AuthPolicy: mde.Federated, EnrollmentVersion: agree(m.RequestVersion),
		EnrollmentPolicyURL: "https://" + hosts.Enrollment + mde.PolicyPath, EnrollmentURL: "https://" + hosts.Enrollment + mde.EnrolPath,
		// Entra-joined devices never open it: they bring a token.
		AuthenticationServiceURL: "https://" + hosts.Login + "/common/oauth2/authorize",
	})
	return answer, h, err
}

// agree is the version to speak: the client's, at most ours.
func agree(requested string) string {
	if v, err := strconv.ParseFloat(requested, 64); err == nil && v <= maxVersion {
		return requested
	}
	return strconv.Itoa(maxVersion) + ".0"
}

func (s *Service) policy(ctx context.Context, body []byte) ([]byte, mde.Header, error) {
	h, _, err := mde.DecodeGetPolicies(body)
	if err != nil {
		return nil, h, unreadable(err)
	}
	c, err := s.authenticate(ctx, h)
	if err != nil {
		return nil, h, err
	}
	t := s.Tenants.Timing.MDM
	answer, err := mde.EncodePolicy(h.Reply(), &mde.Policy{
		ID: "{DBBEF75F-24C0-4A2B-9B3B-5B1A6B1C5E51}", FriendlyName: "Microsoft Intune MDM", CommonName: "MDMDeviceCertificate",
		ValiditySeconds: int(t.CertificateLife.Seconds()), RenewalSeconds: int(t.CertificateRenewBefore.Seconds()),
		MinimalKeyLength: minKeyBits, HashOID: mde.SHA256OID, AttestationFailure: s.Settings(c.tenant.ID).behaviour(c.user == nil),
		OperationTimeout: int(t.AttestationTimeout.Seconds()),
	})
	return answer, h, err
}
