package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel.test/sim"
	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/vtpm"
)

var issuesReproVerb = &verb{
	name: "issues repro", args: "ID...", short: "see an issue happen, and see that the documented remedy helps",
	long: `
Runs the issue's scenario and prints the story of its PCs with the deciding
moment marked; then the same PCs with the documented remedy; for issues of some
builds also a build on the other side, for races also a seed that hides them.
The exit code is 1 where something did not come as the catalogue says.

  windtunnel issues repro P04
  windtunnel issues repro --all           every issue, one line each, and the counts`,
}

func init() { issuesReproVerb.run = runIssuesRepro }

// roles are the parts of a reproduction, in words.
var roles = map[catalog.Role]string{
	catalog.Shown: "the issue", catalog.Remedy: "the remedy", catalog.Update: "the other side of the fix", catalog.Another: "an interleaving that hides it",
}

// reproFlags are those of the verb.
type reproFlags struct {
	dir, cache string
	all        bool
	detail     counter
}

func runIssuesRepro(sh *shell) (int, error) {
	const most = 1000 // entries
	var f reproFlags
	fs := sh.flags()
	catalogFlag(fs, &f.dir)
	cacheFlag(fs, &f.cache)
	fs.BoolVar(&f.all, "all", false, "every issue that has a scenario")
	fs.Var(&f.detail, "v", "with every request, TPM command and log line")
	names, err := sh.parse(fs, most)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0 && !f.all:
		return 0, inputErrorf("issues repro: which issue? usage: %s", usage(sh.verb))
	}
	l, err := openCatalog(f.dir)
	if err != nil {
		return 0, err
	}
	var entries []*catalog.Entry
	for _, n := range names {
		e, err := entryIn(l, n)
		if err != nil {
			return 0, err
		}
		entries = append(entries, e)
	}
	if f.all {
		entries = l.Entries
	}
	lab, err := vtpm.Open(vtpm.Options{CacheDir: f.cache, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return 0, err
	}
	sim.TuneCollector()
	exit, err := sh.reproduce(l, entries, f, lab)
	return exit, errors.Join(err, lab.Close())
}

// reproduce runs entries side by side and tells of each as soon as those before
// it are told.
func (sh *shell) reproduce(l *catalog.List, entries []*catalog.Entry, f reproFlags, lab *vtpm.Lab) (int, error) {
	began := time.Now()
	type outcome struct {
		r   *catalog.Reproduction
		err error
	}
	results := make([]chan outcome, len(entries))
	for i := range results {
		results[i] = make(chan outcome, 1)
	}
	ctx, cancel := context.WithCancel(sh.ctx)
	defer cancel()
	var runs errgroup.Group
	runs.SetLimit(runtime.GOMAXPROCS(0))
	go func() {
		for i, e := range entries {
			runs.Go(func() error {
				r, err := l.Repro(ctx, e, catalog.Options{Lab: lab})
				results[i] <- outcome{r, err}
				return nil
			})
		}
	}()
	t := tally{counts: map[catalog.State]int{}}
	for i := range entries {
		got := <-results[i]
		if ctx.Err() != nil {
			return 0, errInterrupted
		}
		t.count(got.r, got.err)
		var err error
		switch {
		case sh.json:
		case f.all || len(entries) > 1:
			err = sh.tellShort(entries[i], got.r, got.err)
		case got.err != nil:
			return 0, got.err
		default:
			err = sh.tellWhole(got.r, f)
		}
		if err != nil {
			return 0, err
		}
	}
	if sh.json {
		return t.exit(), sh.printJSON(t.lines)
	}
	if f.all || len(entries) > 1 {
		_, err := fmt.Fprintf(sh.out, "\n%s: %s\n%d held, %d did not; runs: %d, in %s\n", issuesOf(len(entries)), stateCounts(t.counts), t.held, t.missed, t.runs, report.Duration(time.Since(began)))
		return t.exit(), err
	}
	return t.exit(), nil
}

// tally counts what reproductions came to.
type tally struct {
	counts             map[catalog.State]int
	held, missed, runs int
	lines              []reproLine
}

// reproLine is a reproduction as --json prints it.
type reproLine struct {
	ID     string      `json:"id"`
	State  string      `json:"state"`
	Holds  bool        `json:"holds"`
	Error  string      `json:"error,omitempty"`
	Parts  []reproPart `json:"parts"`
	Moment string      `json:"moment,omitempty"` // the event that decides
}

