package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hand is a clock that is moved by hand.
type hand struct {
	vclock.Clock
	now time.Time
}

func (h *hand) Now() time.Time { return h.now }

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

func story(j *journal.Journal, h *hand) {
	j.Record("", "world.started", journal.F("devices", 2))
	h.now = h.now.Add(1500 * time.Millisecond)
	j.Record("PC-1", "device.power.on", journal.F("boot", 1), journal.Loose("pid", 4711))
	j.Record("PC-2", "device.power.on", journal.F("boot", 1), journal.F("at", h.now), journal.F("ok", true))
	h.now = h.now.Add(2 * time.Minute)
	j.Record("PC-1", journal.Refused, journal.F("service", "aik"), journal.F("hosts", []string{"a", "b c"}), journal.F("took", 90*time.Second))
}

func TestHashIsStableAndSensitive(t *testing.T) {
	g := NewWithT(t)
	run := func(more ...journal.Field) string {
		h := &hand{now: start}
		j := journal.New(h)
		story(j, h)
		j.Record("PC-1", "end", more...)
		g.Expect(j.Count()).To(Equal(uint64(5)))
		return j.Hash()
	}
	plain := run()
	// Pinned: a change here is a change of the encoding, and every stored trace hash with it.
	g.Expect(plain).To(Equal("75d10c3a652aff67f93fe7cb4c5f715e243141bc61f0a33d72e9d4f63bb31fd7"))
	g.Expect(run(journal.Loose("noise", 1))).To(Equal(plain))
	g.Expect(run(journal.F("a", "1"))).NotTo(Equal(plain))
	g.Expect(run(journal.F("a", 1))).NotTo(Equal(run(journal.F("a", "1"))))
	g.Expect(run(journal.F("a", time.Duration(1)))).NotTo(Equal(run(journal.F("a", 1))))
	g.Expect(run(journal.F("a", []string{"x", "y"}))).NotTo(Equal(run(journal.F("a", []string{"xy"}))))
}

func TestCombine(t *testing.T) {
	g := NewWithT(t)
	g.Expect(journal.Combine([]string{"a", "b"})).NotTo(Equal(journal.Combine([]string{"b", "a"})))
	g.Expect(journal.Combine([]string{"a", "b"})).To(Equal(journal.Combine([]string{"a", "b"})))
	g.Expect(journal.Combine([]string{"ab"})).NotTo(Equal(journal.Combine([]string{"a", "b"})))
	g.Expect(journal.Combine(nil)).To(HaveLen(64))
}

func TestFieldTypes(t *testing.T) {
	g := NewWithT(t)
	g.Expect(journal.F("e", errors.New("broken")).Value).To(Equal("broken"))
	g.Expect(journal.F("s", os.FileMode(0o644)).Value).To(Equal("-rw-r--r--"))
	g.Expect(journal.F("n", uint32(7)).Value).To(Equal(7))
	g.Expect(journal.F("b", "a\xffz").Value).To(Equal("a\uFFFDz"))
	g.Expect(journal.F("t", start.In(time.FixedZone("x", 3600))).Value).To(Equal(start))
	g.Expect(func() { journal.F("x", 1.5) }).To(PanicWith(ContainSubstring("float64 cannot be recorded")))

	list := []string{"a"}
	f := journal.F("l", list)
	list[0] = "changed"
	g.Expect(f.Value).To(Equal([]string{"a"}), "a list is copied")
}

func TestEventText(t *testing.T) {
	g := NewWithT(t)
	memory, h := journal.NewMemory(0), &hand{now: start}
	story(journal.New(h, memory), h)
	var lines []string
	for _, e := range memory.Find(func(journal.Event) bool { return true }) {
		lines = append(lines, e.String())
	}
	g.Expect(lines).To(Equal([]string{
		"2026-09-01 08:00:00.000 world.started devices=2",
		"2026-09-01 08:00:01.500 PC-1 device.power.on boot=1 pid~=4711",
		"2026-09-01 08:00:01.500 PC-2 device.power.on boot=1 at=2026-09-01T08:00:01.5Z ok=true",
		`2026-09-01 08:02:01.500 PC-1 refused service=aik hosts="a,b c" took=1m30s`,
	}))
	last := memory.Timeline("PC-1")[1]
	g.Expect(last.Text("service")).To(Equal("aik"))
	g.Expect(last.Text("nothing")).To(BeEmpty())
}

