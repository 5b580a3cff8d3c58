package directory

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
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
	Tokens    Tokens            // nil: nobody gets in
}

// Service answers the directory's part of Graph.
type Service struct {
	service.Core
	settings Options
	dir      *tenant.Directory
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("directory", s.settings.Options, func() {
		if s.dir = s.settings.Directory; s.dir == nil {
			s.dir = tenant.New(s.Core.Options)
		}
	})
}

// call is one request of a caller who was let in.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	tenant  string
	version string
	params  graph.Params
	claims  *oauth.Claims
	body    []byte   // that decode read
	expands []string // navigation properties that this operation can expand, lower case
}

// arg is a key in the path, of an alternate key (deviceId='...') its value.
func (c *call) arg(name string) string {
	v := c.params[name]
	if _, value, ok := strings.Cut(v, "="); ok {
		v = strings.Trim(value, "'")
	}
	return v
}

// operation is what a route does and who may ask for it.
type operation struct {
	name        string
	permissions []string
	serve       func(*Service, *call) error
}

var (
	readDirectory  = []string{"Directory.Read.All", "Directory.ReadWrite.All"}
	writeDirectory = []string{"Directory.ReadWrite.All"}
	readUsers      = append(readDirectory, "User.Read.All", "User.ReadWrite.All")
	readGroups     = append(readDirectory, "GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All")
	writeGroups    = append(writeDirectory, "Group.ReadWrite.All")
	writeMembers   = append(writeGroups, "GroupMember.ReadWrite.All")
	readDevices    = append(readDirectory, "Device.Read.All", "Device.ReadWrite.All")
	writeDevices   = append(writeDirectory, "Device.ReadWrite.All")
	writeUsers     = append(writeDirectory, "User.ReadWrite.All")
	readApps       = append(readDirectory, "Application.Read.All", "Application.ReadWrite.All")
	writeApps      = append(writeDirectory, "Application.ReadWrite.All")
	writeGrants    = []string{"AppRoleAssignment.ReadWrite.All"}
	readPolicies   = []string{"Policy.Read.All"}
	writePolicies  = []string{"Policy.ReadWrite.ConditionalAccess"}
	readSelf       = append(readUsers, "User.Read", "User.ReadBasic.All")
	signedIn       = append(readSelf, "openid")
)

// find looks a request up. known tells that the path has other methods.
func find(r *http.Request) (m graph.Match[operation], known, ok bool) {
	path := r.URL.Path
	if legacy(r) {
		// https://graph.windows.net/{tenant}/devices/{id}: the tenant takes the version's place.
		parts := service.Segments(path)
		if r.Method != http.MethodPatch || !service.Match(parts, "*/devices/*") {
			return m, false, false
		}
		path = "/v1.0/devices/" + parts[2]
	}
	path = withoutTenant(path)
	return routes.Find(r.Method, path)
}

// withoutTenant takes the segment away that names the tenant, which the token
// names as well: /v1.0/myorganization/servicePrincipals.
func withoutTenant(path string) string {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	if len(parts) == 3 && strings.EqualFold(parts[1], "myorganization") {
		return "/" + parts[0] + "/" + parts[2]
	}
	return path
}

func legacy(r *http.Request) bool { return strings.EqualFold(r.Host, hosts.GraphOld) }

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	if m, _, ok := find(r); ok {
		return m.Value.name
	}
	return "graph.directory.other"
}

// ServeHTTP lets the caller in, then serves.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	m, known, ok := find(r)
	if known && !ok {
		s.Refused(r.Context(), "graph.directory.other", "method", graph.CodeBadRequest)
		s.fail(w, r, http.StatusMethodNotAllowed, graph.CodeBadRequest, "The method is not allowed here.")
		return
	}
	if !ok {
		s.Refused(r.Context(), "graph.directory.other", "not modelled", graph.CodeNotImplemented)
		s.fail(w, r, http.StatusNotImplemented, graph.CodeNotImplemented, "not modelled: "+r.Method+" "+r.URL.Path)
		return
	}
	claims, err := s.letIn(r)
	if err != nil {
		s.Refused(r.Context(), m.Value.name, "token", graph.CodeInvalidToken)
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://`+oauth.Host+`/common/oauth2/authorize", client_id="`+tenant.AppGraph+`"`)
		s.fail(w, r, http.StatusUnauthorized, graph.CodeInvalidToken, err.Error())
		return
	}
	if len(m.Value.permissions) > 0 && !allowed(claims, m.Value.permissions) {
		s.Refused(r.Context(), m.Value.name, "permission", graph.CodeDenied)
		s.fail(w, r, http.StatusForbidden, graph.CodeDenied, "Insufficient privileges to complete the operation. Needed is one of "+strings.Join(m.Value.permissions, ", ")+".")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, service.MaxBody)
	s.answer(&call{w: w, r: r, tenant: claims.TenantID, version: m.Version, params: m.Params, claims: claims}, m.Value)
}

// allowed tells whether a token has one of the permissions.
func allowed(claims *oauth.Claims, permissions []string) bool {
	granted := append(strings.Fields(claims.Scopes), claims.Roles...)
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(granted, p) })
}

// letIn verifies the token; the legacy address has a resource of its own.
func (s *Service) letIn(r *http.Request) (*oauth.Claims, error) {
	if s.settings.Tokens == nil {
		return nil, errors.New("nobody verifies tokens")
	}
	token := oauth.Bearer(r.Header.Get("Authorization"))
	if !legacy(r) {
		return s.settings.Tokens.VerifyToken(token, oauth.ResourceGraph, s.Now())
	}
	claims, err := s.settings.Tokens.VerifyToken(token, oauth.ResourceAADGraph, s.Now())
	if err != nil {
		return nil, err
	}
	if t, err := s.dir.Tenant(service.Segments(r.URL.Path)[0]); err != nil || t.ID != claims.TenantID {
		return nil, errors.New("the token is of another tenant")
	}
	return claims, nil
}
