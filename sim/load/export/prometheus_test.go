package export_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"windtunnel.test/sim/load/export"
	"windtunnel.test/sim/load/figure"
)

func listening(t *testing.T) *export.Prometheus {
	t.Helper()
	p, err := export.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// scrape asks as Prometheus does: what it takes is in Accept.
func scrape(t *testing.T, p *export.Prometheus, accept string) (families map[string]*dto.MetricFamily, text string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	req, err := http.NewRequest("GET", p.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body strings.Builder
	families = map[string]*dto.MetricFamily{}
	d := expfmt.NewDecoder(io.TeeReader(resp.Body, &body), expfmt.ResponseFormat(resp.Header))
	for {
		f := &dto.MetricFamily{}
		if err := d.Decode(f); errors.Is(err, io.EOF) {
			return families, body.String()
		} else if err != nil {
			t.Fatal(err)
		}
		families[f.GetName()] = f
	}
}

const (
	protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	plain    = "text/plain;version=0.0.4"
)

// with finds the metric that has these labels.
func with(t *testing.T, f *dto.MetricFamily, labels map[string]string) *dto.Metric {
	t.Helper()
	for _, m := range f.GetMetric() {
		same := len(m.GetLabel()) == len(labels)
		for _, l := range m.GetLabel() {
			same = same && labels[l.GetName()] == l.GetValue()
		}
		if same {
			return m
		}
	}
	t.Fatalf("%s has nothing with %v", f.GetName(), labels)
	return nil
}

func TestScrapedAsProtobuf(t *testing.T) {
	g := NewWithT(t)
	p := listening(t)
	for n := range 20 {
		p.Arrival(arrival(n))
	}
	p.Arrival(failed(20))
	p.Arrival(wrong(21))
	warm := arrival(22)
	warm.Warm = true
	p.Arrival(warm)
	p.Second(figure.Second{Gauges: figure.Gauges{InFlight: 3, Target: 50, CPU: 1.5, EngineBusy: 0.9, Lag: 2e6}, Dropped: 4})
	p.Second(figure.Second{Gauges: figure.Gauges{InFlight: 7, Target: 60}, Dropped: 1})

	f, _ := scrape(t, p, protobuf)
	h := with(t, f["windtunnel_load_scope_duration_seconds"], map[string]string{"scope": "aik", "start": "intended"}).GetHistogram()
	g.Expect(h.GetSampleCount()).To(Equal(uint64(21)), "the honest ones")
	g.Expect(h.GetSampleSum()).To(BeNumerically("~", 21*0.080, 1e-9))
	g.Expect(h.GetBucket()).To(BeEmpty(), "no classic buckets")
	g.Expect(h.GetSchema()).To(Equal(int32(3)), "the factor is at most 1.1: 2^(1/8) = 1.0905")
	g.Expect(h.GetPositiveDelta()).To(Equal([]int64{21}), "all in the one bucket of 80 ms")
	real := with(t, f["windtunnel_load_scope_duration_seconds"], map[string]string{"scope": "aik", "start": "real"}).GetHistogram()
	g.Expect(real.GetSampleSum()).To(BeNumerically("~", 21*0.050, 1e-9))
	step := with(t, f["windtunnel_load_step_duration_seconds"], map[string]string{"scope": "aik", "step": "aik.challenge"}).GetHistogram()
	g.Expect(step.GetSampleSum()).To(BeNumerically("~", 21*0.016, 1e-9))

	counter := func(name string, labels map[string]string) float64 {
		return with(t, f["windtunnel_load_"+name], labels).GetCounter().GetValue()
	}
	g.Expect(counter("arrivals_total", map[string]string{"scope": "aik", "outcome": "ok", "bad": ""})).To(Equal(20.0))
	g.Expect(counter("arrivals_total", map[string]string{"scope": "aik", "outcome": "HTTP 429", "bad": ""})).To(Equal(1.0))
	g.Expect(counter("arrivals_total", map[string]string{"scope": "aik", "outcome": "0x80190190", "bad": "wrong-ek"})).To(Equal(1.0))
	g.Expect(counter("refused_total", map[string]string{"scope": "aik", "bad": "wrong-ek"})).To(Equal(1.0))
	g.Expect(counter("steps_total", map[string]string{"scope": "aik", "step": "aik.certificate", "outcome": "HTTP 429"})).To(Equal(1.0))
	g.Expect(counter("dropped_total", nil)).To(Equal(5.0))
	g.Expect(counter("sent_bytes_total", nil)).To(Equal(22 * 6500.0))
	g.Expect(with(t, f["windtunnel_load_in_flight"], nil).GetGauge().GetValue()).To(Equal(7.0))
	g.Expect(with(t, f["windtunnel_load_asked_rate"], nil).GetGauge().GetValue()).To(Equal(60.0))
}

func TestScrapedAsText(t *testing.T) {
	g := NewWithT(t)
	p := listening(t)
	p.Arrival(arrival(0))
	f, text := scrape(t, p, plain)
	g.Expect(f).To(HaveKey("windtunnel_load_arrivals_total"))
	g.Expect(text).To(ContainSubstring(`windtunnel_load_scope_duration_seconds_count{scope="aik",start="intended"} 1`))
	problems, err := promlint.New(strings.NewReader(text)).Lint() // what promtool check metrics does
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(problems).To(BeEmpty())
}

// TestNamesAreBounded has a target answer with ever new statuses.
func TestNamesAreBounded(t *testing.T) {
	g := NewWithT(t)
	p := listening(t)
	for n := range 500 {
		a := arrival(n)
		a.Outcome = figure.Outcome{HRESULT: fmt.Sprintf("0x8%07X", n)}
		p.Arrival(a)
	}
	f, _ := scrape(t, p, protobuf)
	g.Expect(len(f["windtunnel_load_arrivals_total"].GetMetric())).To(BeNumerically("<=", 65))
	other := with(t, f["windtunnel_load_arrivals_total"], map[string]string{"scope": "aik", "outcome": figure.Other, "bad": ""})
	g.Expect(other.GetCounter().GetValue()).To(BeNumerically(">", 400))
}

func TestLoopbackOnly(t *testing.T) {
	for address, why := range map[string]string{
		"0.0.0.0:9464": "not a loopback address", ":9464": "not a loopback address", "192.0.2.7:9464": "not a loopback address",
		"[::]:9464": "not a loopback address", "example.org:80": "not a loopback address", "9464": "no HOST:PORT", "127.0.0.1:http:": "no HOST:PORT",
	} {
		_, err := export.Listen(address)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(why)), address)
	}
}

func TestPortTaken(t *testing.T) {
	p := listening(t)
	address := strings.TrimSuffix(strings.TrimPrefix(p.URL(), "http://"), "/metrics")
	_, err := export.Listen(address)
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("address already in use")))
}