func TestMemoryKeepsTheLast(t *testing.T) {
	g := NewWithT(t)
	memory := journal.NewMemory(3)
	j := journal.New(&hand{now: start}, memory)
	for i := range 10 {
		j.Record("PC-1", "tick", journal.F("n", i))
		j.Record("", "world.tick")
	}
	var kept []string
	for _, e := range memory.Timeline("PC-1") {
		kept = append(kept, e.Text("n"))
	}
	g.Expect(kept).To(Equal([]string{"7", "8", "9"}))
	g.Expect(memory.Timeline("")).To(HaveLen(3))
	g.Expect(memory.Timeline("PC-9")).To(BeEmpty())
	g.Expect(memory.Devices()).To(Equal([]string{"PC-1"}))
}

func TestNilJournalRecordsNothing(t *testing.T) {
	var j *journal.Journal
	j.Record("PC-1", "tick")
	NewWithT(t).Expect(j.Now()).To(BeZero())
}

func TestSinkErrorsSurfaceAtClose(t *testing.T) {
	g := NewWithT(t)
	seen := 0
	file, err := journal.NewFileSink(brokenWriter{})
	g.Expect(err).NotTo(HaveOccurred())
	j := journal.New(&hand{now: start}, file, journal.SinkFunc(func(journal.Event) { seen++ }))
	j.Record("PC-1", "tick")
	j.Record("PC-1", "tick")
	g.Expect(seen).To(Equal(2), "other sinks go on")
	g.Expect(j.Close()).To(MatchError(ContainSubstring("journal: event 1: file: flush: disk full")))
	j.Record("PC-1", "late")
	g.Expect(j.Count()).To(Equal(uint64(3)))
	g.Expect(seen).To(Equal(2))
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func read(r io.Reader) (events []journal.Event, err error) {
	for e, e2 := range journal.ReadFile(r) {
		if e2 != nil {
			return events, e2
		}
		events = append(events, e)
	}
	return events, nil
}

func TestFileReadsBack(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	file, err := journal.NewFileSink(&out)
	g.Expect(err).NotTo(HaveOccurred())
	memory, h := journal.NewMemory(0), &hand{now: start}
	j := journal.New(h, file, memory)
	story(j, h)
	g.Expect(j.Close()).To(Succeed())

	events, err := read(&out)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(events).To(Equal(memory.Find(func(journal.Event) bool { return true })))

	again := &hand{}
	replayed := journal.New(again)
	for _, e := range events {
		again.now = e.Time
		replayed.Record(e.Device, e.Kind, e.Fields...)
	}
	g.Expect(replayed.Hash()).To(Equal(j.Hash()), "a file is enough to compute the trace hash")
}

// A line is what any JSON tool takes, and the file what any zstd tool unpacks; zstd(1) is the second witness where there is one.
func TestFileIsPlainZstd(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	file, err := journal.NewFileSink(&out)
	g.Expect(err).NotTo(HaveOccurred())
	h := &hand{now: start}
	j := journal.New(h, file)
	story(j, h)
	g.Expect(j.Close()).To(Succeed())
	z, err := zstd.NewReader(bytes.NewReader(out.Bytes()), zstd.WithDecoderConcurrency(1))
	g.Expect(err).NotTo(HaveOccurred())
	defer z.Close()
	text, err := io.ReadAll(z)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Split(string(text), "\n")[3]).To(Equal(
		`{"seq":4,"time":"2026-09-01T08:02:01.5Z","device":"PC-1","kind":"refused","fields":{"service":"aik","hosts":["a","b c"],"took":{"seconds":90}}}`))
	if tool, err := exec.LookPath("zstd"); err == nil {
		cmd := exec.Command(tool, "-dc")
		cmd.Stdin = &out
		unpacked, err := cmd.Output()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(unpacked)).To(Equal(string(text)))
	}
}

