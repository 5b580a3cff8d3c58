package main

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/walk"
)

var walkVerb = &verb{
	name: "walk", args: "[FILE]", short: "fail every exchange of a flow in every way, one life each",
	long: `
One PC of the scenario, or of the built-in one, goes its way undisturbed: every
request that it makes and every class of TPM commands is an exchange. Then it
lives once for each exchange and each kind of fault, in a world of its own. A
life may end at success, on a page that says what failed, with a code and a
record in a log, or in a wait that Windows is known for. Whatever else hangs,
panics or ends without a code is a FAILURE, and the exit code is 1.

  windtunnel walk                                  the built-in scenario, joined to Entra ID
  windtunnel walk scenarios/hybrid/hybrid.yaml     a PC that is a domain's
  windtunnel walk --faults 503,drop --every 7      a sample
  windtunnel walk --only 26/corrupt                one cell of the table again
  windtunnel walk --only 'drs.join/corrupt' -v     by its operation, and the story of that life

Kinds of faults: ` + "%s" + `.
In the folder of --out: walk.json, report.html, table.txt, and for each FAILURE
a scenario file that shows it again with "windtunnel run".`,
}

func init() {
	var names []string
	for _, k := range walk.Kinds() {
		names = append(names, k.Name)
	}
	walkVerb.long = fmt.Sprintf(walkVerb.long, wrapped(names, 60))
	walkVerb.run = runWalk
}

// wrapped is a list in lines of a width.
func wrapped(words []string, width int) string {
	var b strings.Builder
	at := 0
	for i, w := range words {
		if i > 0 {
			b.WriteString(",")
			if at += len(w) + 2; at > width {
				b.WriteString("\n")
				at = 0
			} else {
				b.WriteString(" ")
			}
		}
		b.WriteString(w)
	}
	return b.String()
}

// walkFlags are those of the verb.
type walkFlags struct {
	fleet
	file   string
	seed   *vclock.Seed
	faults string
	out    string
	o      walk.Options
}

func runWalk(sh *shell) (int, error) {
	var f walkFlags
	fs := sh.flags()
	fs.StringVar(&f.o.Only, "only", "", "`CELL`: a part of the table: an exchange's number, name or operation, with or without /FAULT")
	fs.StringVar(&f.faults, "faults", "", "`LIST`: these kinds of faults alone, separated by commas")
	number(fs, &f.o.Every, "every", 1, 10000, "`N`: every Nth life alone, a sample")
	fs.StringVar(&f.out, "out", "", "`DIR`: keep walk.json, the table and a scenario file for each failure there")
	seedFlag(fs, &f.seed)
	homeFlag(fs, &f.home)
	number(fs, &f.parallel, "parallel", 1, 1024, "`N`: lives side by side (default: as many as there are cores); changes nothing in the result")
	cacheFlag(fs, &f.tpmCache)
	fs.Var(&f.detail, "v", "print the story of the PC, where one life alone was walked; -v -v: with every request, TPM command and log line")
	names, err := sh.parse(fs, 1)
	if err != nil {
		return helped(err)
	}
	if len(names) == 1 {
		f.file = names[0]
	}
	if f.faults != "" {
		f.o.Kinds = strings.Split(f.faults, ",")
	}
	s, err := load(f.file, false)
	if err != nil {
		return 0, err
	}
	s, problems := s.Resolve(scenario.Flags{Seed: f.seed})
	if err := problems.Err(); err != nil {
		return 0, err
	}
	sh.warn(s)
	r, err := f.walk(sh, s)
	if err != nil {
		return 0, err
	}
	return f.show(sh, r)
}

// walk walks, with a progress display.
func (f *walkFlags) walk(sh *shell, s *scenario.Scenario) (*walk.Result, error) {
	cores := runtime.GOMAXPROCS(0)
	lab, err := vtpm.Open(vtpm.Options{CacheDir: f.tpmCache, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return nil, err
	}
	sim.TuneCollector()
	bar := newProgress(sh)
	f.o.Scenario, f.o.Lab, f.o.Home, f.o.Parallel = s, lab, f.home, cmp.Or(f.parallel, cores)
	f.o.Progress = func(done, total int) { bar.update(sim.Progress{Stage: "walk", Done: done, Total: total}) }
	r, err := walk.Run(sh.ctx, f.o)
	bar.end()
	if cerr := lab.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, &inputError{err} // the flow does not succeed, or there is no such cell
	}
	return r, nil
}

// again is the command that walks one cell.
func (f *walkFlags) again(r *walk.Result, l walk.Life) string {
	words := []string{"windtunnel walk"}
	if f.file != "" {
		words = append(words, report.Quote(f.file))
	}
	if f.seed != nil {
		words = append(words, fmt.Sprintf("--seed %d", uint64(*f.seed)))
	}
	if name := r.Home; homes[name] != homes["direct"] {
		words = append(words, "--home "+name)
	}
	return strings.Join(append(words, "--only", report.Quote(l.Cell()), "-v"), " ")
}
