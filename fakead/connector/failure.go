package connector

import (
	"errors"
	"fmt"
	"strconv"

	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// failure is why a computer could not be joined, as NetProvisionComputerAccount
// tells it: a Windows error.
type failure struct {
	win32       uint32
	diagnostic  uint32 // where it failed; 0x800 is the account in the directory, others are not public
	description string
	final       bool
	err         error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Windows errors (learn.microsoft.com/windows/win32/debug/system-error-codes).
const (
	errorAccessDenied     = 5
	errorInvalidParameter = 87
	errorNoSuchDomain     = 1355
	errorLogonFailure     = 1326
	errorTimeSkew         = 1398
	errorUserExists       = 2224
	errorNoSuchObject     = 8240
	errorConstraint       = 8239
	errorUnwilling        = 8245
	errorGenFailure       = 31
)

// inDirectory is the diagnostic code of event 30132 where the account could not
// be made (learn.microsoft.com, "Troubleshooting Windows device enrollment errors
// in Intune").
const inDirectory = 0x800

const (
	describePrivileges = "Failed to get the ODJ Blob. The ODJ connector does not have sufficient privileges to complete the operation"
	describeFailed     = "Failed to get the ODJ Blob."
)

// byCode are the Windows errors of LDAP results whose message brings none.
var byCode = map[ldap.ResultCode]uint32{
	ldap.NoSuchObject: errorNoSuchObject, ldap.EntryAlreadyExists: errorUserExists, ldap.ConstraintViolation: errorConstraint,
	ldap.UnwillingToPerform: errorUnwilling, ldap.InvalidDNSyntax: errorInvalidParameter,
}

// failureOf finds the Windows error for what went wrong.
func failureOf(err error) *failure {
	f := &failure{win32: errorGenFailure, diagnostic: inDirectory, description: describeFailed, err: err}
	var known *failure
	var refused *ldap.Error
	var kerberos *krb5.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		f.win32 = win32Of(refused)
		if refused.Code == ldap.InsufficientAccessRights {
			f.win32, f.description = errorAccessDenied, describePrivileges
		}
	case errors.As(err, &kerberos) && kerberos.Code == krb5.ErrSkew:
		f.win32 = errorTimeSkew
	case errors.As(err, &kerberos):
		f.win32 = errorLogonFailure
	}
	return f
}

// win32Of reads the Windows error that a controller's message begins with
// ("00002098: SecErr: DSID-..."), [MS-ADTS] 3.1.1.3.1.9.
func win32Of(e *ldap.Error) uint32 {
	if len(e.Message) > 8 && e.Message[8] == ':' {
		if n, err := strconv.ParseUint(e.Message[:8], 16, 32); err == nil && n != 0 {
			return uint32(n)
		}
	}
	if n, ok := byCode[e.Code]; ok {
		return n
	}
	return errorGenFailure
}

// refuse is a failure that the connector itself sees, and that no other try
// mends.
func refuse(win32 uint32, format string, args ...any) error {
	f := &failure{win32: win32, diagnostic: inDirectory, description: describeFailed, final: true, err: fmt.Errorf(format, args...)}
	if win32 == errorAccessDenied {
		f.description = describePrivileges
	}
	return f
}
