package fault

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Layers that ask.
const (
	HTTP      = "http"      // an exchange; Operation is the service's name for it
	TPM       = "tpm"       // a command; Operation is its name, "TPM2_Create"
	Event     = "event"     // something happened on the device; Operation is the event's kind
	Stream    = "stream"    // a connection or datagram below HTTP
	Installer = "installer" // the end of an installer's run; Operation is the product
)

// Rule is one fault: where, and what.
type Rule struct {
	Name string `yaml:"name" json:"name"` // in the journal, and in the seed of its draws; must differ from the others'
	When When   `yaml:"when" json:"when"`
	Do   Action `yaml:"do" json:"do"`
}

// When chooses points. Empty members are not looked at. Host, Operation, Device and Event are globs: * is any run of
// characters, ? is one; case does not count.
type When struct {
	Layer     string        `yaml:"layer,omitempty" json:"layer,omitempty"`
	Host      string        `yaml:"host,omitempty" json:"host,omitempty"`
	Operation string        `yaml:"operation,omitempty" json:"operation,omitempty"`
	Device    string        `yaml:"device,omitempty" json:"device,omitempty"`
	Event     string        `yaml:"event,omitempty" json:"event,omitempty"` // kind of an event; such a rule sees points of that layer only
	Nth       int           `yaml:"nth,omitempty" json:"nth,omitempty"`     // only the nth point, from 1, that a device passes and the rest matches
	Every     int           `yaml:"every,omitempty" json:"every,omitempty"` // each so-manyeth; with Nth: that one and each so-manyeth after it
	Share     float64       `yaml:"share,omitempty" json:"share,omitempty"` // so many of those, drawn from the seed; 0 is all
	From      time.Duration `yaml:"from,omitempty" json:"from,omitempty"`   // since the run's start
	Until     time.Duration `yaml:"until,omitempty" json:"until,omitempty"` // since the run's start, not included
}

// Action is what breaks. At most one of Status, Drop, Refuse, NoSuchName, TPMResponse and ExitCode can be set; the others
// combine. CutPower, ClockJump and DiskFull can happen at any point of a device.
type Action struct {
	Status      int           `yaml:"status,omitempty" json:"status,omitempty"`           // answered in place of the service
	RetryAfter  time.Duration `yaml:"retryAfter,omitempty" json:"retryAfter,omitempty"`   // Retry-After of that answer, whole seconds
	Delay       time.Duration `yaml:"delay,omitempty" json:"delay,omitempty"`             // before anything else
	Drop        bool          `yaml:"drop,omitempty" json:"drop,omitempty"`               // the connection breaks; whether the service saw the request is not said
	Refuse      bool          `yaml:"refuse,omitempty" json:"refuse,omitempty"`           // the connection is refused
	NoSuchName  bool          `yaml:"noSuchName,omitempty" json:"noSuchName,omitempty"`   // the name does not resolve
	Corrupt     bool          `yaml:"corrupt,omitempty" json:"corrupt,omitempty"`         // the answer's body is altered
	Truncate    bool          `yaml:"truncate,omitempty" json:"truncate,omitempty"`       // the answer's body ends early
	CutPower    bool          `yaml:"cutPower,omitempty" json:"cutPower,omitempty"`       // the device loses power
	TPMResponse uint32        `yaml:"tpmResponse,omitempty" json:"tpmResponse,omitempty"` // TPM_RC in place of the TPM's own
	Intercept   bool          `yaml:"intercept,omitempty" json:"intercept,omitempty"`     // something in the way opens TLS, with a certificate of its own authority
	ClockJump   Jump          `yaml:"clockJump,omitempty" json:"clockJump,omitempty"`     // the device's clock is set so far ahead; back with a minus
	DiskFull    bool          `yaml:"diskFull,omitempty" json:"diskFull,omitempty"`       // no room is left on the device's disk
	ExitCode    uint32        `yaml:"exitCode,omitempty" json:"exitCode,omitempty"`       // an installer ends with it and has installed nothing: 0xC0000005 is a crash
	EngineDeath bool          `yaml:"engineDeath,omitempty" json:"engineDeath,omitempty"` // the engine that runs the TPM's command dies; another does it again, and the result is the same
}

