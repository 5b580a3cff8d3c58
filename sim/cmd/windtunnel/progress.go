package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
)

// between is the real time between two lines where there is no terminal.
const between = 5 * time.Second

// progress shows how far a run is: a bar on a terminal, a line now and then
// elsewhere, nothing with --json. It reads real time, because that is what the
// person waits in.
type progress struct {
	w     io.Writer // nil: nothing is shown
	began time.Time
	bars  *mpb.Progress // nil where there is no terminal
	bar   *mpb.Bar

	mu    sync.Mutex // mpb draws on a goroutine of its own
	now   sim.Progress
	stage time.Time // when this stage began
	start time.Time // virtual
	lined time.Time // when the last line was printed
}

func newProgress(sh *shell) *progress {
	p := &progress{w: sh.err, began: time.Now()}
	p.stage, p.lined = p.began, p.began
	f, isFile := sh.err.(*os.File)
	switch {
	case sh.json:
		p.w = nil
	case isFile && term.IsTerminal(int(f.Fd())):
		p.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(40), mpb.WithRefreshRate(200*time.Millisecond))
		p.bar = p.bars.New(0, mpb.BarStyle(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.locked(p.title) })),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.locked(p.left) })),
			mpb.BarExtender(mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
				_, err := fmt.Fprintf(w, "  %s\n", p.locked(p.details))
				return err
			}), false))
	}
	return p
}

func (p *progress) locked(f func() string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f()
}

// update is the run telling how far it is.
func (p *progress) update(now sim.Progress) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	at := time.Now()
	if now.Stage != p.now.Stage {
		p.stage = at
	}
	if p.start.IsZero() {
		p.start = now.Virtual
	}
	p.now = now
	done := int64(p.done() * scale)
	line := ""
	if p.bar == nil && at.Sub(p.lined) >= between {
		p.lined = at
		line = strings.Join(slices.DeleteFunc([]string{p.title(), p.details(), p.left()}, func(s string) bool { return s == "" }), "  ")
	}
	p.mu.Unlock()
	if p.bar != nil {
		p.bar.SetTotal(scale, false)
		p.bar.SetCurrent(done)
	}
	if line != "" {
		fmt.Fprintf(p.w, "%5s  %s\n", report.Duration(at.Sub(p.began)), line)
	}
}

// scale is the bar's length in steps.
const scale = 1000

// end takes the display away.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

// through is how much of the work with a PC lies behind it in each phase, by
// what the two flows cost.
var through = map[string]float64{"registering": 0, "waiting": 0.02, "technician": 0.25, "shelf": 0.55, "user": 0.75}

// done is how much of the stage is, from 0 to 1.
func (p *progress) done() float64 {
	if p.now.Total <= 0 {
		return 0
	}
	sum := float64(p.now.Done)
	for phase, n := range p.now.Phases {
		sum += through[phase] * float64(n)
	}
	return min(1, sum/float64(p.now.Total))
}

func (p *progress) title() string {
	switch p.now.Stage {
	case "":
		return "Starting"
	case "walk":
		return fmt.Sprintf("%s of %s lives", report.Count(p.now.Done), report.Count(p.now.Total))
	case "tpm images":
		return fmt.Sprintf("Making TPM chips, once: %s of %s", report.Count(p.now.Done), report.Count(p.now.Total))
	}
	return fmt.Sprintf("%s of %s through", report.Count(p.now.Done), pcs(p.now.Total))
}

// order is a PC's way through the phases.
var order = []string{"registering", "waiting", "technician", "shelf", "user", "desktop", "failed"}

// details are the counts by phase and the virtual clock with its speed.
func (p *progress) details() string {
	names := slices.SortedFunc(maps.Keys(p.now.Phases), func(a, b string) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a), slices.Index(order, b)), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names {
		if n := p.now.Phases[name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", name, report.Count(n)))
		}
	}
	s := strings.Join(parts, ", ")
	if p.now.Virtual.IsZero() {
		return s
	}
	s += "  virtual " + p.now.Virtual.Format("2006-01-02 15:04")
	if real := time.Since(p.stage); real > time.Second {
		s += fmt.Sprintf(" (%s times as fast)", report.Count(int(p.now.Virtual.Sub(p.start)/real)))
	}
	return strings.TrimSpace(s)
}

// left is the time that the stage will take from now, if the rest goes like
// the part so far.
func (p *progress) left() string {
	done, took := p.done(), time.Since(p.stage)
	if done < 0.02 || took < 2*time.Second {
		return ""
	}
	rest := time.Duration(float64(took) * (1 - done) / done)
	if rest < 10*time.Second {
		return fmt.Sprintf("about %.0fs left", max(1, rest.Seconds()))
	}
	return "about " + report.Duration(rest) + " left"
}
