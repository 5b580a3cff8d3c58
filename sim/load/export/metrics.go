package export

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"windtunnel.test/sim/load/figure"
)

// What a registry may grow to, whatever a target answers: names beyond are
// counted as figure.Other.
const (
	maxNames = 256
	maxKinds = 64 // of outcomes
)

// metrics are what is scraped.
type metrics struct {
	registry *prometheus.Registry

	scope, step      *prometheus.HistogramVec
	arrivals, steps  *prometheus.CounterVec
	refused          *prometheus.CounterVec
	dropped          prometheus.Counter
	sent, received   prometheus.Counter
	asked, inFlight  prometheus.Gauge
	waiting, free    prometheus.Gauge
	lag, cpu, engine prometheus.Gauge
	queue, heap      prometheus.Gauge

	mu     sync.Mutex
	names  map[string]bool
	kinds  map[string]bool
	starts [2]string // of figure.Kind
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), names: map[string]bool{}, kinds: map[string]bool{}, starts: [2]string{figure.Intended.String(), figure.Real.String()}}
	m.scope = m.histogram("scope_duration_seconds", "Latency of arrivals of honest devices, from their intended and from their real start.", "scope", "start")
	m.step = m.histogram("step_duration_seconds", "Time that steps of honest devices took.", "scope", "step")
	m.arrivals = m.counters("arrivals_total", "Arrivals that ended, by outcome (ok, a HRESULT or an HTTP status) and kind of misbehaviour (empty: honest).", "scope", "outcome", "bad")
	m.steps = m.counters("steps_total", "Steps that ended, by outcome.", "scope", "step", "outcome")
	m.refused = m.counters("refused_total", "Arrivals of misbehaving devices that were refused, as they must be.", "scope", "bad")
	m.dropped = m.counter("dropped_total", "Arrivals that could not begin because no device was free in time.")
	m.sent = m.counter("sent_bytes_total", "Bytes of request bodies.")
	m.received = m.counter("received_bytes_total", "Bytes of response bodies.")
	m.asked = m.gauge("asked_rate", "Arrivals a second that the load asks for.")
	m.inFlight = m.gauge("in_flight", "Arrivals under way.")
	m.waiting = m.gauge("waiting", "Arrivals that wait for a device.")
	m.free = m.gauge("free_devices", "Devices that stand ready.")
	m.lag = m.gauge("lag_seconds", "The worst delay of a real start after the intended one in the last second.")
	m.cpu = m.gauge("cpu_cores", "Cores that this process used in the last second.")
	m.engine = m.gauge("tpm_engine_cores", "Cores that TPM engines used in the last second.")
	m.queue = m.gauge("tpm_queue", "TPM commands that wait for an engine.")
	m.heap = m.gauge("heap_bytes", "Heap of this process.")
	return m
}

func (m *metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "windtunnel", Subsystem: "load", Name: name, Help: help,
		NativeHistogramBucketFactor:     1.1, // quantiles within 5%
		NativeHistogramMaxBucketNumber:  200,
		NativeHistogramMinResetDuration: time.Hour,
	}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "windtunnel", Subsystem: "load", Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "windtunnel", Subsystem: "load", Name: name, Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *metrics) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "windtunnel", Subsystem: "load", Name: name, Help: help})
	m.registry.MustRegister(g)
	return g
}

func (m *metrics) arrival(a figure.Arrival) {
	if a.Warm {
		return
	}
	scope := m.bounded(m.names, maxNames, a.Scope)
	m.arrivals.WithLabelValues(scope, m.bounded(m.kinds, maxKinds, a.Outcome.Class()), a.Bad).Inc()
	if a.Refused {
		m.refused.WithLabelValues(scope, a.Bad).Inc()
	}
	if a.Bad == "" {
		m.scope.WithLabelValues(scope, m.starts[figure.Intended]).Observe(a.Ended.Sub(a.Intended).Seconds())
		m.scope.WithLabelValues(scope, m.starts[figure.Real]).Observe(a.Ended.Sub(a.Started).Seconds())
	}
	for _, s := range a.Steps {
		name := m.bounded(m.names, maxNames, s.Name)
		m.steps.WithLabelValues(scope, name, m.bounded(m.kinds, maxKinds, s.Outcome.Class())).Inc()
		if a.Bad == "" {
			m.step.WithLabelValues(scope, name).Observe(s.End.Sub(s.Begin).Seconds())
		}
		m.sent.Add(float64(s.Sent))
		m.received.Add(float64(s.Received))
	}
}

// bounded is a label's value, or figure.Other once there are too many.
func (m *metrics) bounded(seen map[string]bool, most int, value string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case seen[value]:
	case len(seen) >= most:
		return figure.Other
	default:
		seen[value] = true
	}
	return value
}

func (m *metrics) second(s figure.Second) {
	m.dropped.Add(float64(s.Dropped))
	m.asked.Set(s.Target)
	m.inFlight.Set(float64(s.InFlight))
	m.waiting.Set(float64(s.Waiting))
	m.free.Set(float64(s.Free))
	m.lag.Set(s.Lag.Seconds())
	m.cpu.Set(s.CPU)
	m.engine.Set(s.EngineBusy)
	m.queue.Set(float64(s.Queue))
	m.heap.Set(float64(s.Heap))
}
