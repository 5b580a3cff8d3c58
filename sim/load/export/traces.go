package export

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"windtunnel.test/sim/load/figure"
)

// Options of traces.
type Options struct {
	// Endpoint is the collector: http://127.0.0.1:4318. Without a path it is
	// /v1/traces, as the OTLP specification has it.
	Endpoint string
	// Share of arrivals that are traced, by their number; 0: all.
	Share float64
	// PerSecond is how many arrivals of one second are traced at most; 0: 100,
	// negative: any number. The others of that second are left out.
	PerSecond int
	// Queue is how many arrivals may wait for the collector; 0: 2048. What comes
	// while it is full is dropped.
	Queue int
	// Told gets the collector's first error, once; nil: nobody.
	Told func(error)

	Scenario, Build string
	Seed            uint64
}

// Counts are what became of arrivals.
type Counts struct {
	Sent    int64 // the collector took them
	LeftOut int64 // not in the sample
	Dropped int64 // the queue was full, or the time at the end was over
	Failed  int64 // the collector did not take them
}

// String says it in words: "1200 traces sent, 48000 left out of the sample".
func (c Counts) String() string {
	text := fmt.Sprintf("%d traces sent", c.Sent)
	for _, part := range []struct {
		n    int64
		what string
	}{{c.LeftOut, "left out of the sample"}, {c.Dropped, "dropped because the collector was too slow"}, {c.Failed, "not taken by the collector"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// Traces sends arrivals to an OpenTelemetry collector.
type Traces struct {
	o        Options
	exporter sdk.SpanExporter
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	queue    chan *figure.Arrival // nil: send what there is
	stop     chan struct{}        // closed at the end
	stopping sync.Once
	done     chan struct{}
	ctx      context.Context // of exports; ends when the time at the end is over
	cancel   context.CancelFunc

	sent, leftOut, dropped, failed atomic.Int64

	mu     sync.Mutex
	second int64 // the one that taken counts
	taken  int

	batch   []sdk.ReadOnlySpan // these are the worker's
	pending int64              // arrivals in it
	told    bool
}

// Limits of a collector's time.
const (
	batchSpans  = 512
	oneExport   = 10 * time.Second
	maxRetrying = 5 * time.Second
)

// Trace begins to send. Nothing is sent before an arrival comes: a collector
// that isn't there is told by Options.Told. Close must be called.
func Trace(ctx context.Context, o Options) (*Traces, error) {
	endpoint, err := collector(o.Endpoint)
	if err != nil {
		return nil, err
	}
	if o.Share < 0 || o.Share > 1 {
		return nil, fmt.Errorf("otlp: %v is no share of arrivals; it is from 0 to 1", o.Share)
	}
	if o.PerSecond == 0 {
		o.PerSecond = 100
	}
	if o.Queue == 0 {
		o.Queue = 2048
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithTimeout(oneExport),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: 2 * time.Second, MaxElapsedTime: maxRetrying}))
	if err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	t := &Traces{o: o, exporter: exporter, queue: make(chan *figure.Arrival, o.Queue), stop: make(chan struct{}), done: make(chan struct{})}
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	t.provider = sdk.NewTracerProvider(sdk.WithSpanProcessor(collected{t}), sdk.WithSampler(sdk.AlwaysSample()), sdk.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "windtunnel-load"), attribute.String("service.version", o.Build),
		attribute.String("windtunnel.scenario", o.Scenario), attribute.String("windtunnel.seed", fmt.Sprint(o.Seed)))))
	t.tracer = t.provider.Tracer("windtunnel.test/sim/load")
	go t.work()
	return t, nil
}

// collector is the URL that traces go to.
func collector(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("otlp: %q is no collector's URL, such as http://127.0.0.1:4318", endpoint)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces" // opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Request"
	}
	return u.String(), nil
}

// Arrival takes one that has ended. It never waits, and may be called from
// anywhere; the arrival's steps must not be changed afterwards.
func (t *Traces) Arrival(a figure.Arrival) {
	if !t.sampled(a) {
		t.leftOut.Add(1)
		return
	}
	select {
	case t.queue <- &a:
	default:
		t.dropped.Add(1)
	}
}

// Second has what there is sent; call it each second.
func (t *Traces) Second(figure.Second) {
	select {
	case t.queue <- nil:
	default: // it is busy sending
	}
}

// sampled tells whether an arrival is traced.
func (t *Traces) sampled(a figure.Arrival) bool {
	if t.o.Share > 0 && t.o.Share < 1 && float64(scattered(uint64(a.N))>>11)/(1<<53) >= t.o.Share {
		return false
	}
	if t.o.PerSecond < 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := a.Ended.Unix(); now > t.second {
		t.second, t.taken = now, 0
	}
	t.taken++
	return t.taken <= t.o.PerSecond
}

// scattered is SplitMix64's output function: neighbouring numbers give values
// that have nothing to do with each other.
func scattered(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// Counts tells what became of arrivals so far.
func (t *Traces) Counts() Counts {
	return Counts{Sent: t.sent.Load(), LeftOut: t.leftOut.Load(), Dropped: t.dropped.Load(), Failed: t.failed.Load()}
}

// Close sends what waits, until ctx ends; what is left then is dropped. No
// arrival may come afterwards.
func (t *Traces) Close(ctx context.Context) (Counts, error) {
	t.stopping.Do(func() { close(t.stop) })
	select {
	case <-t.done:
	case <-ctx.Done():
		t.cancel()
		<-t.done
	}
	t.cancel()
	err := errors.Join(t.provider.Shutdown(ctx), t.exporter.Shutdown(context.WithoutCancel(ctx)))
	return t.Counts(), err
}
