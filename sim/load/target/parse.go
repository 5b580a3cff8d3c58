package target

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/serve"
	"windtunnel.test/sim/vnet"
)

// Words that --target knows.
const (
	Direct  = "direct" // the services in this process
	OwnGoal = "serve"  // a windtunnel serve that is started for the load
)

// Options say what is aimed at.
type Options struct {
	// Flags are the values of --target: one of the words, a ready document's file,
	// or addresses NAME=HOST:PORT or HOST:PORT. None: what the file says.
	Flags []string
	CA    string // file above the TLS certificates; "": what the target says itself
	// Owned is the word that whoever makes the load owns the target.
	Owned bool
	File  *scenario.LoadTarget // of the scenario, may be nil
}

// InputError is something wrong with what was asked for.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

func inputError(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// Parse finds the target. It is nil for the services in this process. own tells
// that a `windtunnel serve` is wanted, which [Serve] starts.
func Parse(o Options) (t *Target, own bool, err error) {
	switch {
	case len(o.Flags) == 1 && (o.Flags[0] == Direct || o.Flags[0] == OwnGoal):
		if o.CA != "" {
			return nil, false, inputError("--ca: --target %s needs none", o.Flags[0])
		}
		return nil, o.Flags[0] == OwnGoal, nil
	case len(o.Flags) == 1 && !strings.ContainsAny(o.Flags[0], "=:") || len(o.Flags) == 1 && strings.HasSuffix(o.Flags[0], ".json"):
		t, err = fromDocument(o.Flags[0])
	case len(o.Flags) > 0:
		t, err = fromAddresses(o.Flags)
	case o.File != nil:
		t, err = fromFile(o.File)
	case o.CA != "":
		return nil, false, inputError("--ca: there is no --target that it is about")
	default:
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if o.CA != "" {
		if t.ca, err = readCertificates("--ca", o.CA); err != nil {
			return nil, false, err
		}
	}
	return t, false, t.loopback(o.Owned, len(o.Flags) > 0)
}

// fromDocument reads what windtunnel serve --json printed.
func fromDocument(file string) (*Target, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, inputError("--target: %w; write direct, serve, the file that windtunnel serve --json printed, or NAME=HOST:PORT", err)
	}
	t, err := readDocument(text)
	if err != nil {
		return nil, inputError("--target: %s: %w", file, err)
	}
	return t, nil
}

func readDocument(text []byte) (*Target, error) {
	var ready serve.Endpoints
	if err := json.Unmarshal(text, &ready); err != nil {
		return nil, fmt.Errorf("it is no ready document of windtunnel serve --json: %w", err)
	}
	if err := address(ready.TLS); err != nil {
		return nil, fmt.Errorf("it is no ready document of windtunnel serve --json: tls: %w", err)
	}
	t := &Target{name: "windtunnel serve at " + ready.TLS, hosts: []host{{"*", vnet.Forward{TLS: ready.TLS, HTTP: ready.HTTP}}}}
	if ready.HTTP != "" {
		if err := address(ready.HTTP); err != nil {
			return nil, fmt.Errorf("http: %w", err)
		}
	}
	var err error
	if t.ca, err = readCertificates("ca", ready.CA); err != nil {
		return nil, err
	}
	if ready.Trust != "" {
		if t.trust, err = parseCertificates([]byte(ready.Trust)); err != nil {
			return nil, fmt.Errorf("trust: %w", err)
		}
	}
	for _, a := range ready.Applications {
		if a.Secret != "" {
			t.client, t.secret = a.ClientID, a.Secret
			break
		}
	}
	return t, nil
}

// fromAddresses reads NAME=HOST:PORT; without a name it is for all.
func fromAddresses(flags []string) (*Target, error) {
	t := &Target{name: strings.Join(flags, ", ")}
	for _, flag := range flags {
		name, at, named := strings.Cut(flag, "=")
		if !named {
			name, at = "*", flag
		}
		if flag == Direct || flag == OwnGoal || strings.HasSuffix(flag, ".json") {
			return nil, inputError("--target: %s stands alone", flag)
		}
		if err := pattern(name); err != nil {
			return nil, inputError("--target: %w", err)
		}
		if err := address(at); err != nil {
			return nil, inputError("--target: %w", err)
		}
		t.hosts = append(t.hosts, host{strings.ToLower(name), vnet.Forward{TLS: at}})
	}
	return t, nil
}

// fromFile reads what the scenario says.
func fromFile(f *scenario.LoadTarget) (t *Target, err error) {
	t = &Target{client: f.Application, secret: f.Secret, registered: f.Registered}
	var names []string
	for _, h := range f.Hosts {
		t.hosts = append(t.hosts, host{strings.ToLower(h.Name), vnet.Forward{TLS: h.Address}})
		names = append(names, h.Name+" at "+h.Address)
	}
	t.name = strings.Join(names, ", ")
	if f.CA != "" {
		if t.ca, err = readCertificates("load.target.ca", f.CA); err != nil {
			return nil, err
		}
	}
	if f.Trust != "" {
		if t.trust, err = readCertificates("load.target.trust", f.Trust); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// pattern checks a name, *.suffix or *.
func pattern(name string) error {
	rest := strings.TrimPrefix(name, "*.")
	if name == "*" {
		return nil
	}
	if rest == "" || strings.ContainsAny(rest, "*/: ") || strings.HasPrefix(rest, ".") {
		return fmt.Errorf("%q is no host name; write NAME=HOST:PORT with a name, *.suffix or *", name)
	}
	return nil
}

// address checks HOST:PORT.
func address(at string) error {
	name, port, err := net.SplitHostPort(at)
	if err != nil || name == "" {
		return fmt.Errorf("%q is no address; write HOST:PORT", at)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q: %q is no port", at, port)
	}
	return nil
}

// loopback refuses other machines without their owner's word.
func (t *Target) loopback(owned, flagged bool) error {
	for _, h := range t.hosts {
		for _, at := range []string{h.TLS, h.HTTP} {
			if at == "" {
				continue
			}
			name, _, _ := net.SplitHostPort(at)
			if ip := net.ParseIP(name); name == "localhost" || ip != nil && ip.IsLoopback() {
				continue
			}
			if !flagged {
				return inputError("load.target: %s is not this machine. A file alone must not send load to others: name it with --target as well, and say --i-own-this-target", at)
			}
			if !owned {
				return inputError("--target: %s is not this machine. Load on a service is an attack on it unless its owner has ordered it, and Microsoft's own services are nobody's to test: if this one is yours, say --i-own-this-target", at)
			}
		}
	}
	return nil
}
