package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/sync/errgroup"

	"windtunnel.test/sim/vclock"
)

// shareVariable tells a process which part of a range of seeds is its own:
// "1/4" is the second of four.
const shareVariable = "WINDTUNNEL_SEEDS_SHARE"

// share deals seeds out, so that every process has small and large ones.
func share(seeds []vclock.Seed, part string) []vclock.Seed {
	var n, of int
	if _, err := fmt.Sscanf(part, "%d/%d", &n, &of); err != nil || of < 1 {
		return seeds
	}
	var own []vclock.Seed
	for i, s := range seeds {
		if i%of == n {
			own = append(own, s)
		}
	}
	return own
}

// processes is how many processes a suite is to be run in for its range of
// seeds: Ginkgo's own parallel run needs none of ours, and a coverage profile is
// one process's.
func processes() int {
	seeds, err := Seeds()
	suite, _ := ginkgo.GinkgoConfiguration()
	if err != nil || len(seeds) < 2 || suite.ParallelTotal > 1 || suite.DryRun || os.Getenv(shareVariable) != "" || testing.CoverMode() != "" {
		return 1
	}
	return min(runtime.GOMAXPROCS(0), len(seeds))
}

// runBeside runs the suite in so many processes, each with its share of the
// seeds, and reports as one run would.
func runBeside(t *testing.T, n int) {
	_, conf := ginkgo.GinkgoConfiguration()
	dir := t.TempDir()
	outputs := make([]bytes.Buffer, n)
	reports := make([]types.Report, n)
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			file := filepath.Join(dir, fmt.Sprintf("%d.json", i))
			cmd := exec.CommandContext(t.Context(), os.Args[0], childArgs(t.Name(), file)...)
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d/%d", shareVariable, i, n))
			cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
			ran := cmd.Run()
			var list []types.Report
			text, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(text, &list)
			}
			if err != nil || len(list) != 1 {
				return fmt.Errorf("a process of the suite has left no report (%w):\n%s", ran, &outputs[i])
			}
			reports[i] = list[0]
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
		return
	}
	whole := merge(reports)
	if !tell(t, whole, conf) {
		t.Fail()
	}
}

// childArgs are this process's arguments for another: the suite's own, without
// what would be written twice.
func childArgs(test, report string) []string {
	args := []string{"-test.run=^" + test + "$"}
	given := os.Args[1:]
	for i := 0; i < len(given); i++ {
		name, _, whole := strings.Cut(strings.TrimLeft(given[i], "-"), "=")
		if strings.HasPrefix(name, "test.") && name != "test.timeout" && name != "test.v" {
			if !whole && i+1 < len(given) && !strings.HasPrefix(given[i+1], "-") {
				i++ // its value
			}
			continue
		}
		args = append(args, given[i])
	}
	return append(args, "-ginkgo.junit-report=", "-ginkgo.teamcity-report=", "-ginkgo.gojson-report=", "-ginkgo.json-report="+report)
}

// merge is one report of all processes, by spec and seed.
func merge(reports []types.Report) types.Report {
	whole := reports[0]
	for _, r := range reports[1:] {
		whole = whole.Add(r)
		whole.PreRunStats.TotalSpecs += r.PreRunStats.TotalSpecs
		whole.PreRunStats.SpecsThatWillRun += r.PreRunStats.SpecsThatWillRun
	}
	slices.SortStableFunc(whole.SpecReports, func(a, b types.SpecReport) int {
		if c := strings.Compare(bare(a.FullText()), bare(b.FullText())); c != 0 {
			return c
		}
		x, _ := seedIn(a.FullText())
		y, _ := seedIn(b.FullText())
		return int(int64(x - y))
	})
	return whole
}

// tell prints a run with a range of seeds, and writes the reports that were
// asked for. Of the seeds with which a spec failed it prints the smallest.
func tell(t *testing.T, whole types.Report, conf types.ReporterConfig) bool {
	reporter := reporters.NewDefaultReporter(conf, formatter.ColorableStdOut)
	reporter.SuiteWillBegin(whole)
	for _, s := range smallestOf(whole) {
		reporter.DidRun(s.report)
	}
	for _, s := range whole.SpecReports {
		if _, seeded := seedIn(s.FullText()); !seeded && s.Failed() { // a node of the suite
			reporter.DidRun(s)
		}
	}
	passed, failed := whole.SpecReports.CountWithState(types.SpecStatePassed), whole.SpecReports.CountWithState(types.SpecStateFailureStates)
	fmt.Fprintf(formatter.ColorableStdOut, "\nRan %d of %d specs, one for each seed, in %.3f seconds: %d passed, %d failed\n%s",
		passed+failed, whole.PreRunStats.TotalSpecs, whole.RunTime.Seconds(), passed, failed, tellSmallest(whole))
	for _, w := range []struct {
		file  string
		write func(types.Report, string) error
	}{
		{conf.JSONReport, reporters.GenerateJSONReport}, {conf.JUnitReport, reporters.GenerateJUnitReport}, {conf.TeamcityReport, reporters.GenerateTeamcityReport},
	} {
		if w.file == "" {
			continue
		}
		if err := w.write(whole, w.file); err != nil {
			t.Error(err)
		}
	}
	return whole.SuiteSucceeded
}
