package scenario_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
)

func TestLoadIsReadWhole(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/load.yaml")
	l := s.Load
	g.Expect(l.GracefulStop).To(BeZero())
	g.Expect(l.Arrivals[0]).To(Equal(scenario.Stage{Shape: scenario.ConstantRate, Rate: 50, For: time.Minute}))
	g.Expect(float64(l.Arrivals[1].Rate)).To(BeNumerically("~", 100./3600, 1e-12))
	g.Expect(l.Arrivals[3].To).To(Equal(scenario.ArrivalRate(7)))
	g.Expect(l.Arrivals[4].Rates()).To(Equal([]float64{10, 20, 30, 40, 50}))
	g.Expect(l.Arrivals[4].Length()).To(Equal(50 * time.Second))
	g.Expect(l.Arrivals[5].Rates()).To(Equal([]float64{50, 40, 30, 20}))
	g.Expect(l.Arrivals[8].Length()).To(Equal(time.Minute))
	g.Expect(l.Thresholds).To(Equal(scenario.LoadThresholds{
		{Expr: "aik.p99 < 200ms", After: 10 * time.Second},
		{Expr: "errors.rate < 0.1%", Abort: true},
		{Expr: "rate >= 0.99 * target", Abort: true, After: 10 * time.Second},
	}))
	g.Expect(l.Target.Hosts).To(Equal(scenario.LoadHosts{
		{Name: "login.microsoftonline.com", Address: "127.0.0.1:8443"}, {Name: "*.manage.microsoft.com", Address: "[::1]:8443"}, {Name: "*", Address: "lab.contoso.com:443"}}))
	g.Expect(s.LoadDevices()).To(Equal(400))
	scopes, shares := l.Shares()
	g.Expect(scopes).To(Equal([]string{"aik", "join", "activation", "enrolment", "technician", "life"}))
	g.Expect(shares[1]).To(BeNumerically("~", 0.5/15.5, 1e-12))
	kinds, parts := l.Misbehaving.Shares()
	g.Expect(kinds).To(HaveLen(4))
	g.Expect(parts[3]).To(BeNumerically("~", 0.015, 1e-12))
}

func TestLoadSurvivesWritingAndResolving(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/load.yaml")
	g.Expect(again(t, s).Load).To(Equal(s.Load))
	resolved, problems := s.Resolve(scenario.Flags{Devices: 7})
	g.Expect(problems).To(BeEmpty())
	g.Expect(again(t, resolved).Load).To(Equal(s.Load))
}

const loaded = `tenant: {domain: contoso.com, moreUsers: {count: 1}}
sites: [{name: a}]
fleet: {groups: [{name: pcs, count: 20, flow: user-driven, destinations: a}]}
load:
`

// A threshold is the caller's to judge; what it finds is a mistake at the
// threshold's place, written shortly or at length.
func TestThresholdsAreShownAtTheirPlace(t *testing.T) {
	g := NewWithT(t)
	var asked []string
	o := scenario.Options{Threshold: func(expr string, scopes []string) error {
		asked = append(asked, expr+" of "+strings.Join(scopes, ","))
		if strings.HasPrefix(expr, "good") {
			return nil
		}
		return errors.New("no figure")
	}}
	s, problems := scenario.Load("x.yaml", []byte(loaded+`  mix: [aik, life]
  closed: {devices: 5, for: 1m}
  thresholds:
    - good < 1
    - bad < 1
    - abortOnFail: true
      expr: worse < 1
`), o)
	g.Expect(s).To(BeNil())
	g.Expect(asked).To(Equal([]string{"good < 1 of aik,life", "bad < 1 of aik,life", "worse < 1 of aik,life"}))
	g.Expect(problems.Error()).To(Equal("x.yaml:9:7: load.thresholds[1].expr: no figure\nx.yaml:11:13: load.thresholds[2].expr: no figure"))
}

