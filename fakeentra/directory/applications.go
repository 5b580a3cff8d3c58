package directory

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
)

// registration is an application as Graph shows it. Texts of secrets stay where
// they are.
func (s *Service) registration(a tenant.App) graph.Application {
	g := a.Resource()
	g.ID = s.dir.ObjectID(a.TenantID, a.ClientID)
	return g
}

// applicationOwn are members of an application that the service alone sets.
var applicationOwn = []string{"id", "appId", "createdDateTime"}

func (s *Service) applications(c *call) error {
	var all []graph.Application
	for _, a := range s.dir.Apps(c.tenant) {
		all = append(all, s.registration(a))
	}
	return list(s, c, "applications", all)
}

// findApplication takes an object id, or a client id given as applications(appId='...').
func (s *Service) findApplication(c *call) (tenant.App, error) {
	id := c.arg("id")
	for _, a := range s.dir.Apps(c.tenant) {
		if strings.EqualFold(s.dir.ObjectID(a.TenantID, a.ClientID), id) || c.alternate("appId") && strings.EqualFold(a.ClientID, id) {
			return a, nil
		}
	}
	return tenant.App{}, tenant.ErrNoApp
}

func (s *Service) application(c *call) error {
	a, err := s.findApplication(c)
	if err != nil {
		return err
	}
	return one(s, c, "applications", s.registration(a))
}

// createApplication registers an application; its service principal is there at
// once: our model.
func (s *Service) createApplication(c *call) error {
	var g graph.Application
	if err := c.decode(&g, applicationOwn...); err != nil {
		return err
	}
	if g.DisplayName == "" {
		return &badRequest{graph.CodeBadRequest, "A value is required for property 'displayName' of resource 'Application'."}
	}
	if len(g.PasswordCredentials) > 0 {
		return &badRequest{graph.CodeBadRequest, "Adding new passwords through this property is not allowed; use addPassword."}
	}
	a, err := tenant.AppOf(c.tenant, g)
	if err != nil {
		return &badRequest{graph.CodeBadRequest, err.Error()}
	}
	a.ClientID = s.NewID("application")
	if err := s.ownIdentifiers(a); err != nil {
		return err
	}
	if a, err = s.dir.SaveApp(a); err != nil {
		return err
	}
	s.Record(c.r.Context(), "entra.application.created", journal.F("clientId", a.ClientID))
	service.WriteJSON(c.w, http.StatusCreated, s.registration(a))
	return nil
}

// ownIdentifiers refuses an application that takes the name of another, such as
// Microsoft Graph.
func (s *Service) ownIdentifiers(a tenant.App) error {
	for _, uri := range a.Identifiers {
		if other, ok := s.dir.ResourceApp(a.TenantID, uri); ok && other.ClientID != a.ClientID {
			return fmt.Errorf("identifierUris: %s: %w", uri, tenant.ErrExists)
		}
	}
	return nil
}

func (s *Service) updateApplication(c *call) error {
	var in graph.Application
	if err := c.decode(&in, applicationOwn...); err != nil {
		return err
	}
	if len(in.PasswordCredentials) > 0 {
		return &badRequest{graph.CodeBadRequest, "Passwords cannot be changed through this property; use addPassword and removePassword."}
	}
	old, err := s.findApplication(c)
	if err != nil {
		return err
	}
	if err := s.ownIdentifiers(tenant.App{TenantID: c.tenant, ClientID: old.ClientID, Identifiers: in.IdentifierURIs}); err != nil {
		return err
	}
	_, err = s.dir.UpdateApp(c.tenant, old.ClientID, func(a *tenant.App) error {
		g, err := merged(c, a.Resource())
		if err != nil {
			return err
		}
		next, err := tenant.AppOf(c.tenant, g)
		if err != nil {
			return err
		}
		a.Name, a.Certificates, a.Redirects, a.Public = next.Name, next.Certificates, next.Redirects, next.Public
		a.Identifiers, a.Required, a.AppRoles, a.Scopes, a.Audience, a.TokenVersion = next.Identifiers, next.Required, next.AppRoles, next.Scopes, next.Audience, next.TokenVersion
		return nil
	})
	return c.done(err)
}

func (s *Service) deleteApplication(c *call) error {
	a, err := s.findApplication(c)
	if err != nil {
		return err
	}
	return c.done(s.dir.DeleteApp(c.tenant, a.ClientID))
}

// addPassword makes a secret. Its text is in this answer and in no other.
func (s *Service) addPassword(c *call) error {
	var in struct {
		Credential graph.PasswordCredential `json:"passwordCredential"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	a, err := s.findApplication(c)
	if err != nil {
		return err
	}
	b := s.NewSecret("client secret")
	now := s.Now()
	secret := tenant.AppSecret{KeyID: s.NewID("credential"), Name: in.Credential.DisplayName, Text: base64.RawURLEncoding.EncodeToString(b[:30]),
		Starts: now, Ends: s.Timing.Entra.ClientSecretLife.After(now)}
	if t := in.Credential.StartDateTime; t != nil {
		secret.Starts = t.Time
	}
	if t := in.Credential.EndDateTime; t != nil {
		secret.Ends = t.Time
	}
	if !secret.Starts.Before(secret.Ends) {
		return &badRequest{graph.CodeBadRequest, "The end of a credential has to be after its start."}
	}
	_, err = s.dir.UpdateApp(c.tenant, a.ClientID, func(a *tenant.App) error {
		a.Secrets = append(slices.Clone(a.Secrets), secret)
		return nil
	})
	if err != nil {
		return err
	}
	return one(s, c, "applications", secret.Resource(true))
}

func (s *Service) removePassword(c *call) error {
	var in struct {
		KeyID string `json:"keyId"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	a, err := s.findApplication(c)
	if err != nil {
		return err
	}
	_, err = s.dir.UpdateApp(c.tenant, a.ClientID, func(a *tenant.App) error {
		kept := slices.DeleteFunc(slices.Clone(a.Secrets), func(k tenant.AppSecret) bool { return strings.EqualFold(k.KeyID, in.KeyID) })
		if len(kept) == len(a.Secrets) {
			return &badRequest{graph.CodeBadRequest, "No password credential found with keyId."}
		}
		a.Secrets = kept
		return nil
	})
	return c.done(err)
}

// alternate tells whether a key in the path is written as name='value'.
func (c *call) alternate(name string) bool {
	got, _, ok := strings.Cut(c.params["id"], "=")
	return ok && strings.EqualFold(got, name)
}
