package bench_promises

import (
	"bytes"
	"runtime"
	"testing"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeintune"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/store"
)

// rowsOf is how many PCs' rows are weighed.
const rowsOf = 20

// What the services keep of a PC that went all the way: registration, directory object, managed device, what its sessions
// brought it and reported, tickets, AIK certificate, refresh tokens. The rows are carried into services that have nothing
// else, so that PC, network and journal do not count.
func BenchmarkPromiseServicesMemory(b *testing.B) {
	twoCores(b)
	s := fleet(b)
	for range b.N {
		lab := openLab(b)
		w := cell(b, s, lab, 0, rowsOf)
		if err := w.Run(b.Context(), s.Start.AddDate(1, 1, 0)); err != nil { // the users have unpacked them
			b.Fatal(err)
		}
		var text [2]bytes.Buffer
		for i, db := range []*store.DB{w.Entra.AIK.DB, w.Intune.Service().DB} {
			if err := db.Dump(&text[i]); err != nil {
				b.Fatal(err)
			}
		}
		if n := len(w.Intune.Tenant().Devices()); n != rowsOf {
			b.Errorf("%d of %d PCs are managed", n, rowsOf)
		}
		if err := w.Close(); err != nil {
			b.Error(err)
		}
		closeLab(b, lab)
		entra, intune := emptyServices(b)
		full := weigh(b, entra, intune, text)
		board.Hold(b, promise.Promise{Text: "the services' rows of a PC at its desktop", Unit: "KB", Measured: full / rowsOf / 1000, Limit: 40})
		board.Note("the same as JSON: %.1f KB", float64(text[0].Len()+text[1].Len())/rowsOf/1000)
	}
}

func emptyServices(b *testing.B) (entra, intune *store.DB) {
	b.Helper()
	entra, intune = store.New(), store.New()
	fakeentra.New(fakeentra.Options{Options: service.Options{DB: entra}})
	if _, err := fakeintune.New(fakeintune.Options{DB: intune}); err != nil {
		b.Fatal(err)
	}
	return entra, intune
}

// weigh is the heap that the rows take, in bytes; what the tenant itself has is in it.
func weigh(b *testing.B, entra, intune *store.DB, text [2]bytes.Buffer) float64 {
	b.Helper()
	before := inUse()
	for i, db := range []*store.DB{entra, intune} {
		if err := db.Restore(bytes.NewReader(text[i].Bytes())); err != nil {
			b.Fatal(err)
		}
	}
	after := inUse()
	runtime.KeepAlive(entra)
	runtime.KeepAlive(intune)
	return after - before
}

func inUse() float64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
