package join

import (
	"errors"
	"fmt"
	"slices"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/krb5"
)

// statuses are the reasons of a refusal that Windows has words for.
var statuses = map[hresult.Code]error{
	hresult.STATUSWrongSecret:        errWrongSecret,
	hresult.STATUSAccountDisabled:    errDisabled,
	hresult.STATUSAccountLockedOut:   errLocked,
	hresult.STATUSAccountExpired:     errExpired,
	hresult.STATUSLogonHours:         errHours,
	hresult.STATUSWorkstation:        errWorkstation,
	hresult.STATUSPasswordMustChange: errMustChange,
	hresult.STATUSPasswordExpired:    errPasswordOld,
	hresult.STATUSPasswordRule:       errPasswordRule,
}

// numbers are what Windows makes of Kerberos' numbers where the controller does
// not say more.
var numbers = map[int32]hresult.Code{
	krb5.ErrClientUnknown:   hresult.STATUSWrongSecret,
	krb5.ErrPreauthFailed:   hresult.STATUSWrongSecret,
	krb5.ErrIntegrity:       hresult.STATUSWrongSecret,
	krb5.ErrClientRevoked:   hresult.STATUSAccountDisabled,
	krb5.ErrPasswordExpired: hresult.STATUSPasswordExpired,
	krb5.ErrPolicy:          hresult.STATUSLogonHours,
}

// refused words a controller's refusal as Windows does. A controller that was
// found and then did not answer is none.
func refused(err error) error {
	if errors.Is(err, adclient.ErrNoController) {
		return err
	}
	if _, ok := errors.AsType[*krb5.PasswordResult](err); ok {
		return hresult.New("change password", hresult.STATUSPasswordRule, fmt.Errorf("%w: %w", errPasswordRule, err))
	}
	refusal, ok := errors.AsType[*krb5.Error](err)
	if !ok {
		return fmt.Errorf("%w: %w", adclient.ErrNoController, err)
	}
	if refusal.Code == krb5.ErrSkew {
		return hresult.New(opLogon, hresult.TimeSkew, errSkew)
	}
	if status, told := refusal.Status(); told {
		if why := statuses[hresult.Code(status)]; why != nil {
			return hresult.New(opLogon, hresult.Code(status), why)
		}
	}
	code, known := numbers[refusal.Code]
	if !known {
		return hresult.New(opLogon, hresult.STATUSTrustFailure, fmt.Errorf("%w: %w", errTrust, err))
	}
	return hresult.New(opLogon, code, statuses[code])
}

// MustChangePassword tells whether a logon was refused because of nothing but
// the password's age.
func MustChangePassword(err error) bool {
	code, _ := hresult.CodeOf(err)
	return slices.Contains([]hresult.Code{hresult.STATUSPasswordExpired, hresult.STATUSPasswordMustChange}, code)
}
