package enrollee

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Handlers sends straight to handlers, by host name; names may be "*.suffix".
func Handlers(byHost map[string]http.Handler) Send {
	return func(m Message) (int, []byte, error) {
		r := httptest.NewRequest(m.Method, m.URL, bytes.NewReader(m.Body))
		for name, value := range m.Header {
			r.Header.Set(name, value)
		}
		h := byHost[r.URL.Host]
		if h == nil {
			_, suffix, _ := strings.Cut(r.URL.Host, ".")
			if h = byHost["*."+suffix]; h == nil {
				return 0, nil, fmt.Errorf("no handler for %s", r.URL.Host)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.Bytes(), nil
	}
}

// Dial sends over TCP and TLS to one address, whatever the name. Messages go
// over one connection as long as that lasts; hangUp ends it. identity, if not
// nil, is shown to who asks for a client certificate.
func Dial(address string, roots *x509.CertPool, identity *tls.Certificate) (send Send, hangUp func()) {
	config := &tls.Config{RootCAs: roots}
	if identity != nil {
		config.Certificates = []tls.Certificate{*identity}
	}
	t := &http.Transport{
		TLSClientConfig: config,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address)
		},
	}
	client := &http.Client{Transport: t}
	return func(m Message) (int, []byte, error) {
		r, err := http.NewRequest(m.Method, m.URL, bytes.NewReader(m.Body))
		if err != nil {
			return 0, nil, err
		}
		for name, value := range m.Header {
			r.Header.Set(name, value)
		}
		resp, err := client.Do(r)
		if err != nil {
			return 0, nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, body, err
	}, t.CloseIdleConnections
}