// Each of these is wrong in one way only, and is told so once.
func TestLoadMistakesAlone(t *testing.T) {
	const way, mix = "  arrivals: [{rate: 5/s, for: 1m}]\n", "  mix: aik\n"
	for text, want := range map[string]string{
		mix + way + "  closed: {devices: 5, for: 1m}\n":                            "load.closed: a load is an open loop",
		mix + "  closed: {devices: 21, for: 1m}\n":                                 "load.closed.devices: 21 PCs at once of 20",
		mix + "  closed: {devices: 5}\n":                                           "load.closed",
		mix + "  closed: {devices: 5, for: 1m}\n  unit: attestations\n":            "load.unit: a closed loop has no rate",
		mix + "  arrivals: []\n":                                                   "load.arrivals: there must be at least one",
		mix + "  arrivals: [{shape: steps, to: 1000000, step: 1e-9, every: 1s}]\n": "load.arrivals[0].step: makes more than 1000 steps",
		mix + "  arrivals: [{shape: steps, to: 5, step: 6, every: 1s}]\n":          "load.arrivals[0].step: 6/s is no part of the way from 6/s to 5/s",
		mix + "  arrivals: [{shape: ramp, to: 5, for: 1m}]\n  warmUp: 5s\n":        "load.warmUp: nobody would come",
		mix + way + "  misbehaving: {wrongEK: 60%, dropped: 40%}\n":                "load.misbehaving: nobody is left to be honest",
		mix + way + "  misbehaving: {wrongEK: 101%}\n":                             "load.misbehaving.wrongEK",
		"  mix: life\n" + way + "  misbehaving: {replay: 1%}\n":                    "load.misbehaving.replay: only PCs in scope aik can",
		"  mix: [aik, join, life]\n  devices: 2\n" + way:                           "load.mix: 3 scopes for 2 PCs",
		"  mix: [aik, aik]\n" + way:                                                "aik",
		"  mix: {aik: -1}\n" + way:                                                 "load.mix",
		"  mix: attestation\n" + way:                                               `load.mix[0]: there is no scope "attestation"`,
		"  mix: [join, enrolment]\n  unit: attestations\n" + way:                   "load.unit: no scope of the mix brings an attestation",
		way:                                   "load",
		mix + way + "  target: {ca: x.pem}\n": "load.target: names no hosts",
		mix + way + "  target: {hosts: {a.bc: 'c:1'}, secret: x}\n": "load.target: application and secret go together",
		mix + way + "  target: {hosts: {a.bc: 'c:0'}}\n":            `"c:0" is no address`,
		mix + way + "  target: {hosts: {'a.*': 'c:1'}}\n":           `"a.*" is no name`,
		mix + way + "  target: {hosts: 'c:1'}\n":                    "load.target.hosts",
	} {
		t.Run(want, func(t *testing.T) {
			g := NewWithT(t)
			s, problems := scenario.Load("x.yaml", []byte(loaded+text), scenario.Options{})
			g.Expect(s).To(BeNil())
			g.Expect(problems).To(HaveLen(1), "%v", problems)
			g.Expect(problems.Error()).To(ContainSubstring(want))
			g.Expect(problems[0].Line).To(BeNumerically(">=", 4))
		})
	}
}

func TestRates(t *testing.T) {
	g := NewWithT(t)
	for text, want := range map[string]float64{"50/s": 50, "3000/min": 50, "1.5": 1.5, " 7 / hour ": 7. / 3600, "0": 0, "1e3/s": 1000, "1000000/s": 1e6} {
		var r scenario.ArrivalRate
		g.Expect(r.UnmarshalText([]byte(text))).To(Succeed(), text)
		g.Expect(float64(r)).To(BeNumerically("~", want, 1e-12), text)
		var back scenario.ArrivalRate
		g.Expect(back.UnmarshalText([]byte(r.String()))).To(Succeed())
		g.Expect(back).To(Equal(r))
	}
	for _, text := range []string{"", "/s", "s", "50/", "50/day", "50//s", "-1/s", "Inf", "+Inf/h", "NaN", "1000001/s", "60000001/min", "0x", "5 0/s"} {
		g.Expect(new(scenario.ArrivalRate).UnmarshalText([]byte(text))).NotTo(Succeed(), text)
	}
}
