package vtpm

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/tpmattest"
)

// mix is the commands of one round: load, quote, activate, NV read, extend.
type mix struct {
	blob, selection, idObject, secret []byte
}

func newMix(b *testing.B, t transport.TPM) *mix {
	m := &mix{}
	key, err := create(t, srkHandle, templates().key)
	check(b, err)
	m.blob = joinBlob(key.public, key.private)
	m.selection, err = selectPCRs([]int{0, 7})
	check(b, err)
	ek, _, err := readPublic(t, ekHandle)
	check(b, err)
	_, name, err := readPublic(t, aikHandle)
	check(b, err)
	c, err := tpmattest.MakeCredential(must(rsaPublic(ek)), name, make([]byte, 32), vclock.Seed(1).Reader("mix"))
	check(b, err)
	m.idObject, m.secret = c.Blob.Buffer, c.Secret.Buffer
	return m
}

func (m *mix) round(b *testing.B, t transport.TPM) {
	r := &reader{b: m.blob}
	public, private := r.sized(), r.sized()
	h, _, err := load(t, srkHandle, private, public)
	check(b, err)
	check(b, flush(t, h))
	_, _, err = quote(t, aikHandle, nil, m.selection)
	check(b, err)
	policy, err := startPolicy(t, make([]byte, 16))
	check(b, err)
	check(b, policySecret(t, tpm2.TPMRHEndorsement, policy))
	_, err = activate(t, aikHandle, ekHandle, session{handle: policy, nonce: make([]byte, 16)}, m.idObject, m.secret)
	check(b, err)
	check(b, flush(t, policy))
	_, err = nvFetch(t, certificateRSA2048, 800)
	check(b, err)
	check(b, pcrExtend(t, 7, tpm2.TPMAlgSHA256, make([]byte, 32)))
}

func check(b testing.TB, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// pairs is how often a benchmark that compares two things does both, one after
// the other, so that both see the same machine.
const pairs = 100

// BenchmarkPromiseTPMMix compares the same rounds over a thousand chips in
// random order and on one bare simulator. The ratio is the median of its slices.
func BenchmarkPromiseTPMMix(b *testing.B) {
	const chips, slice = 1000, 25
	ours := thousand(b, chips)
	lone, m := lonely(b, ours[0]), newMix(b, ours[0])
	order := rand.New(rand.NewPCG(1, 2))
	var here, bare time.Duration
	var ratios []float64
	b.ResetTimer()
	for range max(pairs, b.N/slice) {
		begin := b.Elapsed()
		for range slice {
			m.round(b, ours[order.IntN(chips)])
		}
		middle := b.Elapsed()
		lone.in(func() {
			for range slice {
				m.round(b, lone)
			}
		})
		end := b.Elapsed()
		here, bare = here+middle-begin, bare+end-middle
		ratios = append(ratios, float64(middle-begin)/float64(end-middle))
	}
	sort.Float64s(ratios)
	rounds := float64(len(ratios) * slice)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(here.Microseconds())/rounds, "µs/round")
	b.ReportMetric(float64(bare.Microseconds())/rounds, "µs/round-bare")
	b.ReportMetric(ratios[len(ratios)/2], "mix-ratio")
}

// BenchmarkPromiseTPMEngines compares the same rounds from four callers on one
// engine and on two. What else runs on the machine takes a core from the two and
// only ever slows, so the fastest slices count.
func BenchmarkPromiseTPMEngines(b *testing.B) {
	const slice = 50
	one, two := crew(b, 1, 0), crew(b, 2, 0)
	alone, both := many(b, one, 200), many(b, two, 200)
	m := newMix(b, alone[0])
	single, double := time.Hour, time.Hour
	b.ResetTimer()
	for range max(pairs, b.N/slice) {
		begin := b.Elapsed()
		besides(b, m, alone, slice)
		middle := b.Elapsed()
		besides(b, m, both, slice)
		single, double = min(single, middle-begin), min(double, b.Elapsed()-middle)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(single)/float64(double), "engines2-speedup")
}

