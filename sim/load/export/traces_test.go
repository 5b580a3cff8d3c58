package export_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"windtunnel.test/sim/load/export"
	"windtunnel.test/sim/load/figure"
)

// collector takes traces as an OpenTelemetry collector does.
type collector struct {
	*httptest.Server
	status int           // answered; 0: 200
	hold   chan struct{} // answers wait until it is closed; nil: they don't

	mu       sync.Mutex
	requests int
	service  string
	spans    []*tracepb.Span
}

func collecting(t *testing.T, c *collector) *collector {
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-r.Context().Done():
			return
		}
	}
	in, err := read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.requests++
	for _, rs := range in.GetResourceSpans() {
		c.service = attribute(rs.GetResource().GetAttributes(), "service.name").GetStringValue()
		for _, ss := range rs.GetScopeSpans() {
			c.spans = append(c.spans, ss.GetSpans()...)
		}
	}
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-protobuf")
	if c.status != 0 {
		w.WriteHeader(c.status)
	}
}

func read(r *http.Request) (*collectorpb.ExportTraceServiceRequest, error) {
	if r.Method != "POST" || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		return nil, errors.New("not OTLP")
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	in := &collectorpb.ExportTraceServiceRequest{}
	return in, proto.Unmarshal(b, in)
}

func attribute(all []*commonpb.KeyValue, key string) *commonpb.AnyValue {
	for _, kv := range all {
		if kv.GetKey() == key {
			return kv.GetValue()
		}
	}
	return nil
}

