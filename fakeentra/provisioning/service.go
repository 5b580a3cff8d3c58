package provisioning

import (
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/oauth"
)

// Tokens verifies access tokens for an audience.
type Tokens interface {
	VerifyToken(token, audience string, now time.Time) (*oauth.Claims, error)
}

// Options are the service's settings beside the common ones.
type Options struct {
	service.Options
	Directory *tenant.Directory // nil: an empty one
	Tokens    Tokens            // nil: no token is believed
}

// Service answers for the provisioning host.
type Service struct {
	service.Core
	settings Options
	dir      *tenant.Directory
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("provisioning", s.settings.Options, func() {
		if s.dir = s.settings.Directory; s.dir == nil {
			s.dir = tenant.New(s.Core.Options)
		}
	})
}

// ServeHTTP takes exports, and says what there is.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	at := func(path string) bool {
		return service.Match(service.Segments(r.URL.Path), strings.TrimPrefix(path, "/"))
	}
	switch {
	case r.Method == http.MethodPost && at(dirsync.Path):
		s.export(w, r)
	case r.Method == http.MethodGet && at(dirsync.ImportPath):
		s.list(w, r)
	default:
		service.NotModelled(w, r)
	}
}

const (
	opExport = "provisioning.export"
	opImport = "provisioning.import"
)

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	if r.Method == http.MethodGet {
		return opImport
	}
	return opExport
}

var (
	errNobody = errors.New("nobody verifies tokens")
	errRole   = errors.New("the account may not synchronise a directory")
)

// caller is the tenant whose directory sync asks.
func (s *Service) caller(r *http.Request) (string, error) {
	if s.settings.Tokens == nil {
		return "", errNobody
	}
	claims, err := s.settings.Tokens.VerifyToken(oauth.Bearer(r.Header.Get("Authorization")), dirsync.Resource, s.Now())
	if err != nil {
		return "", err
	}
	user, err := s.dir.User(claims.TenantID, claims.ObjectID)
	switch {
	case err != nil:
		return "", err
	case !user.Resource.Enabled(), !slices.ContainsFunc(user.Roles, func(role string) bool { return strings.EqualFold(role, dirsync.Role) }):
		return "", errRole
	}
	return claims.TenantID, nil
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, status int, check string, err error) {
	s.Refused(r.Context(), Operation(r), check, http.StatusText(status))
	service.WriteJSON(w, status, map[string]string{"error": check, "message": err.Error()})
}

// admit is the tenant of who may synchronise one; false: the answer is given.
func (s *Service) admit(w http.ResponseWriter, r *http.Request) (tenantID string, ok bool) {
	tenantID, err := s.caller(r)
	switch {
	case errors.Is(err, errRole):
		s.refuse(w, r, http.StatusForbidden, "role", err)
	case err != nil:
		s.refuse(w, r, http.StatusUnauthorized, "token", err)
	}
	return tenantID, err == nil
}

// list says what the tenant has of a directory, to a server that was just
// started.
func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	if tenantID, ok := s.admit(w, r); ok {
		service.WriteJSON(w, http.StatusOK, dirsync.Import{Computers: s.dir.SyncedComputers(tenantID)})
	}
}

func (s *Service) export(w http.ResponseWriter, r *http.Request) {
	tenantID, ok := s.admit(w, r)
	if !ok {
		return
	}
	body, err := service.ReadBody(r)
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, "body", err)
		return
	}
	batch, err := dirsync.ParseExport(body)
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, "message", err)
		return
	}
	result := s.apply(tenantID, batch)
	s.Record(r.Context(), "entra.synchronised", journal.F("tenant", tenantID), journal.F("added", result.Added), journal.F("updated", result.Updated),
		journal.F("deleted", result.Deleted), journal.F("rejected", len(result.Rejected)))
	service.WriteJSON(w, http.StatusOK, result)
}

// apply takes a batch, object by object: one that cannot be taken does not keep
// the others out.
func (s *Service) apply(tenantID string, batch *dirsync.Export) dirsync.Result {
	var out dirsync.Result
	reject := func(object string, err error) {
		out.Rejected = append(out.Rejected, dirsync.Reject{Object: object, Message: err.Error()})
	}
	for _, u := range batch.Users {
		err := s.dir.SyncUser(tenant.SyncedUser{TenantID: tenantID, UPN: u.UPN, Anchor: u.Anchor, SAM: u.SAM, SID: u.SID, DN: u.DN})
		if err != nil {
			reject(u.UPN, err)
			continue
		}
		out.Updated++
	}
	for _, c := range batch.Computers {
		created, err := s.computer(tenantID, c)
		switch {
		case err != nil:
			reject(c.GUID, err)
		case created:
			out.Added++
		default:
			out.Updated++
		}
	}
	for _, guid := range batch.Deleted {
		deleted, err := s.dir.DeleteComputer(tenantID, guid)
		switch {
		case err != nil:
			reject(guid, err)
		case deleted:
			out.Deleted++
		}
	}
	return out
}

// computer takes a computer whose certificate is one.
func (s *Service) computer(tenantID string, c dirsync.Computer) (created bool, err error) {
	if _, err := x509.ParseCertificate(c.Certificate); err != nil {
		return false, err
	}
	_, created, err = s.dir.SyncComputer(tenant.SyncedComputer{
		TenantID: tenantID, GUID: c.GUID, SID: c.SID, Name: c.Name, OSVersion: c.OSVersion, Certificate: c.Certificate, Enabled: c.Enabled,
	})
	return created, err
}
