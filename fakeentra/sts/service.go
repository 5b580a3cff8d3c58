package sts

import (
	"crypto/x509"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/oauth"
)

// signingKeyNumber is which RSA key of the shared pool signs tokens: RS256 is
// all that resource servers know.
const signingKeyNumber = 0

// Devices verifies a device certificate: whose it is, if it is still good.
type Devices interface {
	Device(cert *x509.Certificate, now time.Time) (tenant.Device, error)
}

// Options are the service's settings beside the common ones.
type Options struct {
	service.Options
	Directory *tenant.Directory // nil: an empty one
	Devices   Devices           // nil: no device is believed
	// Resources are audiences known beside Microsoft's own.
	Resources []string
}

// Service answers for the login host.
type Service struct {
	service.Core
	settings Options

	dir       *tenant.Directory
	signer    *oauth.Signer
	keys      *oauth.JWKS
	nonces    *service.Nonces
	prts      *store.Table[prt]
	resources []string
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("sts", s.settings.Options, func() {
		if s.dir = s.settings.Directory; s.dir == nil {
			s.dir = tenant.New(s.Core.Options)
		}
		key := pki.PooledRSA(signingKeyNumber)
		ca, err := pki.NewRoot(s.Now(), s.Seed, "accounts.accesscontrol.windows.net", pki.Options{Key: key})
		if err == nil {
			s.signer, err = oauth.NewSigner(key, ca.Cert.Raw)
		}
		if err != nil {
			panic("fakeentra/sts: signing key: " + err.Error()) // fixed input: cannot fail
		}
		s.keys = oauth.NewJWKS(s.signer)
		s.nonces = service.NewNonces(s.DB, "entra.sts.nonces")
		s.prts = store.NewTable(s.DB, "entra.sts.prts",
			store.Index(indexToken, func(p prt) []string { return p.tokens() }))
		s.resources = append([]string{oauth.ResourceDRS, oauth.ResourceMDM, oauth.ResourceIntune, oauth.ResourceGraph, oauth.ResourceAADGraph},
			s.settings.Resources...)
	})
}

// Keys are the published keys.
func (s *Service) Keys() *oauth.JWKS {
	s.init()
	return s.keys
}

// VerifyToken verifies an access token for an audience.
func (s *Service) VerifyToken(token, audience string, now time.Time) (*oauth.Claims, error) {
	return oauth.Verify(s.Keys(), token, audience, now)
}

// ServeHTTP routes by path, case aside; the first part names the tenant.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	path := service.Segments(r.URL.Path)
	is := func(method, pattern string) bool { return r.Method == method && service.Match(path, pattern) }
	switch {
	case is(http.MethodPost, "*/oauth2/token"):
		s.token(w, r, path[0], false)
	case is(http.MethodPost, "*/oauth2/v2.0/token"):
		s.token(w, r, path[0], true)
	case is(http.MethodGet, "*/.well-known/openid-configuration"):
		s.metadata(w, r, path[0], "1.0")
	case is(http.MethodGet, "*/v2.0/.well-known/openid-configuration"):
		s.metadata(w, r, path[0], "2.0")
	case is(http.MethodGet, "*/discovery/keys"), is(http.MethodGet, "*/discovery/v2.0/keys"):
		service.WriteJSON(w, http.StatusOK, s.keys)
	case is(http.MethodGet, "common/userrealm/*"):
		s.realm(w, r, path[2])
	default:
		service.NotModelled(w, r)
	}
}

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	path := service.Segments(r.URL.Path)
	switch {
	case service.Match(path, "*/oauth2/token"), service.Match(path, "*/oauth2/v2.0/token"):
		return "sts.token"
	case service.Match(path, "common/userrealm/*"):
		return "sts.userrealm"
	case service.Match(path, "*/discovery/keys"), service.Match(path, "*/discovery/v2.0/keys"):
		return "sts.keys"
	}
	return "sts.metadata"
}

// anyTenant tells the names that stand for whatever tenant the user is of.
func anyTenant(name string) bool {
	return strings.EqualFold(name, "common") || strings.EqualFold(name, "organizations")
}

func (s *Service) metadata(w http.ResponseWriter, r *http.Request, name, version string) {
	id := name
	if !anyTenant(name) {
		t, err := s.dir.Tenant(name)
		if err != nil {
			s.refuse(w, r, "sts.metadata", fail(oauth.TenantNotFound, "tenant", err.Error()))
			return
		}
		id = t.ID
	}
	service.WriteJSON(w, http.StatusOK, oauth.NewMetadata(id, version))
}

// realm tells how the users of a domain sign in.
func (s *Service) realm(w http.ResponseWriter, r *http.Request, login string) {
	domain, brand := "", ""
	if t, err := s.dir.TenantOf(login); err == nil {
		_, domain, _ = strings.Cut(strings.ToLower(login), "@")
		brand = t.DisplayName
	}
	v1, v21 := oauth.NewUserRealm(login, domain, brand)
	if r.URL.Query().Get("api-version") == "2.1" {
		service.WriteJSON(w, http.StatusOK, v21)
		return
	}
	service.WriteJSON(w, http.StatusOK, v1)
}
