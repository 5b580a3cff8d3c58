package device

import (
	"net"
	"net/http"
)

// KeyProxy has the proxy that a policy gave the whole PC (NetworkProxy CSP);
// ProxyAddress is "host:port", "" for none.
const KeyProxy = `HKLM\SOFTWARE\Microsoft\PolicyManager\NetworkProxy\ProxyServer`

// proxied are the requests of a Windows that may have been given a proxy. The
// proxy's name is looked up where the PC is; one that is known there lets
// everything through, one that is not lets nothing out (our model: Windows does
// not go round it).
type proxied struct {
	w    *Windows
	next http.RoundTripper
}

func (p proxied) RoundTrip(req *http.Request) (*http.Response, error) {
	if address := p.w.Registry().String(KeyProxy, "ProxyAddress"); address != "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		if _, err := p.w.NIC.Lookup(req.Context(), host); err != nil {
			return nil, err
		}
	}
	return p.next.RoundTrip(req)
}

// CloseIdleConnections is what http.Client calls.
func (p proxied) CloseIdleConnections() {
	if c, ok := p.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
