package device

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vnet"
)

// HTTP gives the client that parts of Windows use when no client certificate
// is called for. Requests must carry w.Ctx or a context below it.
func (w *Windows) HTTP() *http.Client {
	return w.client("", vnet.ClientOptions{UserAgent: "Windows-AutoPilot-Client"})
}

// HTTPWith gives a client that proves itself by a certificate of the store and
// its key in the TPM.
func (w *Windows) HTTPWith(cert Certificate) (*http.Client, error) {
	parsed, err := cert.Parse()
	if err != nil {
		return nil, err
	}
	key, err := w.Key(w.Ctx, cert.Container)
	if err != nil {
		return nil, err
	}
	return w.client(cert.Name+parsed.SerialNumber.String(), vnet.ClientOptions{
		Certificate: &vnet.ClientCertificate{Cert: parsed, Signer: key.In(w.Ctx), SignerFor: func(ctx context.Context) crypto.Signer { return key.In(ctx) }},
	}), nil
}

func (w *Windows) client(name string, o vnet.ClientOptions) *http.Client {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	c := w.clients[name]
	if c == nil {
		c = w.NewClient(o)
		w.clients[name] = c
	}
	return c
}

// NewClient makes a client with the patience of Windows' HTTP stack, for parts
// that bring a certificate of their own.
func (w *Windows) NewClient(o vnet.ClientOptions) *http.Client {
	n := w.Timing.Network
	o.Timeout = n.ConnectTimeout + n.SendTimeout + n.ReceiveTimeout
	c := w.NIC.Client(o)
	c.Transport = proxied{w, c.Transport}
	return c
}

// Request is one HTTP request of Windows. A nil Client is HTTP's.
type Request struct {
	Op     string // for errors: "download Autopilot profile"
	Client *http.Client
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Make fills in what belongs to one attempt, before each: a request with a
	// time or a nonce in it may have to wait for longer than those are good.
	// nil sends the request as it stands.
	Make func(*Request) error
}

// Fresh is a Make for a request whose body is made anew.
func Fresh(encode func() ([]byte, error)) func(*Request) error {
	return func(r *Request) (err error) {
		r.Body, err = encode()
		return err
	}
}

// Response is a whole answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// maxAnswer bounds what Windows reads of one answer, in bytes.
const maxAnswer = 4 << 20

var errTooLong = errors.New("the answer is longer than Windows reads")

// Do sends a request and reads the answer. A server that says 429 or 503 and
// when to come back is asked again then, however often; one that names no time
// so often as the timing profile allows, and its last answer is given back like
// any other. The error of an exchange that did not come about is a
// *hresult.Error with the code that WinHTTP would give.
func (w *Windows) Do(r Request) (*Response, error) {
	for attempt := 0; ; {
		if r.Make != nil {
			if err := r.Make(&r); err != nil {
				return nil, err
			}
		}
		resp, err := w.once(r)
		if err != nil {
			return nil, hresult.New(r.Op, transportCode(err), err)
		}
		busy := resp.Status == http.StatusTooManyRequests || resp.Status == http.StatusServiceUnavailable
		if !busy || attempt >= w.Timing.Network.RetryAttempts {
			return resp, nil
		}
		wait, named := w.retryAfter(resp.Header)
		if !named {
			attempt++
		}
		if err := w.Sleep(wait, "Retry-After of "+r.Op); err != nil {
			return nil, hresult.New(r.Op, hresult.InternetAborted, err)
		}
	}
}

// transportCode is the code of an exchange that did not come about, for
// whatever reason: never that of success.
func transportCode(err error) hresult.Code {
	var bad *url.Error
	switch code := vnet.ErrorCode(err); {
	case code != hresult.OK:
		return code
	case errors.As(err, &bad) && bad.Op == "parse":
		return hresult.InternetInvalidURL
	case errors.Is(err, errTooLong):
		return hresult.InvalidData
	}
	return hresult.InternetAborted
}

func (w *Windows) once(r Request) (*Response, error) {
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(w.Ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	client := r.Client
	if client == nil {
		client = w.HTTP()
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := readAnswer(resp)
	if err != nil {
		return nil, err
	}
	if len(b) > maxAnswer {
		return nil, fmt.Errorf("%s: %w", req.Host, errTooLong)
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: b}, nil
}

// readAnswer reads a body, one byte more than is let through at most. Most say
// how long they are.
func readAnswer(resp *http.Response) ([]byte, error) {
	if resp.ContentLength < 0 || resp.ContentLength > maxAnswer {
		return io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	}
	b := bytes.NewBuffer(make([]byte, 0, resp.ContentLength+bytes.MinRead))
	_, err := b.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	return b.Bytes(), err
}

// retryAfter reads the header in both its forms (RFC 9110, 10.2.3) and tells
// whether it names a time to come.
func (w *Windows) retryAfter(h http.Header) (wait time.Duration, named bool) {
	v := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, seconds > 0
	}
	if at, err := http.ParseTime(v); err == nil {
		wait = max(0, at.Sub(w.Now()))
		return wait, wait > 0
	}
	return w.Timing.Network.RetryAfter, false
}