type reproPart struct {
	Role      string            `json:"role"`
	Holds     bool              `json:"holds"`
	Missed    []string          `json:"missed,omitempty"`
	Seed      uint64            `json:"seed"`
	TraceHash string            `json:"traceHash"`
	Expected  []sim.Expectation `json:"expectations"`
}

func (t *tally) count(r *catalog.Reproduction, err error) {
	line := reproLine{ID: r.Entry.ID, State: string(r.Entry.State), Holds: err == nil && r.Holds(), Parts: []reproPart{}}
	t.counts[r.Entry.State]++
	if err != nil {
		line.Error = err.Error()
	}
	for _, p := range r.Parts {
		t.runs++
		line.Parts = append(line.Parts, reproPart{string(p.Role), p.Holds(), p.Missed(), uint64(p.Scenario.Seed), p.Result.TraceHash, p.Result.Expectations})
		if p.Moment != nil {
			line.Moment = p.Moment.String()
		}
	}
	switch {
	case !line.Holds:
		t.missed++
	case len(r.Parts) > 0:
		t.held++
	}
	t.lines = append(t.lines, line)
}

func (t *tally) exit() int { return exitIf(t.missed == 0) }

// tellShort is one line of an entry, and more where something is not as it says.
func (sh *shell) tellShort(e *catalog.Entry, r *catalog.Reproduction, err error) error {
	mark := "ok  "
	if err != nil || !r.Holds() {
		mark = "FAIL"
	} else if !e.Runs() {
		mark = "-   "
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-4s %-12s %s\n", mark, e.ID, e.State, e.Title)
	if err != nil {
		fmt.Fprintf(&b, "      %s\n", strings.ReplaceAll(err.Error(), "\n", "\n      "))
	}
	for _, p := range r.Parts {
		for _, m := range p.Missed() {
			fmt.Fprintf(&b, "      %s: %s\n", p.Role, m)
		}
	}
	_, werr := fmt.Fprint(sh.out, b.String())
	return werr
}

// tellWhole is an entry as it happens.
func (sh *shell) tellWhole(r *catalog.Reproduction, f reproFlags) error {
	e := r.Entry
	fmt.Fprintf(sh.out, "%s  %s\n%s\n", e.ID, e.Title, strings.Join(strings.Fields(e.Cause), " "))
	if len(r.Parts) == 0 {
		_, err := fmt.Fprintf(sh.out, "\nNo run shows it (%s): %s\n", e.State, e.Reason)
		return err
	}
	for _, p := range r.Parts {
		of := ""
		if p.Role != catalog.Shown { // whose cause stands above
			of = ": " + strings.Join(strings.Fields(p.Text), " ")
		}
		fmt.Fprintf(sh.out, "\n---- %s%s\n\n", upperFirst(roles[p.Role]), of)
		if err := tellStory(sh.out, p, f.detail > 0); err != nil {
			return err
		}
		for _, x := range p.Result.Expectations {
			fmt.Fprintf(sh.out, "  %s %s\n", tick(x.Met), x.Text)
		}
	}
	if h := e.Helped; h != nil && h.None != "" {
		fmt.Fprintf(sh.out, "\nNo remedy is documented: %s\n", h.None)
	}
	verdict := "It came as the catalogue says."
	if !r.Holds() {
		verdict = "It did NOT come as the catalogue says."
	}
	_, err := fmt.Fprintf(sh.out, "\n%s\n", verdict)
	return err
}

func tick(met bool) string {
	if met {
		return "ok  "
	}
	return "MISS"
}

// tellStory prints the timelines of a part's PCs: whole where the issue is
// shown, only how it ended where something makes it go away.
func tellStory(w io.Writer, p catalog.Run, everything bool) error {
	if p.Role != catalog.Shown {
		return nil
	}
	o := report.TimelineOptions{Detail: report.Story, Mark: p.Decides}
	if everything {
		o.Detail = report.Everything
	}
	chosen := newFollower(func(string) bool { return true })
	for _, x := range p.Events {
		_ = chosen.Write(x) // which has no error
	}
	told := false
	for _, serial := range p.Result.Samples {
		o.Title = "PC " + serial
		if err := report.Timeline(w, chosen.events[serial], o); err != nil {
			return err
		}
		fmt.Fprintln(w)
		told = told || slices.ContainsFunc(chosen.events[serial], p.Decides)
	}
	if p.Moment != nil && !told { // a service's doing, which is in no PC's story
		fmt.Fprintf(w, "<== %s\n\n", p.Moment)
	}
	return nil
}
