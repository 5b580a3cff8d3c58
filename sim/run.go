package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/outcome"
	"windtunnel.test/sim/scenario"
)

// Result is a summary and what somebody who looks into a failure needs.
type Result struct {
	*Summary
	// Samples are the serial numbers of one PC of each failure group, or of all
	// PCs in a run of a few.
	Samples   []string
	timelines map[string][]journal.Event
}

// Timelines gives the last events of a sample.
func (r *Result) Timelines(serial string) []journal.Event { return r.timelines[serial] }

// few is how small a run is of which every PC's timeline is kept.
const few = 8

// Run runs a scenario: its fleet is dealt into cells, and each cell is a world
// that lives until its people are through. An interrupt through ctx ends all
// cells and sums up what was done; it is not an error.
func Run(ctx context.Context, o RunOptions) (*Result, error) {
	s := o.Scenario
	all := s.Devices()
	ids := Chips(s)
	before := o.Lab.Stats()
	watch := newWatch(o, len(all))
	err := o.Lab.Build(ctx, ids, watch.images)
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("make TPM images: %w", err)
	}
	cells := make([]*cell, s.Cells)
	if ctx.Err() == nil {
		if err := runCells(ctx, o, watch, all, cells); err != nil {
			return nil, err
		}
	}
	sum := &Summary{
		Build: Build(), Scenario: s.Name, Seed: uint64(s.Seed), Home: o.Home.String(), Devices: len(all), Cells: s.Cells,
		Outcomes: map[string]int{}, Start: s.Start, End: s.Start, NotModelled: s.NotModelled, Interrupted: ctx.Err() != nil,
		CellHashes: []string{}, Failures: []FailureGroup{}, Expectations: []Expectation{},
	}
	result := &Result{Summary: sum, timelines: map[string][]journal.Event{}}
	result.addUp(cells)
	after := o.Lab.Stats()
	sum.TPM.Commands, sum.TPM.EngineSeconds = after.Commands-before.Commands, after.EngineSeconds-before.EngineSeconds
	sum.TPM.DistinctEKs = after.DistinctEKs - before.DistinctEKs
	sum.TPM.images(ids, before.ImagesMade, after.ImagesMade)
	sum.TPM.EnginesLost = after.EnginesLost - before.EnginesLost
	sum.IdleFaults = idleFaults(s.Faults, cells)
	sum.judge(s, cells)
	if watch.err != nil {
		return result, fmt.Errorf("write the run's journal: %w", watch.err)
	}
	return result, nil
}

// runCells lives through all cells, so many side by side.
func runCells(ctx context.Context, o RunOptions, watch *watch, all []scenario.Device, cells []*cell) error {
	parallel := o.Parallel
	if parallel < 1 {
		parallel = runtime.GOMAXPROCS(0)
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for n := range cells {
		group.Go(func() error {
			c, err := runCell(gctx, o, watch, all, n)
			cells[n] = c
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("cell %d: %w", n, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// cell is what is kept of a world that has ended.
type cell struct {
	hash      string
	ends      []End
	phases    phases
	end       time.Time
	events    uint64
	scheduled uint64
	counts    map[string]int
	fired     map[string]bool
	problems  []string
	attested  int
	timelines map[string][]journal.Event
	judge     *outcome.Judge
}

func runCell(ctx context.Context, o RunOptions, watch *watch, all []scenario.Device, n int) (*cell, error) {
	expect := o.Scenario.Expect
	sinks, judge := []journal.Sink{watch.sink(n)}, outcome.New(expect)
	if judge.Any() {
		sinks = append(sinks, journal.SinkFunc(judge.Event))
		o.Ended = judgedAtEnd(judge, o.Ended)
	}
	w, err := newCell(o, all, n, sinks...)
	if err != nil {
		return nil, err
	}
	watch.begin(n, w)
	w.Start(context.WithoutCancel(ctx)) // an interrupt stops the clock; in the world nothing happens
	err = w.Run(ctx, untilOf(o.Scenario))
	c := &cell{ends: w.Ends(), phases: w.phases, end: w.Clock.Now(), scheduled: w.Virtual().Stats().Events, hash: w.Journal.Hash(), events: w.Journal.Count(), counts: w.counts, fired: w.fired, problems: w.problems, attested: w.attested()}
	c.timelines, c.judge = w.samples(), judge
	if err == nil && judge.Any() { // after the trace hash is taken, which is the fleet's alone
		err = w.judged(ctx, judge, expect, w.Clock.Now().Add(judgeTime))
	}
	w.leaveAll()
	watch.end(w)
	return c, errors.Join(err, w.Close())
}

// judgeTime is virtual time enough for any number of questions to Graph.
const judgeTime = 24 * time.Hour

// samples are the timelines worth keeping: of one PC of each failure group, of
// every PC where there are few.
func (w *World) samples() map[string][]journal.Event {
	keep := map[string][]journal.Event{}
	for _, g := range groupFailures(w.Ends()) {
		keep[g.Sample] = w.Timeline.Timeline(w.PC(g.Sample).Name)
	}
	if len(w.PCs) <= few {
		for _, pc := range w.PCs {
			keep[pc.Hardware.Serial] = w.Timeline.Timeline(pc.Name)
		}
	}
	return keep
}

// idleFaults are the names of rules that have fired nowhere.
func idleFaults(rules []fault.Rule, cells []*cell) (names []string) {
	for _, r := range rules {
		if !slices.ContainsFunc(cells, func(c *cell) bool { return c != nil && c.fired[r.Name] }) {
			names = append(names, r.Name)
		}
	}
	return names
}

// addUp sums over the cells in their order. A cell that an interrupt kept from
// beginning is nil.
func (r *Result) addUp(cells []*cell) {
	var (
		ends  []End
		times phases
	)
	for _, c := range cells {
		if c == nil {
			continue
		}
		r.CellHashes = append(r.CellHashes, c.hash)
		ends = append(ends, c.ends...)
		times.merge(c.phases)
		r.Events += c.events
		r.Scheduled += c.scheduled
		r.Refusals += c.counts[journal.Refused]
		r.Faults += c.counts[fault.Fired]
		r.TPM.Attested += c.attested
		r.Problems = append(r.Problems, c.problems...)
		if c.end.After(r.End) {
			r.End = c.end
		}
		for serial, events := range c.timelines {
			r.timelines[serial] = events
		}
	}
	r.TraceHash = journal.Combine(r.CellHashes)
	r.VirtualSeconds = r.End.Sub(r.Start).Seconds()
	r.Phases = times.stats()
	for _, e := range ends {
		r.Outcomes[e.Outcome]++
	}
	if missing := r.Devices - len(ends); missing > 0 {
		r.Outcomes[Unfinished] += missing
	}
	r.Failures = groupFailures(ends)
	for _, g := range r.Failures {
		r.Samples = append(r.Samples, g.Sample)
	}
	if len(ends) <= few {
		for _, e := range ends {
			if !slices.Contains(r.Samples, e.Serial) {
				r.Samples = append(r.Samples, e.Serial)
			}
		}
	}
}
