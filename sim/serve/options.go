package serve

import (
	"fmt"
	"net"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// Addresses that are listened on where nothing else is said.
const (
	DefaultTLS   = "127.0.0.1:8443"
	DefaultProxy = "127.0.0.1:8180"

	DefaultDirectory = "127.0.0.1:0"
)

// Options say what is served, and where. Scenario is needed. Addresses are
// HOST:PORT with a host of loopback; port 0 picks a free one.
type Options struct {
	Scenario *scenario.Scenario // resolved
	TLS      string             // "": DefaultTLS
	Proxy    string             // "": DefaultProxy
	HTTP     string             // "": a free port; the proxy carries plain HTTP as well
	// Management is where the management listener is; "": there is none.
	Management string
	// Directory is where the domain's ports are, if the scenario has one: HOST:0
	// for free ones, HOST alone for the standard ones. "": DefaultDirectory.
	Directory string
	// StateDir keeps the tenant from one process to the next; "": in memory.
	StateDir string
	// CAFile is where the web authority's certificate is written; "": in the
	// state folder, or else in the user's cache folder, where it is removed at
	// the end.
	CAFile string
	// Fleet: the scenario's PCs and people live beside the real clients. It needs
	// Lab, and does not go with StateDir.
	Fleet bool
	Lab   *vtpm.Lab
	// Warn is told of a service that failed by a defect of its own; nil: only the
	// journal is.
	Warn func(message string)
}

// InputError is something wrong with what [Options] say.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

func inputError(format string, args ...any) error {
	return &InputError{fmt.Errorf(format, args...)}
}

func (o *Options) check() error {
	if o.TLS == "" {
		o.TLS = DefaultTLS
	}
	if o.Proxy == "" {
		o.Proxy = DefaultProxy
	}
	for flag, address := range map[string]string{"listen": o.TLS, "proxy": o.Proxy, "http": o.HTTP, "management": o.Management} {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return inputError("--%s: %q is not HOST:PORT, such as 127.0.0.1:0", flag, address)
		}
		if !isLoopback(address) {
			return inputError("--%s: %q is not on loopback: this is never for other machines", flag, address)
		}
	}
	if err := o.checkDirectory(); err != nil {
		return err
	}
	if o.Fleet && o.StateDir != "" {
		return inputError("--fleet does not go with --state: the PCs would be gone at the next start, and the tenant would know them still")
	}
	return nil
}
