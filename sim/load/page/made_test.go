package page_test

import (
	"fmt"
	"math"
	"time"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/page"
)

var began = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// made is a made-up load of a minute that ramps from 10 to 70 arrivals a
// second, with a stall of two seconds in the midst of it, answers 429 to some
// from the 40th second on and leaves a gap of a second without any arrival.
func made() page.Data {
	r := figure.New(figure.Options{Begin: began})
	var seconds []figure.Second
	n := 0
	for s := range 60 {
		asked := 10 + float64(s)
		count := int(asked)
		if s == 12 {
			count = 0
		}
		for i := range count {
			r.Add(arrival(n, s, time.Duration(i)*time.Second/time.Duration(count)))
			n++
		}
		wave := math.Sin(float64(s) / 5)
		seconds = append(seconds, r.Tick(began.Add(time.Duration(s+1)*time.Second), figure.Gauges{
			InFlight: 3 + s/4, Waiting: max(0, s-45), Free: 200 - s, Lag: time.Duration(200+s*s) * time.Microsecond,
			Target: asked, CPU: 0.3 + float64(s)/50, EngineBusy: 0.2 + float64(s)/90 + 0.05*wave, Heap: 80 << 20,
		}, true, time.Second))
	}
	for i := range 12 {
		a := arrival(n+i, 30, 0)
		a.Bad, a.Refused, a.Outcome = "wrong-ek", i > 0, figure.Outcome{HRESULT: "0x80190190", Status: 400, Error: "the activation blob does not open"}
		r.Add(a)
	}
	sum := r.Summary([]string{"aik", "join"})
	sum.Name, sum.Scenario, sum.Seed, sum.Build = "attestation <ramp>", "9b1c6e0d5f2a", 42, "v0.8.0-11-g0123abc"
	sum.Machine = figure.Machine{CPU: "Example CPU @ 2.60GHz", Cores: 2, Memory: 8 << 30, Kernel: "Linux 6.1.0", Go: "go1.26.0"}
	sum.Target, sum.Began, sum.Command = "windtunnel serve in a process of its own, 127.0.0.1:8443", began, "windtunnel load scenarios/load/attestation.yaml --target serve --seed 42"
	sum.Self = figure.Generator{CPUSeconds: 52.3, PerArrival: 21_700, Cores: 0.87, EngineSeconds: 31.5, EngineShare: 0.602, Commands: 28_400, PeakInFlight: 17, PeakHeap: 81 << 20, LimitedBy: "the TPM engines were busy for 97% of the last 10 s, and 12 commands waited for one"}
	sum.Serving = &figure.Process{CPUSeconds: 18.2, RSS: 140 << 20}
	for _, expr := range []string{"aik.p99 < 200ms", "errors.rate < 0.1%", "rate >= 0.95 * target", "enrolment.p99 < 1s"} {
		t, err := figure.ParseThreshold(expr)
		if err != nil {
			panic(err)
		}
		sum.Verdicts = append(sum.Verdicts, t.Judge(sum))
	}
	return page.Data{Summary: sum, Seconds: seconds, Curves: page.Curves(r, []string{"aik", "join"})}
}

// arrival is the nth, in a second of the load.
func arrival(n, second int, into time.Duration) figure.Arrival {
	at := func(d time.Duration) time.Time { return began.Add(time.Duration(second)*time.Second + into + d) }
	wait, slow := time.Duration(0), time.Duration(n*7919%97)*time.Millisecond/4
	if second == 30 || second == 31 { // stalled: what came then had to wait for its end
		wait = time.Duration(32-second)*time.Second - into
	}
	a := figure.Arrival{N: n, Scope: "aik", Device: fmt.Sprintf("PC-%05d", n), Intended: at(0), Started: at(wait), Ended: at(wait + 40*time.Millisecond + slow)}
	if n%10 == 3 {
		a.Scope = "join"
		a.Ended = at(wait + 25*time.Millisecond + slow/2)
		a.Steps = []figure.Step{{Name: "join.device", Begin: at(wait + time.Millisecond), End: a.Ended, Sent: 3100, Received: 4200}}
	} else {
		a.Steps = []figure.Step{
			{Name: "aik.GetCACaps", Begin: at(wait), End: at(wait + 4*time.Millisecond), Sent: 0, Received: 60},
			{Name: "aik.challenge", Begin: at(wait + 5*time.Millisecond), End: at(wait + 17*time.Millisecond), Sent: 5200, Received: 1900},
			{Name: "aik.certificate", Begin: at(wait + 22*time.Millisecond), End: a.Ended, Sent: 1300, Received: 3700},
		}
	}
	switch {
	case second >= 40 && n%25 == 0:
		a.Outcome = figure.Outcome{Status: 429, Error: "too many requests"}
	case second >= 50 && n%90 == 1:
		a.Outcome = figure.Outcome{HRESULT: "0x80072EE2", Error: "no answer in 30 s"}
	}
	if !a.Outcome.OK() {
		a.Steps[len(a.Steps)-1].Outcome = a.Outcome
	}
	return a
}