func TestKilledRunKeepsWholeLines(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	file, err := journal.NewFileSink(&out)
	g.Expect(err).NotTo(HaveOccurred())
	h := &hand{now: start}
	j := journal.New(h, file)
	for i := range 5000 {
		j.Record("PC-1", "tick", journal.F("n", i))
	}
	killed := bytes.Clone(out.Bytes())
	events, err := read(bytes.NewReader(killed))
	g.Expect(err).To(MatchError(journal.ErrCut))
	g.Expect(len(events)).To(BeNumerically(">=", 4*1024), "flushed every so many events")

	h.now = h.now.Add(time.Hour)
	j.Record("PC-1", "last")
	events, err = read(bytes.NewReader(out.Bytes()))
	g.Expect(err).To(MatchError(journal.ErrCut))
	g.Expect(events).To(HaveLen(5001), "flushed when time moves on")

	for cut := 1; cut < len(killed); cut += len(killed)/40 + 1 {
		events, err := read(bytes.NewReader(killed[:cut]))
		g.Expect(err).To(MatchError(journal.ErrCut), fmt.Sprint(cut))
		for i, e := range events {
			if e.Seq != uint64(i+1) {
				t.Fatalf("cut at %d: event %d has number %d", cut, i, e.Seq)
			}
		}
	}
}

func TestReadRefusesOtherFiles(t *testing.T) {
	g := NewWithT(t)
	_, err := read(strings.NewReader("{\"seq\":1}\n"))
	g.Expect(err).To(HaveOccurred())
	g.Expect(err).NotTo(MatchError(journal.ErrCut))
}

func fieldValue() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny(),
		rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64().Draw(t, "d")) }).AsAny(),
		rapid.Custom(func(t *rapid.T) time.Time {
			return start.Add(time.Duration(rapid.Int64Range(0, math.MaxInt64/4).Draw(t, "t")))
		}).AsAny(),
		rapid.SliceOf(rapid.String()).AsAny(),
	)
}

func TestAnythingReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		file, err := journal.NewFileSink(&out)
		if err != nil {
			t.Fatal(err)
		}
		memory := journal.NewMemory(0)
		j := journal.New(&hand{now: start}, file, memory)
		var fields []journal.Field
		for i := range rapid.IntRange(0, 6).Draw(t, "fields") {
			fields = append(fields, journal.F(rapid.String().Draw(t, "key"), fieldValue().Draw(t, "value")))
			fields[i].Loose = i > 3
		}
		j.Record("PC \"ä\"", rapid.StringN(1, -1, -1).Draw(t, "kind"), fields...)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		events, err := read(&out)
		if err != nil || len(events) != 1 {
			t.Fatalf("%v, %v", events, err)
		}
		want := memory.Find(func(journal.Event) bool { return true })[0]
		if fmt.Sprintf("%#v", events[0]) != fmt.Sprintf("%#v", want) {
			t.Fatalf("read back\n%#v, wrote\n%#v", events[0], want)
		}
	})
}

func FuzzReadFile(f *testing.F) {
	var out bytes.Buffer
	file, err := journal.NewFileSink(&out)
	if err != nil {
		f.Fatal(err)
	}
	h := &hand{now: start}
	j := journal.New(h, file)
	story(j, h)
	if err := j.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(out.Bytes()[:out.Len()/2])
	f.Add([]byte("plain"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for e, err := range journal.ReadFile(bytes.NewReader(data)) {
			if err == nil && len(e.String()) == 0 {
				t.Fatal("an event without a text")
			}
		}
	})
}

func benchmark(b *testing.B, sinks ...journal.Sink) {
	j := journal.New(&hand{now: start}, sinks...)
	b.ReportAllocs()
	for b.Loop() {
		j.Record("PC-0017", "http.request", journal.F("host", "enrollment.manage.microsoft.com"), journal.F("operation", "Discover"),
			journal.F("status", 200), journal.F("took", 120*time.Millisecond))
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkRecord(b *testing.B)       { benchmark(b) }
func BenchmarkRecordMemory(b *testing.B) { benchmark(b, journal.NewMemory(200)) }

func BenchmarkRecordFile(b *testing.B) {
	file, err := journal.NewFileSink(io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, file)
}
