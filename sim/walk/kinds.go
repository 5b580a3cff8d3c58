package walk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/sim/fault"
)

// Kind is one way in which an exchange fails.
type Kind struct {
	Name  string
	Layer string // fault.HTTP, fault.TPM or fault.Installer: what can fail so
	Do    fault.Action
}

const (
	comeBack = 30 * time.Second
	// tooLate is beyond every time-out of Windows' own HTTP clients, whose
	// connecting, sending and receiving take two minutes at most (WinHttpSetTimeouts),
	// and within everybody's patience.
	tooLate = 10 * time.Minute
	// clockError is beyond the life of every token and ticket, and of what domain
	// controllers put up with.
	clockError = 26 * time.Hour
	// accessViolation is how a program ends that crashes (STATUS_ACCESS_VIOLATION).
	accessViolation = 0xC0000005
)

// Kinds are the ways that are known, in the order of the table.
func Kinds() []Kind {
	return []Kind{
		{"429", fault.HTTP, fault.Action{Status: http.StatusTooManyRequests}},
		{"429-retry-after", fault.HTTP, fault.Action{Status: http.StatusTooManyRequests, RetryAfter: comeBack}},
		{"503", fault.HTTP, fault.Action{Status: http.StatusServiceUnavailable}},
		{"503-retry-after", fault.HTTP, fault.Action{Status: http.StatusServiceUnavailable, RetryAfter: comeBack}},
		{"500", fault.HTTP, fault.Action{Status: http.StatusInternalServerError}},
		{"refuse", fault.HTTP, fault.Action{Refuse: true}},
		{"no-such-name", fault.HTTP, fault.Action{NoSuchName: true}},
		{"drop", fault.HTTP, fault.Action{Drop: true}},
		{"delay", fault.HTTP, fault.Action{Delay: tooLate}},
		{"truncate", fault.HTTP, fault.Action{Truncate: true}},
		{"corrupt", fault.HTTP, fault.Action{Corrupt: true}},
		{"intercept", fault.HTTP, fault.Action{Intercept: true}},
		{"power-cut", fault.HTTP, fault.Action{CutPower: true}},
		{"clock-ahead", fault.HTTP, fault.Action{ClockJump: fault.Jump(clockError)}},
		{"clock-back", fault.HTTP, fault.Action{ClockJump: fault.Jump(-clockError)}},
		{"disk-full", fault.HTTP, fault.Action{DiskFull: true}},
		{"tpm-failure", fault.TPM, fault.Action{TPMResponse: uint32(tpm2.TPMRCFailure)}},
		{"tpm-retry", fault.TPM, fault.Action{TPMResponse: uint32(tpm2.TPMRCRetry)}},
		{"tpm-lockout", fault.TPM, fault.Action{TPMResponse: uint32(tpm2.TPMRCLockout)}},
		{"tpm-object-memory", fault.TPM, fault.Action{TPMResponse: uint32(tpm2.TPMRCObjectMemory)}},
		{"tpm-power-cut", fault.TPM, fault.Action{CutPower: true}},
		{"engine-death", fault.TPM, fault.Action{EngineDeath: true}},
		{"installer-crash", fault.Installer, fault.Action{ExitCode: accessViolation}},
		{"installer-power-cut", fault.Installer, fault.Action{CutPower: true}},
	}
}

// chosen are the kinds of those names, all for none.
func chosen(names []string) ([]Kind, error) {
	all := Kinds()
	if len(names) == 0 {
		return all, nil
	}
	var out []Kind
	for _, name := range names {
		i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name })
		if i < 0 {
			known := make([]string, len(all))
			for i, k := range all {
				known[i] = k.Name
			}
			return nil, fmt.Errorf("walk: there is no kind of fault %q (%s)", name, strings.Join(known, ", "))
		}
		out = append(out, all[i])
	}
	return out, nil
}
