package vnet

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"time"
)

// tunnel is a client's connection behind a CONNECT. What it sent too early is read first.
type tunnel struct {
	net.Conn
	early  *bufio.Reader
	target string // normalised, without port
}

func (t *tunnel) Read(p []byte) (int, error) {
	if t.early != nil {
		if t.early.Buffered() > 0 {
			return t.early.Read(p)
		}
		t.early = nil
	}
	return t.Conn.Read(p)
}

// serveProxy answers CONNECT (RFC 9110 9.3.6) and requests in absolute form (RFC 9112 3.2.2).
func (g *Gateway) serveProxy(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		g.connect(w, r)
		return
	}
	switch {
	case r.URL.Host == "":
		http.Error(w, "This is the proxy of a Windtunnel simulation: name it in HTTPS_PROXY and HTTP_PROXY.", http.StatusBadRequest)
	case r.URL.Scheme != "http":
		http.Error(w, "This proxy takes "+r.URL.Scheme+" requests through CONNECT only.", http.StatusBadRequest)
	case r.URL.Port() != "" && r.URL.Port() != "80", g.network.Load().serviceFor(normalName(r.URL.Hostname())) == nil:
		g.forbid(w, r, r.URL.Host)
	default:
		r.Host = r.URL.Host
		r.URL.Scheme, r.URL.Host = "", ""
		r.RequestURI = r.URL.RequestURI()
		r.Header.Del("Proxy-Connection")
		r.Header.Del("Proxy-Authorization")
		g.serve(w, r, normalName(hostOnly(r.Host)))
	}
}

// connect makes a client's connection one of the TLS listener, or of the plain one, if it is for a name that is served.
func (g *Gateway) connect(w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.Host)
	name := normalName(host)
	if err != nil || port != "443" && port != "80" || g.network.Load().serviceFor(name) == nil {
		g.forbid(w, r, r.Host)
		return
	}
	conn, early, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "CONNECT needs HTTP/1.1", http.StatusHTTPVersionNotSupported)
		return
	}
	_ = conn.SetDeadline(time.Time{}) // a connection that is gone says so at the next write
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		conn.Close()
		return
	}
	to := g.tunnelled
	if port == "80" {
		to = g.unsecured
	}
	to.give(&tunnel{Conn: conn, early: early.Reader, target: name})
}

// forbid refuses what is not simulated, and says so: nothing of a client that is pointed here may reach the real services.
func (g *Gateway) forbid(w http.ResponseWriter, r *http.Request, target string) {
	g.refused(r.Method, "proxy serves the name", "403", target)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, "This is the proxy of a Windtunnel simulation. It serves simulated names at ports 443 and 80 only, and %q is none of them. It never connects to the real internet.\n", shortened(target))
}

// hostOnly takes a port off.
func hostOnly(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}