// Harms tells whether the action is about the device itself.
func (a Action) Harms() bool { return a.CutPower || a.ClockJump != 0 || a.DiskFull }

// Validate reports everything that is wrong with the rule.
func (r Rule) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("fault %q: "+format, append([]any{r.Name}, args...)...))
	}
	if r.Name == "" {
		bad("has no name")
	}
	r.When.check(bad)
	r.Do.check(bad)
	if r.When.Event != "" && (r.Do.Status != 0 || r.Do.TPMResponse != 0 || r.Do.Refuse || r.Do.NoSuchName || r.Do.Corrupt || r.Do.Truncate || r.Do.Drop || r.Do.Intercept || r.Do.ExitCode != 0 || r.Do.EngineDeath) {
		bad("an event can only lead to delay, cutPower, clockJump or diskFull")
	}
	if what, layers := r.Do.belongs(); r.When.Layer != "" && r.When.Layer != Event && len(layers) > 0 && !slices.Contains(layers, r.When.Layer) {
		bad("%s does nothing at layer %s; it belongs to %s", what, r.When.Layer, strings.Join(layers, " and "))
	}
	return errors.Join(errs...)
}

// belongs is what of an action can only happen at certain layers, and which; ""
// where all of it can happen anywhere.
func (a Action) belongs() (what string, layers []string) {
	switch {
	case a.TPMResponse != 0:
		return "tpmResponse", []string{TPM}
	case a.EngineDeath:
		return "engineDeath", []string{TPM}
	case a.ExitCode != 0:
		return "exitCode", []string{Installer}
	case a.Status != 0:
		return "status", []string{HTTP}
	case a.Corrupt, a.Truncate:
		return "corrupt or truncate", []string{HTTP, Stream}
	case a.Drop, a.Refuse, a.NoSuchName, a.Intercept:
		return "what breaks a connection", []string{HTTP, Stream}
	}
	return "", nil
}

func (w When) check(bad func(string, ...any)) {
	switch w.Layer {
	case "", HTTP, TPM, Event, Stream, Installer:
	default:
		bad("layer %q is none of http, tpm, event, stream, installer", w.Layer)
	}
	if w.Event != "" && (w.Layer != "" && w.Layer != Event || w.Host != "" || w.Operation != "") {
		bad("event goes with neither host, operation nor another layer")
	}
	if w.Nth < 0 || w.Every < 0 {
		bad("nth and every count from 1")
	}
	if !(w.Share >= 0 && w.Share <= 1) {
		bad("share is between 0 and 1")
	}
	if w.From < 0 || w.Until < 0 || w.Until > 0 && w.Until <= w.From {
		bad("from and until do not make a span of time")
	}
}

func (a Action) check(bad func(string, ...any)) {
	exclusive := 0
	for _, set := range []bool{a.Status != 0, a.Drop, a.Refuse, a.NoSuchName, a.TPMResponse != 0, a.ExitCode != 0} {
		if set {
			exclusive++
		}
	}
	switch {
	case a == Action{}:
		bad("does nothing")
	case exclusive > 1:
		bad("only one of status, drop, refuse, noSuchName, tpmResponse and exitCode is possible")
	}
	if a.Status != 0 && (a.Status < 300 || a.Status > 599) {
		bad("status %d is not an answer that stands for a fault (300 to 599)", a.Status)
	}
	if a.Delay < 0 || a.RetryAfter < 0 || a.RetryAfter%time.Second != 0 {
		bad("delay and retryAfter are not negative, and retryAfter is whole seconds (RFC 9110 10.2.3)")
	}
	if a.RetryAfter > 0 && a.Status != http.StatusTooManyRequests && a.Status != http.StatusServiceUnavailable {
		bad("retryAfter goes with status 429 or 503")
	}
}

// ValidateAll checks every rule, and that names differ.
func ValidateAll(rules []Rule) error {
	var errs []error
	seen := map[string]bool{}
	for _, r := range rules {
		errs = append(errs, r.Validate())
		if seen[r.Name] && r.Name != "" {
			errs = append(errs, fmt.Errorf("fault %q: two rules of one name", r.Name))
		}
		seen[r.Name] = true
	}
	return errors.Join(errs...)
}
