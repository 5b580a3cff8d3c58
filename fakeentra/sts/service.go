package sts

import (
	"crypto/x509"
	"net/http"
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
	// Hosts are names, with port where it is not 443, that the service answers
	// under beside Microsoft's own: documents name the one that was asked.
	Hosts []string
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

	// more counts and draws for what only interactive clients see, so that what
	// devices get does not shift with it.
	more        service.Core
	refreshes   *store.Table[refreshToken]
	codes       *store.Table[code]
	deviceCodes *store.Table[deviceCode]
	bulks       *store.Table[bulkFlow]
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("sts", s.settings.Options, func() {
		if s.dir = s.settings.Directory; s.dir == nil {
			s.dir = tenant.New(s.Core.Options)
		}
		key := pki.PooledRSA(signingKeyNumber)
		ca, err := pki.NewRoot(s.Born(), s.Seed, "accounts.accesscontrol.windows.net", pki.Options{Key: key})
		if err == nil {
			s.signer, err = oauth.NewSigner(key, ca.Cert.Raw)
		}
		if err != nil {
			panic("fakeentra/sts: signing key: " + err.Error()) // fixed input: cannot fail
		}
		s.keys = oauth.NewJWKS(s.signer)
		s.nonces = service.NewNonces(s.DB, "entra.sts.nonces")
		s.more.Init("sts.sessions", s.settings.Options, func() {})
		s.refreshes = store.NewTable[refreshToken](s.DB, "entra.sts.refreshTokens")
		s.codes = store.NewTable[code](s.DB, "entra.sts.codes")
		s.deviceCodes = store.NewTable(s.DB, "entra.sts.deviceCodes",
			store.Index(indexUserCode, func(d deviceCode) []string { return []string{d.UserCode} }))
		s.bulks = store.NewTable[bulkFlow](s.DB, "entra.sts.bulkTokens")
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
	is := func(pattern string) bool { return service.Match(path, pattern) }
	c := s.begin(w, r)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.get(c, path, is)
	case http.MethodPost:
		s.post(c, path, is)
	case http.MethodOptions:
		if Operation(r) != "sts.token" {
			service.NotModelled(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "content-type, client-request-id, return-client-request-id, x-client-sku, x-client-ver, x-client-last-telemetry, x-client-current-telemetry, x-ms-lib-capability")
		w.WriteHeader(http.StatusOK)
	default:
		service.NotModelled(w, r)
	}
}

func (s *Service) get(c *call, path []string, is func(string) bool) {
	switch {
	case is("*/.well-known/openid-configuration"):
		s.metadata(c, path[0], "1.0")
	case is("*/v2.0/.well-known/openid-configuration"):
		s.metadata(c, path[0], "2.0")
	case is("*/discovery/keys"):
		s.keyDocument(c, path[0], false)
	case is("*/discovery/v2.0/keys"):
		s.keyDocument(c, path[0], true)
	case is("*/discovery/instance"):
		s.instance(c)
	case is("*/userrealm/*"):
		s.realm(c, path[2])
	case is("*/userrealm"), is("getuserrealm.srf"):
		s.realm(c, "")
	case is("*/oauth2/authorize"):
		s.authorize(c, path[0], false)
	case is("*/oauth2/v2.0/authorize"):
		s.authorize(c, path[0], true)
	case is("*/oauth2/deviceauth"):
		s.devicePage(c)
	case is("*/oauth2/nativeclient"):
		c.show(http.StatusOK, view{Title: "You have signed in", Text: "You can close this window now."})
	case is("*/oauth2/logout"), is("*/oauth2/v2.0/logout"):
		s.logout(c, path[0])
	case is("error"):
		s.errorPage(c)
	case is("webapp/bulkaadjtoken/poll"):
		s.pollBulk(c)
	case Operation(c.r) == "sts.token", is("*/oauth2/devicecode"), is("*/oauth2/v2.0/devicecode"):
		c.w.Header().Set("Allow", http.MethodPost)
		s.refuse(c, Operation(c.r), fail(oauth.PostOnly, "method", c.r.Method))
	default:
		service.NotModelled(c.w, c.r)
	}
}

func (s *Service) post(c *call, path []string, is func(string) bool) {
	switch {
	case is("*/oauth2/token"):
		s.token(c, path[0], false)
	case is("*/oauth2/v2.0/token"):
		s.token(c, path[0], true)
	case is("*/oauth2/devicecode"):
		s.deviceCodeRequest(c, path[0], false)
	case is("*/oauth2/v2.0/devicecode"):
		s.deviceCodeRequest(c, path[0], true)
	case is("*/oauth2/authorize"):
		s.authorize(c, path[0], false)
	case is("*/oauth2/v2.0/authorize"):
		s.authorize(c, path[0], true)
	case is("*/login"):
		s.login(c)
	case is("webapp/bulkaadjtoken/begin"):
		s.beginBulk(c)
	case is("*/getcredentialtype"):
		s.credentialType(c)
	default:
		service.NotModelled(c.w, c.r)
	}
}

// operations are what requests are called, the first that fits.
var operations = []struct{ pattern, name string }{
	{"*/oauth2/token", "sts.token"}, {"*/oauth2/v2.0/token", "sts.token"},
	{"*/userrealm/*", "sts.userrealm"}, {"*/userrealm", "sts.userrealm"}, {"getuserrealm.srf", "sts.userrealm"},
	{"*/discovery/keys", "sts.keys"}, {"*/discovery/v2.0/keys", "sts.keys"},
	{"*/discovery/instance", "sts.instance"},
	{"*/oauth2/devicecode", "sts.deviceCode"}, {"*/oauth2/v2.0/devicecode", "sts.deviceCode"}, {"*/oauth2/deviceauth", "sts.deviceAuth"},
	{"*/oauth2/authorize", "sts.authorize"}, {"*/oauth2/v2.0/authorize", "sts.authorize"}, {"*/login", "sts.login"},
	{"*/oauth2/logout", "sts.logout"}, {"*/oauth2/v2.0/logout", "sts.logout"},
	{"*/getcredentialtype", "sts.credentialType"},
	{"webapp/bulkaadjtoken/begin", "sts.bulk.begin"}, {"webapp/bulkaadjtoken/poll", "sts.bulk.poll"},
}

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	path := service.Segments(r.URL.Path)
	for _, o := range operations {
		if service.Match(path, o.pattern) {
			return o.name
		}
	}
	return "sts.metadata"
}