func tracing(t *testing.T, o export.Options) *export.Traces {
	t.Helper()
	tr, err := export.Trace(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestCollectorGetsWhatHappened(t *testing.T) {
	g := NewWithT(t)
	c := collecting(t, &collector{})
	tr := tracing(t, export.Options{Endpoint: c.URL, PerSecond: -1, Scenario: "ramp", Seed: 42})
	given := map[string]figure.Arrival{}
	for n := range 40 {
		a := arrival(n)
		switch n % 4 {
		case 1:
			a = failed(n)
		case 2:
			a = wrong(n)
		}
		given[a.Device] = a
		tr.Arrival(a)
	}
	counts, err := tr.Close(context.Background())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(counts).To(Equal(export.Counts{Sent: 40}))
	g.Expect(c.service).To(Equal("windtunnel-load"))
	g.Expect(c.spans).To(HaveLen(3 * 40))

	roots := map[string]figure.Arrival{} // by span
	for _, s := range c.spans {
		if len(s.GetParentSpanId()) > 0 {
			continue
		}
		text := func(key string) string { return attribute(s.GetAttributes(), key).GetStringValue() }
		a, ok := given[text("windtunnel.device")]
		g.Expect(ok).To(BeTrue())
		roots[string(s.GetSpanId())] = a
		g.Expect(s.GetName()).To(Equal("aik"))
		g.Expect(s.GetStartTimeUnixNano()).To(Equal(uint64(a.Intended.UnixNano())))
		g.Expect(s.GetEndTimeUnixNano()).To(Equal(uint64(a.Ended.UnixNano())))
		g.Expect(s.GetEvents()[0].GetName()).To(Equal("started"))
		g.Expect(s.GetEvents()[0].GetTimeUnixNano()).To(Equal(uint64(a.Started.UnixNano())))
		g.Expect(text("windtunnel.scope")).To(Equal(a.Scope))
		g.Expect(text("windtunnel.outcome")).To(Equal(a.Outcome.Class()))
		g.Expect(text("windtunnel.hresult")).To(Equal(a.Outcome.HRESULT))
		g.Expect(text("windtunnel.bad")).To(Equal(a.Bad))
		g.Expect(s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR).To(Equal(!a.Outcome.OK()))
	}
	g.Expect(roots).To(HaveLen(40))
	for _, s := range c.spans {
		if len(s.GetParentSpanId()) == 0 {
			continue
		}
		a := roots[string(s.GetParentSpanId())]
		step := a.Steps[0]
		if s.GetName() == a.Steps[1].Name {
			step = a.Steps[1]
		}
		g.Expect(s.GetName()).To(Equal(step.Name))
		g.Expect(s.GetStartTimeUnixNano()).To(Equal(uint64(step.Begin.UnixNano())))
		g.Expect(s.GetEndTimeUnixNano()).To(Equal(uint64(step.End.UnixNano())))
		g.Expect(s.GetKind()).To(Equal(tracepb.Span_SPAN_KIND_CLIENT))
		g.Expect(attribute(s.GetAttributes(), "http.request.body.size").GetIntValue()).To(Equal(step.Sent))
		g.Expect(attribute(s.GetAttributes(), "http.response.status_code").GetIntValue()).To(Equal(int64(step.Outcome.Status)))
	}
}

func TestSecondSendsWhatThereIs(t *testing.T) {
	c := collecting(t, &collector{})
	tr := tracing(t, export.Options{Endpoint: c.URL})
	tr.Arrival(arrival(0))
	tr.Second(figure.Second{})
	NewWithT(t).Eventually(func() int64 { return tr.Counts().Sent }).Should(Equal(int64(1)))
	if _, err := tr.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestSample(t *testing.T) {
	g := NewWithT(t)
	c := collecting(t, &collector{})
	tr := tracing(t, export.Options{Endpoint: c.URL, Share: 0.25, PerSecond: -1, Queue: 10_000})
	for n := range 4000 {
		tr.Arrival(arrival(n))
	}
	counts, err := tr.Close(context.Background())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(counts.Sent + counts.LeftOut).To(Equal(int64(4000)))
	g.Expect(counts.Sent).To(BeNumerically("~", 1000, 80)) // by number, so always the same

	few := tracing(t, export.Options{Endpoint: c.URL, PerSecond: 3})
	for n := range 100 { // ten seconds and a bit, as the last ones end later
		few.Arrival(arrival(n))
	}
	counts, err = few.Close(context.Background())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(counts.Sent).To(Equal(int64(30)))
	g.Expect(counts.String()).To(Equal("30 traces sent, 70 left out of the sample"))
}

// TestSlowCollector has the queue full: the load is not held up, and what is
// lost is counted. At the end no more than the time given is waited.
func TestSlowCollector(t *testing.T) {
	g := NewWithT(t)
	c := collecting(t, &collector{hold: make(chan struct{})})
	tr := tracing(t, export.Options{Endpoint: c.URL, PerSecond: -1, Queue: 50})
	for n := range 5000 {
		tr.Arrival(arrival(n)) // never waits, or the test would not end
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	counts, _ := tr.Close(over)
	g.Expect(counts.Sent).To(BeZero())
	g.Expect(counts.Dropped).To(Equal(int64(5000)))
	close(c.hold)
}

func TestErrorIsToldOnce(t *testing.T) {
	g := NewWithT(t)
	c := collecting(t, &collector{status: http.StatusForbidden})
	var told []error
	tr := tracing(t, export.Options{Endpoint: c.URL, PerSecond: -1, Told: func(err error) { told = append(told, err) }})
	for n := range 1000 { // more than one batch
		tr.Arrival(arrival(n))
	}
	counts, err := tr.Close(context.Background())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.requests).To(BeNumerically(">", 1))
	g.Expect(told).To(HaveLen(1))
	g.Expect(told[0]).To(MatchError(ContainSubstring("403")))
	g.Expect(counts).To(Equal(export.Counts{Failed: 1000}))
}

func TestNoCollectorsURL(t *testing.T) {
	for _, endpoint := range []string{"", "127.0.0.1:4318", "ftp://127.0.0.1", "http://"} {
		_, err := export.Trace(context.Background(), export.Options{Endpoint: endpoint})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("no collector's URL")), endpoint)
	}
	_, err := export.Trace(context.Background(), export.Options{Endpoint: "http://127.0.0.1:4318", Share: 2})
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("no share")))
}
