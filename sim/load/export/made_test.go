package export_test

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"windtunnel.test/sim/load/figure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var began = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// arrival is the nth, ten in a second, which waited 30 ms and took 50.
func arrival(n int) figure.Arrival {
	at := began.Add(time.Duration(n) * 100 * time.Millisecond)
	ms := func(d int) time.Time { return at.Add(time.Duration(d) * time.Millisecond) }
	return figure.Arrival{
		N: n, Scope: "aik", Device: fmt.Sprintf("PC-%d", n), Intended: at, Started: ms(30), Ended: ms(80),
		Steps: []figure.Step{
			{Name: "aik.challenge", Begin: ms(31), End: ms(47), Sent: 5200, Received: 1900},
			{Name: "aik.certificate", Begin: ms(50), End: ms(79), Sent: 1300, Received: 3700},
		},
	}
}

// failed answers 429 in its last step, and a wrong EK is refused.
func failed(n int) figure.Arrival {
	a := arrival(n)
	a.Outcome = figure.Outcome{Status: 429, Error: "too many requests"}
	a.Steps[1].Outcome = a.Outcome
	return a
}

func wrong(n int) figure.Arrival {
	a := arrival(n)
	a.Bad, a.Refused = "wrong-ek", true
	a.Outcome = figure.Outcome{HRESULT: "0x80190190", Status: 400}
	a.Steps[1].Outcome = a.Outcome
	return a
}
