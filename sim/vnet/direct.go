package vnet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// directHome calls handlers on the caller's own goroutine, so that what waits in a handler waits in the caller.
type directHome struct{ n *Network }

// connect verifies what a TLS handshake would: the service's chain against the device's roots and clock, and the device's
// key against its certificate.
func (d directHome) connect(ctx context.Context, c *conn) error {
	if c.id == nil {
		return nil
	}
	if err := d.n.verifyChain(c); err != nil {
		return err
	}
	c.clientState = &tls.ConnectionState{
		Version: c.version(), HandshakeComplete: true, ServerName: c.key.host, PeerCertificates: c.id.chain,
	}
	c.serverState = &tls.ConnectionState{Version: c.version(), HandshakeComplete: true, ServerName: c.key.host}
	if c.cert == nil {
		if c.service.mode == RequireClientCert && c.id.passes {
			return remoteAlert(c.missingCertAlert())
		}
		return nil
	}
	if err := d.n.proveKey(ctx, c); err != nil {
		return err
	}
	c.serverState.PeerCertificates = append([]*x509.Certificate{c.cert.Cert}, c.cert.Chain...)
	return nil
}

// carry runs the handler.
func (d directHome) carry(ctx context.Context, c *conn, out *outgoing) (*answer, error) {
	r := serverRequest(withDevice(ctx, c.nic.o.Device), c, out)
	ans := runHandler(c.service.handler, r, d.n.clock.Now())
	if ans == nil {
		return nil, reset("read", c)
	}
	return ans, nil
}

// runHandler gives the handler's answer, nil when it broke off. That is the panic http.ErrAbortHandler; any other one is a
// defect and surfaces in the actor.
func runHandler(h http.Handler, r *http.Request, now time.Time) (ans *answer) {
	rec := newRecorder(now)
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
				panic(p)
			}
			ans = nil
		}
	}()
	h.ServeHTTP(rec, r)
	return rec.finish(r.Method)
}

func (directHome) drop(*conn) {}

// serverRequest is the client's request as net/http's server would have parsed it.
func serverRequest(ctx context.Context, c *conn, out *outgoing) *http.Request {
	u := out.req.URL
	r := new(http.Request).WithContext(ctx)
	r.Method, r.Proto, r.ProtoMajor, r.ProtoMinor = method(out.req), "HTTP/1.1", 1, 1
	r.URL = &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery}
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	r.RequestURI = u.RequestURI()
	r.Host = out.req.Host
	if r.Host == "" {
		r.Host = u.Host
	}
	r.Header = out.header
	dropHopByHop(r.Header)
	r.RemoteAddr, r.TLS = c.local, c.serverState
	r.Body = http.NoBody
	if n := len(out.body); n > 0 || announcesLength(r.Method) {
		r.Header["Content-Length"] = []string{strconv.Itoa(n)}
	}
	if n := len(out.body); n > 0 {
		r.ContentLength = int64(n)
		r.Body = io.NopCloser(bytes.NewReader(out.body))
	}
	return r
}

// announcesLength names the methods with which a client states even an empty body's length (RFC 9110 8.6).
func announcesLength(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

type deviceKey struct{}

func withDevice(ctx context.Context, device string) context.Context {
	return context.WithValue(ctx, deviceKey{}, device)
}

// DeviceOf names the device whose request a handler serves, for the journal. A service must not decide anything by it:
// on the wire nobody says who they are.
func DeviceOf(ctx context.Context) string {
	name, _ := ctx.Value(deviceKey{}).(string)
	return name
}

// PeerCertificates are the certificates that the caller proved itself with, its own first; nil when there are none. The
// caller holds the first one's key; who issued it is for the service to verify.
func PeerCertificates(r *http.Request) []*x509.Certificate {
	if r.TLS == nil {
		return nil
	}
	return r.TLS.PeerCertificates
}
