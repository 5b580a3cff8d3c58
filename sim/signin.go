package sim

import (
	"context"
	"errors"
	"slices"

	entra "windtunnel.test/fakeentra/tenant"
	"windtunnel.test/fakeintune/enroll"
)

// signIn is Entra ID as enrolment sees it where a user brings a password and no
// token.
type signIn struct{ d *entra.Directory }

func (a signIn) TenantOf(_ context.Context, upn string) (string, bool) {
	t, err := a.d.TenantOf(upn)
	return t.ID, err == nil
}

func (a signIn) Password(_ context.Context, tenantID, upn, password string) error {
	_, err := a.d.Authenticate(tenantID, upn, password)
	theirs := []error{entra.ErrNoUser, entra.ErrPassword, entra.ErrLocked, entra.ErrAccountDisabled, entra.ErrPasswordExpired}
	if slices.ContainsFunc(theirs, func(reason error) bool { return errors.Is(err, reason) }) {
		return enroll.ErrSignIn
	}
	return err
}
