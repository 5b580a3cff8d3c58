package export

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"windtunnel.test/sim/load/figure"
)

// Prometheus is an endpoint that Prometheus scrapes, at /metrics.
type Prometheus struct {
	metrics *metrics
	server  *http.Server
	address string
	done    chan error
}

// Listen opens the endpoint at HOST:PORT; port 0 takes a free one. The host
// must be a loopback address: the figures name devices' services and are not for
// the network. What a load does is given to it by [Prometheus.Arrival] and
// [Prometheus.Second].
func Listen(address string) (*Prometheus, error) {
	if err := loopback(address); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	m := newMetrics()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	p := &Prometheus{
		metrics: m,
		server:  &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second},
		address: l.Addr().String(),
		done:    make(chan error, 1),
	}
	go func() { p.done <- p.server.Serve(l) }()
	return p, nil
}

// loopback looks whether an address is one of this machine alone.
func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("prometheus: %q is no HOST:PORT, such as 127.0.0.1:9464: %w", address, err)
	}
	if host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.Unmap().IsLoopback() {
		return fmt.Errorf("prometheus: %q is not a loopback address; the endpoint has no password, so it opens only where this machine alone reaches it: 127.0.0.1:9464", host)
	}
	return nil
}

// URL is what to scrape.
func (p *Prometheus) URL() string { return "http://" + p.address + "/metrics" }

// Arrival counts one that has ended. It may be called from anywhere.
func (p *Prometheus) Arrival(a figure.Arrival) { p.metrics.arrival(a) }

// Second takes the gauges of a second that has ended.
func (p *Prometheus) Second(s figure.Second) { p.metrics.second(s) }

// Close lets scrapes that are under way end, until ctx does.
func (p *Prometheus) Close(ctx context.Context) error {
	err := p.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, p.server.Close())
	}
	if served := <-p.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
