package sts

import (
	"slices"
	"strings"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// wanted is what a request's scope and resource ask for.
type wanted struct {
	Resource string   // as named; "" for none
	Named    []string // delegated scopes of the resource, without its name
	Default  bool     // /.default
	Asked    []string // scopes as they were written
	OIDC     []string // openid, profile, email, offline_access
}

// Scopes of OpenID Connect, which belong to no resource.
var openIDScopes = []string{"openid", "profile", "email", "offline_access"}

func (w wanted) has(scope string) bool { return slices.Contains(w.OIDC, scope) }

// wants reads scope and resource (learn.microsoft.com, "Scopes and permissions
// in the Microsoft identity platform"). A bare name is a scope of Graph.
func wants(scope, resource string) (wanted, error) {
	w := wanted{Resource: resource}
	for _, text := range strings.Fields(scope) {
		if slices.Contains(openIDScopes, text) {
			w.OIDC = append(w.OIDC, text)
			continue
		}
		if resource != "" {
			continue // version 1: the resource says it all
		}
		of, name := oauth.ResourceGraph, text
		if at := strings.LastIndex(text, "/"); at >= 0 {
			of, name = text[:at], text[at+1:]
		}
		switch {
		case of == "" || name == "" || len(text) > 400:
			return w, fail(oauth.InvalidScope, "scope", text)
		case w.Resource == "":
			w.Resource = of
		case !oauth.SameAudience(w.Resource, of):
			return w, fail(oauth.SeveralResources, "scope", scope)
		}
		w.Asked = append(w.Asked, text)
		if name == ".default" {
			w.Default = true
		} else {
			w.Named = append(w.Named, name)
		}
	}
	if w.Default && len(w.Named) > 0 {
		return w, fail(oauth.InvalidScope, "scope", "/.default goes with no other scope of a resource.")
	}
	if w.Resource == "" && len(w.OIDC) > 0 {
		w.Resource = oauth.ResourceGraph
	}
	if resource != "" {
		w.Default = true
	}
	return w, nil
}

// wants reads the request's own, and needs a resource in it.
func (q *request) wants() (wanted, error) {
	w, err := wants(q.form.Scope, q.form.Resource)
	if err == nil && w.Resource == "" {
		name := "scope"
		if !q.v2 {
			name = "resource"
		}
		err = q.missing(name, "resource")
	}
	return w, err
}

// missing names a parameter that is not there.
func (q *request) missing(parameter, check string) error {
	if q.v2 {
		return fail(oauth.MissingBodyParameter, check, parameter)
	}
	return fail(oauth.MissingParameter, check, parameter)
}

// target is the resource that a token is for.
type target struct {
	audience string
	app      tenant.App // zero for resources that are no application of the tenant's
	version  string     // of access tokens that it takes
}

// targetOf finds a resource in a tenant and spells its audience. Microsoft's own
// take version 1; others what their application says
// (requestedAccessTokenVersion), and version 2 is named by client id.
func (s *Service) targetOf(tenantID, resource string) (target, error) {
	if known, err := s.audience(resource); err == nil {
		return target{audience: known, version: "1.0"}, nil
	}
	app, ok := s.dir.ResourceApp(tenantID, resource)
	switch {
	case !ok || resource == "":
		_, err := s.audience(resource)
		return target{}, err
	case app.Disabled:
		return target{}, fail(oauth.ResourceNotFound, "resource enabled", resource)
	case app.FirstParty && len(app.Identifiers) > 0:
		return target{audience: app.Identifiers[0], version: "1.0"}, nil
	case app.TokenVersion == 2:
		return target{audience: app.ClientID, app: app, version: "2.0"}, nil
	}
	return target{audience: resource, app: app, version: "1.0"}, nil
}

// granted are the scopes that go into a token of a user: all that were
// consented to, of which every one asked for has to be, and that the user's
// roles cover.
func (s *Service) granted(c client, u tenant.User, t target, w wanted) ([]string, error) {
	have := s.delegated(c, u, t)
	if len(have) == 0 && (len(w.Asked) > 0 || w.Default) {
		return nil, fail(oauth.ConsentRequired, "consent", c.ClientID)
	}
	for _, name := range w.Named {
		if !containsFold(have, name) {
			return nil, fail(oauth.ConsentRequired, "consent", name)
		}
	}
	return u.Usable(t.audience, have), nil
}

// delegated are the consented scopes. An application may always act for a user
// at itself.
func (s *Service) delegated(c client, u tenant.User, t target) []string {
	if c.FirstParty && t.app.ClientID != "" {
		var all []string
		for _, p := range t.app.Scopes {
			if p.IsEnabled {
				all = append(all, p.Value)
			}
		}
		return all
	}
	for _, resource := range s.namesOf(t) {
		if have := s.dir.Delegated(c.App, u.Resource.ID, resource); len(have) > 0 {
			return have
		}
	}
	if t.app.ClientID != "" && t.app.ClientID == c.ClientID {
		return []string{"user_impersonation"}
	}
	return nil
}

// namesOf are the names under which consent to a resource may stand.
func (s *Service) namesOf(t target) []string {
	if t.app.ClientID == "" {
		return []string{t.audience}
	}
	return append([]string{t.audience, t.app.ClientID, "api://" + t.app.ClientID}, t.app.Identifiers...)
}

// consentable tells whether a user may consent to a scope, and whether the
// resource has it.
func (s *Service) consentable(u tenant.User, t target, name string) (mine, exists bool) {
	if t.app.ClientID != "" {
		for _, p := range t.app.Scopes {
			if p.IsEnabled && strings.EqualFold(p.Value, name) {
				return p.Type != "Admin" || u.MayConsent(), true
			}
		}
		return false, false
	}
	if !oauth.SameAudience(t.audience, oauth.ResourceGraph) {
		return true, strings.EqualFold(name, "user_impersonation")
	}
	p, ok := graph.FindPermission(name, graph.AccessScope)
	return ok && (!p.Admin || u.MayConsent()), ok
}

// scopeText is the scope member of an answer: what was granted, in the manner in
// which it was asked for.
func scopeText(t target, w wanted, have []string, v2 bool) string {
	if !v2 {
		return strings.Join(have, " ")
	}
	out := slices.DeleteFunc(slices.Clone(w.OIDC), func(s string) bool { return s == "offline_access" })
	prefix := strings.TrimSuffix(w.Resource, "/") + "/"
	if !slices.ContainsFunc(w.Asked, func(s string) bool { return strings.Contains(s, "/") }) {
		prefix = ""
	}
	for _, name := range have {
		if !containsFold(w.Asked, prefix+name) {
			out = append(out, prefix+name)
		}
	}
	return strings.Join(append(out, w.Asked...), " ")
}

func containsFold(list []string, want string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
}

// audience checks that a resource is one of Microsoft's or of the world's, and
// spells it as known.
func (s *Service) audience(resource string) (string, error) {
	if resource == "" {
		return "", fail(oauth.MissingParameter, "resource", "resource or scope is missing")
	}
	for _, known := range s.resources {
		if oauth.SameAudience(known, resource) {
			return known, nil
		}
	}
	return "", fail(oauth.ResourceNotFound, "resource", resource)
}
