package hresult

import (
	"cmp"
	"slices"
	"strings"
)

// Pages that more than one family cites.
const (
	pageKnownIssues = "learn.microsoft.com/autopilot/known-issues"
	pageHello       = "learn.microsoft.com/windows/security/identity-protection/hello-for-business/hello-errors-during-pin-creation"
	pageHybridJoin  = "learn.microsoft.com/entra/identity/devices/troubleshoot-hybrid-join-windows-current"
	pageWinError    = "winerror.h; learn.microsoft.com/windows/win32/com/com-error-codes-10"
	pageSystemError = "learn.microsoft.com/windows/win32/debug/system-error-codes"
	pageEnrollError = "learn.microsoft.com/troubleshoot/mem/intune/device-enrollment/troubleshoot-windows-enrollment-errors"
)

var sorted = collect(enrolment, registration, autopilot, transport, httpStatus, keys, apps, general, logon)

var table, byName = index(sorted)

func collect(families ...[]Entry) []Entry {
	all := slices.Concat(families...)
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

func index(all []Entry) (map[Code]Entry, map[string]Code) {
	codes, names := make(map[Code]Entry, len(all)), make(map[string]Code, len(all))
	for _, e := range all {
		codes[e.Code] = e
		names[strings.ToUpper(e.Name)] = e.Code
	}
	return codes, names
}
