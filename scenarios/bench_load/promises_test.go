package bench_load

import (
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/load/pcs"
	"windtunnel.test/sim/vnet"
)

// AIK certificates by credential activation, from PCs that wait with their EK known.
func BenchmarkPromiseLoadAIK(b *testing.B) {
	lab := openLab(b)
	p := newPool(b, lab, min(200, devices(b, 200)), pcs.AIK)
	defer closePool(b, p)
	loop(b, p, lab, pcs.AIK, 8, time.Second)
	for range b.N {
		var r run
		where := profiled(b, func() { r = loop(b, p, lab, pcs.AIK, 8, 8*time.Second) })
		board.Hold(b, promise.Promise{Text: "AIK certificates by credential activation", Unit: "/s", Measured: r.rate(), Limit: 150, Least: true})
		board.Note("AIK certificate: %s; %.0f %% of the CPU in TPM engines; then %s", r, 100*r.engines(), largest(where))
	}
}

// Whole technician flows, from power-on to resealed and off, with everything that putting a PC back takes.
func BenchmarkPromiseLoadTechnician(b *testing.B) {
	lab := openLab(b)
	p := newPool(b, lab, min(200, devices(b, 200)), pcs.Technician)
	defer closePool(b, p)
	loop(b, p, lab, pcs.Technician, 8, time.Second)
	for range b.N {
		var r run
		where := profiled(b, func() { r = loop(b, p, lab, pcs.Technician, 8, 8*time.Second) })
		board.Hold(b, promise.Promise{Text: "whole technician flows", Unit: "/s", Measured: r.rate(), Limit: 60, Least: true})
		board.Hold(b, promise.Promise{Text: "CPU outside of TPM engines, technician flow", Unit: "%", Measured: 100 * (1 - r.engines()), Limit: 60})
		board.Note("technician flow: %s; %d steps each; the largest costs outside of TPM engines: %s", r, r.steps/len(r.all), largest(where))
	}
}

// What a request costs whoever makes it: no service, no TPM, no journal.
func BenchmarkPromiseLoadRequest(b *testing.B) {
	lab := openLab(b)
	p := newPool(b, lab, 8, pcs.AIK)
	defer closePool(b, p)
	p.World.Network.Serve("nothing.contoso.com", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	const requests = 20_000
	for range b.N {
		before := used(b, lab)
		var all sync.WaitGroup
		for _, pc := range p.World.PCs {
			all.Go(func() {
				client := pc.NIC.Client(vnet.ClientOptions{Timeout: time.Minute})
				for range requests / len(p.World.PCs) {
					resp, err := client.Get("https://nothing.contoso.com/")
					if err != nil {
						b.Error(err)
						return
					}
					resp.Body.Close()
				}
			})
		}
		all.Wait()
		board.Hold(b, promise.Promise{Text: "CPU of the generator for a request", Unit: "us", Measured: float64(used(b, lab).minus(before).all.Microseconds()) / requests, Limit: 60})
	}
}

// open is how many PCs are under way at once.
const open = 5000

// Memory of the whole process while all PCs are in the middle of their exchange: TPMs on, Windows up.
func BenchmarkPromiseLoadMemory(b *testing.B) {
	lab := openLab(b)
	count := min(open, devices(b, open))
	p := newPool(b, lab, count, pcs.AIK)
	defer closePool(b, p)
	for range b.N {
		debug.FreeOSMemory() // what making the PCs took is no part of it
		resetPeak()
		var all, begun sync.WaitGroup
		var failed atomic.Int64
		begun.Add(count)
		for range count {
			all.Go(func() {
				begun.Done()
				begun.Wait()
				if a, _ := arrive(b, p, pcs.AIK, ""); !a.Outcome.OK() {
					failed.Add(1)
				}
			})
		}
		all.Wait()
		peak := peakMB(b)
		board.Hold(b, promise.Promise{Text: "memory with 5,000 devices open at once", Unit: "MB", Measured: peak * open / float64(count), Limit: 600})
		board.Note("memory: %.0f MB at its peak with %d devices open at once; %d failed", peak, count, failed.Load())
	}
}
