package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/hosts"
)

// probeLimit is how long a target may take over one look at it.
const probeLimit = 10 * time.Second

// probes are what is looked at: a name, what to ask, and what shows that it is
// such a service. Names that stay in this process are not.
var probes = []struct {
	name, path string
	is         string // the service in words
	shows      func(status int, body string) bool
}{
	{hosts.Login, "/common/v2.0/.well-known/openid-configuration", "Entra ID's sign-in", func(s int, b string) bool { return s == http.StatusOK && strings.Contains(b, "token_endpoint") }},
	{"probe.microsoftaik.azure.net", "/", "the attestation service", answers},
	{hosts.Graph, "/v1.0/users", "Microsoft Graph", func(s int, _ string) bool { return s == http.StatusUnauthorized }},
}

// answers is enough for a service that tells strangers nothing: it speaks HTTP.
func answers(status int, _ string) bool { return status < 500 || status == http.StatusNotImplemented }

// Check looks at the target before the load: whether somebody answers, with a
// certificate that holds now, and whether that is such a service. Nothing is
// asked of it that costs it anything.
func (t *Target) Check(ctx context.Context) error {
	if t == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, p := range probes {
		h := t.find(p.name)
		if h == nil {
			continue
		}
		seen[h.pattern] = true
		if err := t.probe(ctx, h.TLS, p.name, p.path, p.is, p.shows); err != nil {
			return err
		}
	}
	for _, h := range t.hosts {
		if seen[h.pattern] || h.TLS == "" {
			continue
		}
		name := strings.TrimPrefix(h.pattern, "*.")
		if strings.HasPrefix(h.pattern, "*.") {
			name = "probe." + name
		}
		if err := t.probe(ctx, h.TLS, name, "/", "a service", answers); err != nil {
			return err
		}
	}
	return nil
}

func (t *Target) probe(ctx context.Context, at, name, path, is string, shows func(int, string) bool) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var roots *x509.CertPool
	if len(t.ca) > 0 {
		roots = x509.NewCertPool()
		for _, c := range t.ca {
			roots.AddCert(c)
		}
	}
	dialer := net.Dialer{}
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", at) },
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: name, Time: vclock.RealNow},
		DisableKeepAlives: true,
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+name+path, nil)
	if err != nil {
		return inputError("target %s: %w", at, err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
			return t.whyNot(at, name, err)
		}
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return inputError("target %s: the answer for %s breaks off: %w", at, name, err)
	}
	if !shows(resp.StatusCode, string(body)) {
		return inputError("target %s: %s is not %s: it answers HTTP %d to GET %s", at, name, is, resp.StatusCode, path)
	}
	return nil
}

// whyNot says what is wrong with a target, and what to do.
func (t *Target) whyNot(at, name string, err error) error {
	var (
		invalid  x509.CertificateInvalidError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		noTLS    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return inputError("target %s: a certificate that it shows for %s, %q, was good from %s to %s: renew it", at, name, invalid.Cert.Subject.CommonName,
			invalid.Cert.NotBefore.UTC().Format(time.DateTime), invalid.Cert.NotAfter.UTC().Format(time.DateTime))
	case errors.As(err, &unknown):
		for _, c := range t.ca {
			if vclock.RealNow().After(c.NotAfter) {
				return inputError("target %s: the authority %q of --ca was good until %s: %w", at, c.Subject.CommonName, c.NotAfter.UTC().Format(time.DateTime), err)
			}
		}
		return inputError("target %s: its certificate for %s is from an authority that is not trusted here; name the authority's file with --ca: %w", at, name, err)
	case errors.As(err, &hostname):
		return inputError("target %s: it does not serve %s: %w", at, name, err)
	case errors.As(err, &noTLS):
		return inputError("target %s: it does not speak TLS: %w", at, err)
	case errors.Is(err, context.DeadlineExceeded):
		return inputError("target %s: no answer for %s within %v", at, name, probeLimit)
	}
	return inputError("target %s: %w", at, fmt.Errorf("%s: %w", name, err))
}
