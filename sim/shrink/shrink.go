package shrink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
)

// Failure is what has to stay: how PCs end.
type Failure struct {
	Outcome string `json:"outcome"`
	Code    string `json:"code"`
	Phase   string `json:"phase"`
	Check   string `json:"check"`
}

// FailureOf is the failure of a group of PCs.
func FailureOf(g sim.FailureGroup) Failure {
	return Failure{Outcome: g.Outcome, Code: g.Code, Phase: g.Phase, Check: g.Check}
}

// In tells whether a run has it.
func (f Failure) In(s *sim.Summary) bool {
	for _, g := range s.Failures {
		if FailureOf(g) == f {
			return true
		}
	}
	return false
}

// Options say what is made small, and how.
type Options struct {
	Scenario *scenario.Scenario // resolved
	Failure  Failure
	// Run runs a scenario to its end. It is called by several goroutines.
	Run func(ctx context.Context, s *scenario.Scenario) (*sim.Summary, error)
	// Check says whether a scenario is one: the mistakes of a file with parts
	// missing. Nil: what scenario.Load says.
	Check    func(s *scenario.Scenario) (*scenario.Scenario, bool)
	Parallel int // runs side by side; changes nothing in the result
	Most     int // runs at most; 0: 300
	// Progress is told after each run, from one goroutine at a time.
	Progress func(Progress)
}

// mostRuns is the default of Options.Most.
const mostRuns = 300

// Progress is how far it is.
type Progress struct {
	Runs, Most int
	Part       string // kind of part that is being taken away
	Left, Of   int    // of that kind
	Devices    int    // of the smallest so far
}

// Gone is how many parts of a kind there were, and are.
type Gone struct {
	Part string `json:"part"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Result is the small scenario.
type Result struct {
	Scenario *scenario.Scenario
	Runs     int    // that it took
	Gone     []Gone // kinds of parts of which some are gone
	Whole    bool   // nothing more can be taken away; else the runs were used up
}

// ErrAnother says that the scenario does not fail as it is said to.
var ErrAnother = errors.New("run again, the scenario does not fail like that: is it of another build?")

// errSpent ends the search.
var errSpent = errors.New("runs used up")

// Shrink looks for the small scenario. Where runs are used up or ctx ends, the
// smallest so far is given, with Whole unset.
func Shrink(ctx context.Context, o Options) (*Result, error) {
	if o.Most == 0 {
		o.Most = mostRuns
	}
	if o.Check == nil {
		o.Check = check
	}
	h := &hunt{options: o, best: o.Scenario}
	if err := h.first(ctx); err != nil {
		return nil, err
	}
	err := h.rounds(ctx)
	switch {
	case errors.Is(err, errSpent), ctx.Err() != nil:
		return h.result(false), nil
	case err != nil:
		return nil, err
	}
	return h.result(true), nil
}

// hunt is a search under way.
type hunt struct {
	options Options
	best    *scenario.Scenario
	runs    int
	known   []Failure // kinds of failures that the whole run has
	gone    []Gone
	part    string
	left    int
	of      int
}

// first makes the whole run once more: it must fail as wanted, and whatever else
// it fails with may stay, too.
func (h *hunt) first(ctx context.Context) error {
	sum := h.run(ctx, h.best)
	if err := ctx.Err(); err != nil {
		return err
	}
	h.runs++
	h.tell()
	if sum == nil || !h.options.Failure.In(sum) {
		return ErrAnother
	}
	for _, g := range sum.Failures {
		h.known = append(h.known, FailureOf(g))
	}
	return nil
}

// run gives how a scenario ends, nil for one that is no scenario, or of which no
// world can be made.
func (h *hunt) run(ctx context.Context, s *scenario.Scenario) *sim.Summary {
	loaded, ok := h.options.Check(s)
	if !ok {
		return nil
	}
	sum, err := h.options.Run(ctx, loaded)
	if err != nil || sum.Interrupted {
		return nil
	}
	return sum
}

// wanted tells whether a run fails as it should, and in no way in which the whole
// run did not: what was taken away was then needed for something else.
func (h *hunt) wanted(sum *sim.Summary) bool {
	return sum != nil && h.options.Failure.In(sum) && !slices.ContainsFunc(sum.Failures, func(g sim.FailureGroup) bool {
		return !slices.Contains(h.known, FailureOf(g))
	})
}

// rounds takes parts away until nothing can be taken away any more.
func (h *hunt) rounds(ctx context.Context) error {
	for round := 0; ; round++ {
		before := len(h.gone)
		for _, p := range parts {
			if err := h.reduce(ctx, p); err != nil {
				return err
			}
		}
		if len(h.gone) == before {
			return nil
		}
	}
}

// result counts what is gone of each kind. Parts of one kind may go with those of
// another, as a rule for a PC does with the PC.
func (h *hunt) result(whole bool) *Result {
	r := &Result{Scenario: h.best, Runs: h.runs, Whole: whole, Gone: []Gone{}}
	for _, p := range parts {
		most := p.sizeOf(h.options.Scenario)
		for _, g := range h.gone {
			if g.Part == p.name {
				most = max(most, g.From)
			}
		}
		if left := p.sizeOf(h.best); left < most {
			r.Gone = append(r.Gone, Gone{p.name, most, left})
		}
	}
	return r
}

// try runs candidates, and gives the first that fails as wanted, -1 for none.
// Runs are counted as if one were made after the other, so that the count does
// not depend on how many are made side by side.
func (h *hunt) try(ctx context.Context, candidates []*scenario.Scenario) (int, error) {
	beside := max(1, h.options.Parallel)
	for at := 0; at < len(candidates); at += beside {
		batch := candidates[at:min(at+beside, len(candidates))]
		fails := make([]bool, len(batch))
		group, gctx := errgroup.WithContext(ctx)
		for i, c := range batch {
			group.Go(func() error {
				fails[i] = h.wanted(h.run(gctx, c))
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return -1, fmt.Errorf("shrink: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return -1, err
		}
		for i := range batch {
			if h.runs >= h.options.Most {
				return -1, errSpent
			}
			h.runs++
			h.tell()
			if fails[i] {
				return at + i, nil
			}
		}
	}
	return -1, nil
}

func (h *hunt) tell() {
	if h.options.Progress != nil {
		h.options.Progress(Progress{Runs: h.runs, Most: h.options.Most, Part: h.part, Left: h.left, Of: h.of, Devices: h.best.Fleet.Count()})
	}
}

// check reads the scenario as a file would be: what refers to parts that are gone
// is a mistake there.
func check(s *scenario.Scenario) (*scenario.Scenario, bool) {
	text, err := scenario.Marshal(s, "")
	if err != nil {
		return nil, false
	}
	loaded, problems := scenario.Load("shrunk.yaml", text, sim.LoadOptions(false))
	if len(problems) > 0 {
		return nil, false
	}
	loaded, problems = loaded.Resolve(scenario.Flags{})
	return loaded, len(problems) == 0
}
