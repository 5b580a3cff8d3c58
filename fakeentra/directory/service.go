package directory

import (
	"encoding/json"
	"errors"
	"fmt"
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
}

// arg is a key in the path, of an alternate key (deviceId='...') its value.
func (c *call) arg(name string) string {
	v := c.params[name]
	if _, value, ok := strings.Cut(v, "='"); ok {
		v = strings.TrimSuffix(value, "'")
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
)

// routes have the permissions that the operations' reference pages list.
var routes = func() *graph.Routes[operation] {
	r := &graph.Routes[operation]{}
	r.Add(http.MethodGet, "organization", operation{"graph.organization.list", append(readDirectory, "Organization.Read.All", "User.Read"), (*Service).organization})
	r.Add(http.MethodGet, "users", operation{"graph.users.list", readUsers, (*Service).users})
	r.Add(http.MethodGet, "users/{id}", operation{"graph.users.get", readUsers, (*Service).user})
	r.Add(http.MethodGet, "users/{id}/memberOf", operation{"graph.users.memberOf", readUsers, (*Service).userMemberOf})
	r.Add(http.MethodGet, "groups", operation{"graph.groups.list", readGroups, (*Service).groups})
	r.Add(http.MethodPost, "groups", operation{"graph.groups.create", writeGroups, (*Service).createGroup})
	r.Add(http.MethodGet, "groups/{id}", operation{"graph.groups.get", readGroups, (*Service).group})
	r.Add(http.MethodDelete, "groups/{id}", operation{"graph.groups.delete", writeGroups, (*Service).deleteGroup})
	r.Add(http.MethodGet, "groups/{id}/members", operation{"graph.groups.members", readGroups, (*Service).members})
	r.Add(http.MethodPost, "groups/{id}/members/$ref", operation{"graph.groups.addMember", writeMembers, (*Service).addMember})
	r.Add(http.MethodDelete, "groups/{id}/members/{member}/$ref", operation{"graph.groups.removeMember", writeMembers, (*Service).removeMember})
	r.Add(http.MethodGet, "devices", operation{"graph.devices.list", readDevices, (*Service).devices})
	r.Add(http.MethodGet, "devices/{id}", operation{"graph.devices.get", readDevices, (*Service).device})
	r.Add(http.MethodGet, "devices/{id}/memberOf", operation{"graph.devices.memberOf", readDevices, (*Service).deviceMemberOf})
	r.Add(http.MethodPatch, "devices/{id}", operation{"graph.devices.update", writeDevices, (*Service).updateDevice})
	r.Add(http.MethodDelete, "devices/{id}", operation{"graph.devices.delete", writeDevices, (*Service).deleteDevice})
	return r
}()

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
	return routes.Find(r.Method, path)
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
		s.fail(w, r, http.StatusMethodNotAllowed, graph.CodeBadRequest, "The method is not allowed here.")
		return
	}
	if !ok {
		s.fail(w, r, http.StatusNotImplemented, graph.CodeNotImplemented, "not modelled: "+r.Method+" "+r.URL.Path)
		return
	}
	claims, err := s.letIn(r)
	if err != nil {
		s.Refused(r.Context(), m.Value.name, "token", graph.CodeInvalidToken)
		s.fail(w, r, http.StatusUnauthorized, graph.CodeInvalidToken, err.Error())
		return
	}
	granted := append(strings.Fields(claims.Scopes), claims.Roles...)
	if !slices.ContainsFunc(m.Value.permissions, func(p string) bool { return slices.Contains(granted, p) }) {
		s.Refused(r.Context(), m.Value.name, "permission", graph.CodeDenied)
		s.fail(w, r, http.StatusForbidden, graph.CodeDenied, "Insufficient privileges to complete the operation. Needed is one of "+strings.Join(m.Value.permissions, ", ")+".")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, service.MaxBody)
	s.answer(&call{w: w, r: r, tenant: claims.TenantID, version: m.Version, params: m.Params}, m.Value)
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

// badRequest is about what the caller sent.
type badRequest struct{ code, text string }

func (b *badRequest) Error() string { return b.text }

func (s *Service) answer(c *call, op operation) {
	err := op.serve(s, c)
	var bad *badRequest
	switch {
	case err == nil:
	case errors.As(err, &bad):
		s.fail(c.w, c.r, http.StatusBadRequest, bad.code, bad.text)
	case errors.Is(err, tenant.ErrNoDevice), errors.Is(err, tenant.ErrNoUser), errors.Is(err, tenant.ErrNoGroup), errors.Is(err, tenant.ErrNoTenant):
		s.fail(c.w, c.r, http.StatusNotFound, graph.CodeRequestNotFound, fmt.Sprintf("Resource does not exist: %v.", err))
	default:
		s.fail(c.w, c.r, http.StatusInternalServerError, graph.CodeInternal, err.Error())
	}
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	id := s.NewID("request")
	w.Header().Set("request-id", id)
	client := r.Header.Get("client-request-id")
	if client != "" {
		w.Header().Set("client-request-id", client)
	}
	service.WriteJSON(w, status, graph.NewError(code, message, s.Now(), id, client))
}

func (c *call) decode(v any) error {
	if err := json.NewDecoder(c.r.Body).Decode(v); err != nil {
		return &badRequest{graph.CodeBadRequest, "Unable to read JSON request payload: " + err.Error()}
	}
	return nil
}
