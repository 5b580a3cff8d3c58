package spec

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"windtunnel.test/sim/vclock"
)

// Where a spec's seeds come from.
const (
	// SeedVariable is the environment variable that sets every spec's seed.
	SeedVariable = "WINDTUNNEL_SEED"
	// SeedsVariable is the environment variable that has every spec run with each
	// of a range of seeds: "1-500", or "3,7,20-29". The flag -seeds of the test
	// binary does the same, and goes before.
	SeedsVariable = "WINDTUNNEL_SEEDS"

	seedsFlag  = "seeds"
	seedSuffix = " [seed %d]" // what a spec's text gets

	// mostSeeds is how many seeds a range may have: each is a spec of its own.
	mostSeeds = 100_000
)

// The flag is read from the arguments by Seeds: what stands at the top of a file
// is planted before flags are parsed.
var _ = flag.String(seedsFlag, "", "run every spec with each of these seeds, such as 1-500 or 3,7,20-29, and tell the smallest that fails")

// Seeds are those of the range that was asked for; none: every spec runs once.
var Seeds = sync.OnceValues(func() ([]vclock.Seed, error) {
	text := os.Getenv(SeedsVariable)
	for i, a := range os.Args[1:] {
		name, value, has := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(a, "-"), "-"), "=")
		if name != seedsFlag || !strings.HasPrefix(a, "-") {
			continue
		}
		if !has && i+2 < len(os.Args) {
			value = os.Args[i+2]
		}
		text = value
	}
	seeds, err := parseSeeds(text)
	if err != nil {
		return nil, fmt.Errorf("-%s %q: %w", seedsFlag, text, err)
	}
	return share(seeds, os.Getenv(shareVariable)), nil
})

// parseSeeds reads numbers and ranges, and gives them in ascending order.
func parseSeeds(text string) ([]vclock.Seed, error) {
	var seeds []vclock.Seed
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("want numbers and ranges such as 1-500 or 3,7,20-29")
		}
		to, err := strconv.ParseUint(last, 10, 64)
		if err != nil || to < from {
			return nil, fmt.Errorf("want numbers and ranges such as 1-500 or 3,7,20-29")
		}
		if to-from >= mostSeeds || uint64(len(seeds))+to-from >= mostSeeds {
			return nil, fmt.Errorf("more than %d seeds", mostSeeds)
		}
		for n := from; ; n++ {
			seeds = append(seeds, vclock.Seed(n))
			if n == to {
				break
			}
		}
	}
	slices.Sort(seeds)
	return slices.Compact(seeds), nil
}

// bare is a spec's text without the seed that a range has given it.
func bare(text string) string {
	if i := strings.LastIndex(text, seedSuffix[:strings.Index(seedSuffix, "%")]); i >= 0 && strings.HasSuffix(text, "]") {
		return text[:i]
	}
	return text
}

// seedIn is the seed that a range has given a spec.
func seedIn(text string) (n uint64, ok bool) {
	_, err := fmt.Sscanf(strings.TrimPrefix(text, bare(text)), seedSuffix, &n)
	return n, err == nil
}

// smallest is what a range of seeds has found out about one spec.
type smallest struct {
	text           string // of the spec
	seed           uint64 // the smallest that failed
	failed, passed int
	report         ginkgo.SpecReport
}

// smallestOf looks through a run with a range of seeds; of specs that passed
// with all of them nothing is told.
func smallestOf(r ginkgo.Report) []smallest {
	found := map[string]*smallest{}
	for _, s := range r.SpecReports {
		seed, ok := seedIn(s.FullText())
		if !ok {
			continue
		}
		text := bare(s.FullText())
		of := found[text]
		if of == nil {
			of = &smallest{text: text}
			found[text] = of
		}
		switch {
		case s.Failed():
			if of.failed == 0 || seed < of.seed {
				of.seed, of.report = seed, s
			}
			of.failed++
		case s.State.Is(types.SpecStatePassed):
			of.passed++
		}
	}
	var list []smallest
	for _, of := range found {
		if of.failed > 0 {
			list = append(list, *of)
		}
	}
	slices.SortFunc(list, func(a, b smallest) int { return cmp.Compare(a.text, b.text) })
	return list
}

// String is what a person wants to know, with the command that shows it.
func (s smallest) String() string {
	return fmt.Sprintf("%s\n  fails with %d of %d seeds, the smallest is %d\n  Again: %s\n", s.text, s.failed, s.failed+s.passed, s.seed,
		replayOf(s.report, s.seed))
}

// tellSmallest is the end of a run with a range of seeds.
func tellSmallest(r ginkgo.Report) string {
	var b strings.Builder
	for _, s := range smallestOf(r) {
		fmt.Fprintf(&b, "\nSmallest failing seed of %s", s)
	}
	return b.String()
}
