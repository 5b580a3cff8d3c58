package enroll

import (
	"strings"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/mde"
)

// Scope says whose devices enrol by themselves (the MDM user scope that is set
// in Entra ID's mobility page).
type Scope string

// Scopes.
const (
	ScopeAll  Scope = "all"
	ScopeSome Scope = "some" // members of the groups
	ScopeNone Scope = "none"
)

// Settings are what a customer set for enrolment, beside the restrictions that
// are resources of Graph ([tenant.Tenant.EnrollmentRestrictions]). The zero
// value is a new tenant's, with MDM scope all.
type Settings struct {
	Scope       Scope // "" is all
	ScopeGroups []string
	// AuthPolicy is how users without an access token authenticate; "" is
	// Federated. Access tokens of Entra ID are taken in any case.
	AuthPolicy mde.AuthPolicy
	// TermsOfUse is the EnrollmentData that the terms of use page gives to who
	// accepts them; "" where there is no such page.
	TermsOfUse string
	// Maintenance refuses everybody for now.
	Maintenance bool
	// CustomError refuses everybody with this text, which the user sees; "" does
	// not.
	CustomError string
	// AttestationFailure is what a device does whose key cannot be attested; ""
	// is IgnoreOnError, and only then does the service take a request without
	// proof, or with a bad one. The technician flow needs the proof in any case.
	AttestationFailure mde.AttestationFailure
	// Layout of the provisioning document.
	Layout mde.Layout
}

// serving tells whether the service enrols anybody at the moment.
func (s Settings) serving() error {
	switch {
	case s.Maintenance:
		return no("maintenance", hresult.EnrollInMaintenance, "the service is in maintenance")
	case s.CustomError != "":
		return no("custom error", hresult.EnrollCustomServerError, "%s", s.CustomError)
	}
	return nil
}

func (s Settings) failure() mde.AttestationFailure {
	if s.AttestationFailure == "" {
		return mde.IgnoreOnError
	}
	return s.AttestationFailure
}

// behaviour is what the certificate policy says. A device that asks in its own
// name is in the technician flow, which ends without the proof.
func (s Settings) behaviour(userless bool) mde.AttestationFailure {
	if userless && s.failure() == mde.IgnoreOnError {
		return mde.FailOnError
	}
	return s.failure()
}

// Configure sets a tenant's settings.
func (s *Service) Configure(tenantID string, c Settings) error {
	return s.Tenants.DB.Update(func(tx *store.Tx) error {
		s.settings.Put(tx, strings.ToLower(tenantID), c)
		return nil
	})
}

// Settings gives a tenant's settings.
func (s *Service) Settings(tenantID string) Settings {
	var c Settings
	// Reading cannot fail: the function returns nil.
	_ = s.Tenants.DB.View(func(tx *store.Tx) error {
		c, _ = s.settings.Get(tx, strings.ToLower(tenantID))
		return nil
	})
	return c
}
