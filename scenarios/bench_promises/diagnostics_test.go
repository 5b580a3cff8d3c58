package bench_promises

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/house/promise"
)

// What it takes to make one PC's diagnostics package, from ten PCs with much on
// them. Each is made where its story is through, so that its logs are there.
func BenchmarkPromiseDiagnostics(b *testing.B) {
	twoCores(b)
	s := richFleet(b, 10)
	for range b.N {
		lab := warmLab(b, s, 1)
		var mu sync.Mutex
		var took time.Duration
		var bytes counter
		made := 0
		_, err := sim.Run(context.Background(), sim.RunOptions{Scenario: s, Lab: lab, Remains: func(source diag.Source) {
			mu.Lock()
			defer mu.Unlock()
			begin := time.Now()
			if err := diag.Collect(&bytes, source); err != nil {
				b.Error(err)
			}
			took += time.Since(begin)
			made++
		}})
		if err != nil {
			b.Fatal(err)
		}
		closeLab(b, lab)
		if made != 10 {
			b.Fatalf("%d packages of 10 PCs", made)
		}
		board.Hold(b, promise.Promise{Text: "diagnostics of one rich device", Unit: "ms", Measured: took.Seconds() * 1000 / float64(made), Limit: 50})
		board.Note("diagnostics: %d packages of %.0f KB", made, float64(bytes)/float64(made)/1000)
	}
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return io.Discard.Write(p)
}
