package vnet

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// ClientOptions say how a client behaves.
type ClientOptions struct {
	Certificate *ClientCertificate // shown to services that ask for one; nil: none
	Timeout     time.Duration      // of one exchange, in virtual time; 0: none
	UserAgent   string             // where a request has none of its own; "" sends none
}

// ClientCertificate is what a device proves itself with in TLS.
type ClientCertificate struct {
	Cert  *x509.Certificate
	Chain []*x509.Certificate // sent after Cert; may be empty
	// Signer holds Cert's key. RSA keys sign PKCS #1 v1.5 and ECDSA keys ASN.1, both over SHA-256.
	Signer crypto.Signer
	// SignerFor, where it is not nil, takes Signer's place: it binds the key to the context of the request that needs the
	// signature, because a key in a TPM spends its actor's time. In every home it is that actor who signs.
	SignerFor func(ctx context.Context) crypto.Signer
}

func (c *ClientCertificate) signer(ctx context.Context) crypto.Signer {
	if c.SignerFor != nil {
		return c.SignerFor(ctx)
	}
	return c.Signer
}

// Client makes an http.Client over this card. Clients of one card share its connections where their certificate is the
// same. The client's own Timeout and the deadlines of package context are real time: use [ClientOptions] and
// vclock.Clock.WithTimeout. Every request is numbered, offered to the fault rules and journaled as `http.request`.
func (nic *NIC) Client(o ClientOptions) *http.Client {
	return &http.Client{Transport: &transport{nic: nic, o: o}}
}

type transport struct {
	nic *NIC
	o   ClientOptions
}

// CloseIdleConnections is what http.Client calls.
func (t *transport) CloseIdleConnections() { t.nic.CloseIdle() }

// RoundTrip is one exchange: numbered, judged by the fault rules, carried, journaled.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	out, err := t.prepare(req)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	if t.o.Timeout > 0 {
		timed, cancel := t.nic.n.clock.WithTimeout(ctx, t.o.Timeout, errClientTimeout)
		defer cancel()
		ctx = timed
	}
	var begin time.Time
	if t.nic.n.o.Exchanged != nil {
		begin = t.nic.n.clock.Now()
	}
	ans, err := t.nic.exchange(ctx, out)
	if t.nic.n.o.Exchanged != nil {
		t.nic.observed(begin, out, ans, err)
	}
	t.nic.report(out, ans, err)
	if err != nil {
		return nil, err
	}
	resp := ans.response(req)
	if out.service == nil || out.service.address(out.secure) == "" { // else it was read so already
		resp.Body = t.nic.n.slowed(req.Context(), resp.Body)
	}
	return resp, nil
}

// outgoing is a request on its way.
type outgoing struct {
	req       *http.Request
	body      []byte
	header    http.Header
	secure    bool
	host      string // normalised, without port
	port      uint16
	cert      *ClientCertificate
	service   *service // nil until resolved, or where no service has that name
	operation string
	n         int
	action    fault.Action
}

// prepare reads the body, since what travels travels whole, and copies the header, since a RoundTripper must not change
// the caller's.
func (t *transport) prepare(req *http.Request) (*outgoing, error) {
	out := &outgoing{req: req, cert: t.o.Certificate, secure: req.URL.Scheme == "https", port: 80}
	if out.secure {
		out.port = 443
	}
	body, err := readBody(req)
	if err != nil {
		return nil, fmt.Errorf("vnet: read request body: %w", err)
	}
	out.body = body
	if !out.secure && req.URL.Scheme != "http" {
		return nil, fmt.Errorf("vnet: unsupported protocol scheme %q", req.URL.Scheme)
	}
	out.host = normalName(req.URL.Hostname())
	if p := req.URL.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("vnet: port of %q: %w", req.URL.Host, err)
		}
		out.port = uint16(n)
	}
	out.header = make(http.Header, len(req.Header)+3)
	for k, v := range req.Header {
		out.header[http.CanonicalHeaderKey(k)] = v
	}
	if req.Close {
		out.header["Connection"] = []string{"close"}
	}
	if _, ok := out.header["User-Agent"]; !ok && t.o.UserAgent != "" {
		out.header["User-Agent"] = []string{t.o.UserAgent}
	}
	out.n = t.nic.next()
	if h := t.nic.n.find(out.host); h != nil {
		out.service = t.nic.n.serviceAt(h)
	}
	out.operation = out.service.operationOf(req)
	return out, nil
}

func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer req.Body.Close()
	var b bytes.Buffer
	if req.ContentLength > 0 {
		b.Grow(int(req.ContentLength) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(req.Body); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// report journals one exchange: results, and nothing that a library drew at random. Sizes are outside the hash, because a
// signature somewhere in a body may vary in length. A service that breaks the handshake off over a client certificate
// never sees a request that it could refuse itself.
func (nic *NIC) report(out *outgoing, ans *answer, err error) {
	j := nic.n.o.Journal
	if j == nil {
		return
	}
	f := make([]journal.Field, 0, 8)
	f = append(f, journal.F("host", out.host), journal.F("operation", out.operation), journal.F("method", method(out.req)), journal.F("n", out.n))
	if err != nil {
		code := ErrorCode(err)
		f = append(f, journal.F("status", 0))
		if code != hresult.OK {
			f = append(f, journal.F("code", code.Hex()))
		}
		f = append(f, journal.Loose("error", err.Error()))
	} else {
		f = append(f, journal.F("status", ans.status), journal.Loose("received", len(ans.body)))
	}
	f = append(f, journal.Loose("sent", len(out.body)))
	j.Record(nic.o.Device, "http.request", f...)
	var op *net.OpError
	if out.cert != nil && errors.As(err, &op) && op.Op == remoteError {
		j.Record(nic.o.Device, journal.Refused, journal.F("service", out.host), journal.F("operation", out.operation),
			journal.F("check", "TLS client certificate"), journal.F("code", ErrorCode(err).Hex()))
	}
}

func method(r *http.Request) string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// answer is what a service answered.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    bool // the body breaks off before its announced length
	tls    *tls.ConnectionState
}

// response is the answer as net/http's client would give it.
func (a *answer) response(req *http.Request) *http.Response {
	r := &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, ContentLength: int64(len(a.body)), Request: req, TLS: a.tls,
	}
	if method(req) == http.MethodHead || len(a.body) == 0 && !a.cut {
		r.Body = http.NoBody
		return r
	}
	if !a.cut {
		r.Body = &wholeBody{r: *bytes.NewReader(a.body)}
		return r
	}
	if n, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil {
		r.ContentLength = n
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(a.body), brokenOff{}))
	return r
}

// wholeBody is a body in memory.
type wholeBody struct{ r bytes.Reader }

func (b *wholeBody) Read(p []byte) (int, error)         { return b.r.Read(p) }
func (b *wholeBody) WriteTo(w io.Writer) (int64, error) { return b.r.WriteTo(w) }
func (b *wholeBody) Close() error                       { return nil }

// brokenOff ends a truncated body as net/http does.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func tcpAddr(a netip.Addr, port uint16) *net.TCPAddr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, port))
}