// besides has four callers share so many rounds, each on another chip.
func besides(b *testing.B, m *mix, chips []*bench, rounds int) {
	var next atomic.Int32
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for i := int(next.Add(1)); i <= rounds; i = int(next.Add(1)) {
				m.round(b, chips[i%len(chips)])
			}
		})
	}
	callers.Wait()
}

// solo is the simulator as go-tpm-tools gives it, in the same process: its
// state is the engine's own while nobody else runs.
type solo struct {
	transport.TPM
	state []byte
}

// lonely is the simulator with the state of a chip.
func lonely(b *testing.B, chip *bench) *solo {
	state, err := shared.slots.at(chip.slot)
	check(b, err)
	return &solo{TPM: transport.FromReadWriter(local.simulator), state: bytes.Clone(state)}
}

// thousand is many chips of the shared lab.
func thousand(b *testing.B, n int) []*bench { return many(b, shared, n) }

// many is one image in many chips.
func many(b *testing.B, l *Lab, n int) []*bench {
	img, err := shared.image(ChipID{infineon, 1})
	check(b, err)
	chips := make([]*bench, n)
	for i := range chips {
		slot, err := l.slots.take()
		check(b, err)
		b.Cleanup(func() { check(b, l.slots.put(slot)) })
		chips[i] = &bench{ctx: context.Background(), lab: l, slot: slot}
		chips[i].entropy.key[0], chips[i].entropy.key[1] = byte(i), byte(i>>8)
		check(b, l.plug(slot, img.nv))
		check(b, l.reset(opReset, slot, [32]byte{}))
		check(b, startup(chips[i]))
	}
	return chips
}

// BenchmarkExec is the shortest command on chips in turn: what a swap costs.
func BenchmarkExec(b *testing.B) {
	chips := thousand(b, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		check(b, pcrExtend(chips[i%len(chips)], 7, tpm2.TPMAlgSHA256, make([]byte, 32)))
	}
}

// BenchmarkImage makes chips from nothing.
func BenchmarkImage(b *testing.B) {
	l, err := Open(Options{CacheDir: b.TempDir()})
	check(b, err)
	defer l.Close()
	for n := 0; b.Loop(); n++ {
		check(b, l.make(b.Context(), ChipID{infineon, n}))
	}
}

// BenchmarkPromiseTPMMemory is what a chip costs, resident, live and parked.
func BenchmarkPromiseTPMMemory(b *testing.B) {
	const n = 10_000
	clock := vclock.NewWall()
	for b.Loop() {
		_, err := shared.image(ChipID{infineon, 1})
		check(b, err)
		before := resident(b)
		chips := make([]*Chip, n)
		for i := range chips {
			chips[i], err = shared.Deal(clock, ChipID{infineon, 1}, vclock.Seed(i))
			check(b, err)
		}
		parked := resident(b)
		for _, c := range chips {
			check(b, c.PowerOn(b.Context()))
		}
		live := resident(b)
		for _, c := range chips {
			c.PowerOff()
		}
		after := resident(b)
		b.ReportMetric(float64(parked-before)/n/1024, "KB/dealt")
		b.ReportMetric(float64(live-before)/n/1024, "live-KB")
		b.ReportMetric(float64(after-before)/n/1024, "parked-KB")
		runtime.KeepAlive(chips)
	}
}

// resident is heap in use and shared pages, in bytes.
func resident(b *testing.B) int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text, err := os.ReadFile("/proc/self/statm")
	check(b, err)
	pages, err := strconv.ParseInt(string(bytes.Fields(text)[2]), 10, 64) // resident shared pages
	check(b, err)
	return int64(m.HeapInuse+m.StackInuse) + pages*int64(os.Getpagesize())
}

// BenchmarkPower is a power-on and a power cut.
func BenchmarkPower(b *testing.B) {
	c, err := shared.Deal(vclock.NewWall(), ChipID{infineon, 1}, 1)
	check(b, err)
	for b.Loop() {
		check(b, c.PowerOn(b.Context()))
		c.PowerOff()
	}
}

// in runs f with the bare simulator's state in place, and takes it out again.
func (s *solo) in(f func()) {
	local.Lock()
	defer local.Unlock()
	loadState(s.state)
	defer saveState(s.state)
	f()
}
