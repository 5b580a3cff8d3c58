package sts

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// anyTenant tells the names that stand for whatever tenant the user is of.
func anyTenant(name string) bool {
	return strings.EqualFold(name, oauth.Common) || strings.EqualFold(name, oauth.Organizations)
}

// isHost tells whether a host is one that this service answers under.
func (s *Service) isHost(host string) bool {
	return oauth.IsAlias(host) || slices.ContainsFunc(s.settings.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// host is the name that documents and links use: the one that was asked, where
// it is one of the service's.
func (s *Service) host(r *http.Request) string {
	if s.isHost(r.Host) {
		return strings.ToLower(r.Host)
	}
	return oauth.Host
}

// instance answers whether an authority is known.
func (s *Service) instance(c *call) {
	const operation = "sts.instance"
	q, err := readQuery(c.r)
	if err != nil {
		s.refuse(c, operation, err)
		return
	}
	version := q.Get("api-version")
	if version != "1.0" && version != "1.1" {
		s.refuse(c, operation, fail(oauth.InvalidInput, "api version", "api-version has to be 1.0 or 1.1."))
		return
	}
	endpoint := q.Get("authorization_endpoint")
	if endpoint == "" {
		s.refuse(c, operation, fail(oauth.MissingParameter, "authorization endpoint", "authorization_endpoint"))
		return
	}
	out, ok := oauth.NewInstanceDiscovery(endpoint, version)
	if !ok {
		s.refuse(c, operation, fail(oauth.UnknownInstance, "authority", endpoint))
		return
	}
	c.answer(out)
}

func (s *Service) metadata(c *call, name, version string) {
	id := strings.ToLower(name)
	if !anyTenant(name) && id != oauth.Consumers && id != oauth.ConsumersTenant {
		t, err := s.dir.Tenant(name)
		if err != nil {
			s.refuse(c, "sts.metadata", fail(oauth.TenantNotFound, "tenant", name))
			return
		}
		id = t.ID
	}
	c.answer(oauth.NewMetadataAt(s.host(c.r), id, version))
}

// keyDocument answers the keys. Version 2's say whose tokens each may sign.
func (s *Service) keyDocument(c *call, name string, v2 bool) {
	id, err := s.tenantNamed(name)
	if err != nil {
		s.refuse(c, "sts.keys", err)
		return
	}
	if !v2 {
		c.answer(s.keys)
		return
	}
	if id == "" {
		id = "{tenantid}"
	}
	doc, err := oauth.KeysOf(s.keys, oauth.Issuer(id, "2.0"))
	if err != nil {
		s.refuse(c, "sts.keys", err)
		return
	}
	c.answer(doc)
}

// realm tells how the users of a domain sign in. The name stands in the path or
// in the query, as user or login.
func (s *Service) realm(c *call, login string) {
	q, err := readQuery(c.r)
	if err != nil {
		s.refuse(c, "sts.userrealm", err)
		return
	}
	for _, name := range []string{"user", "login"} {
		if login == "" {
			login = q.Get(name)
		}
	}
	if login == "" {
		s.refuse(c, "sts.userrealm", fail(oauth.MissingParameter, "user", "user"))
		return
	}
	domain, brand, federated := "", "", false
	if t, err := s.dir.TenantOf(login); err == nil {
		_, domain, _ = strings.Cut(strings.ToLower(login), "@")
		brand = t.DisplayName
		federated = slices.ContainsFunc(t.Domains, func(d graph.VerifiedDomain) bool {
			return strings.EqualFold(d.Name, domain) && d.Type == oauth.RealmFederated
		})
	}
	v1, v21 := oauth.NewUserRealm(login, domain, brand)
	if federated {
		v1.AccountType, v21.NameSpaceType = oauth.RealmFederated, oauth.RealmFederated
	}
	if v := q.Get("api-version"); v == "2.1" || v == "2.0" || v == "" && q.Has("login") {
		service.WriteJSON(c.w, http.StatusOK, v21)
		return
	}
	service.WriteJSON(c.w, http.StatusOK, v1)
}

// credentialType tells a sign-in page what to ask a user for.
func (s *Service) credentialType(c *call) {
	const operation = "sts.credentialType"
	media, err := service.Media(c.r)
	if err != nil || media != "application/json" {
		s.refuse(c, operation, fail(oauth.MalformedRequest, "content type", "The body has to be application/json."))
		return
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxForm)
	var in oauth.CredentialTypeRequest
	if err := json.NewDecoder(c.r.Body).Decode(&in); err != nil || in.Username == "" {
		s.refuse(c, operation, fail(oauth.MalformedRequest, "body", "It has to be JSON with a username."))
		return
	}
	t, err := s.dir.TenantOf(in.Username)
	domain := err == nil
	if domain {
		_, err = s.dir.User(t.ID, in.Username)
	}
	service.WriteJSON(c.w, http.StatusOK, oauth.NewCredentialType(in.Username, domain, err == nil))
}
