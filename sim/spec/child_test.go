package spec_test

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
)

var update = flag.Bool("update", false, "write golden files anew")

// The suites of testdata as test binaries, and Ginkgo's own command, each built
// once.
var (
	built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "suites") })
	ways  = sync.OnceValues(func() (string, error) { return build("ways.test", "test", "-c", "./testdata/ways") })
	fails = sync.OnceValues(func() (string, error) { return build("fails.test", "test", "-c", "./testdata/fails") })
	cli   = sync.OnceValues(func() (string, error) { return build("ginkgo", "build", "github.com/onsi/ginkgo/v2/ginkgo") })
)

func build(name, verb string, args ...string) (string, error) {
	dir, err := built()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, name)
	if out, err := exec.Command("go", append([]string{verb, "-o", binary}, args...)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", verb, err, out)
	}
	return binary, nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		_ = os.RemoveAll(dir) // what is left is the system's to remove
	}
	os.Exit(code)
}

// binary gives a file that was built.
func binary(t *testing.T, of func() (string, error)) string {
	t.Helper()
	file, err := of()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// run runs a command in an environment without seeds, and gives what it printed
// and whether it was content.
func run(t *testing.T, env []string, name string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.Command(name, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "WINDTUNNEL_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func readReport(t *testing.T, file string) types.Report {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []types.Report
	if err := json.Unmarshal(text, &list); err != nil || len(list) != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	return list[0]
}

// junit counts the cases of a JUnit report that were not skipped, and those that failed.
func junit(t *testing.T, file string) (ran, failed int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Cases []struct {
			Failure, Error, Skipped *struct{}
			Inner                   string `xml:",innerxml"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(text, &suites); err != nil {
		t.Fatal(err)
	}
	for _, c := range suites.Cases {
		if strings.Contains(c.Inner, "<skipped") {
			continue
		}
		ran++
		if strings.Contains(c.Inner, "<failure") || strings.Contains(c.Inner, "<error") {
			failed++
		}
	}
	return ran, failed
}

func TestGinkgosOwnWaysWork(t *testing.T) {
	g := gomega.NewWithT(t)
	ways, fails, ginkgo, dir := binary(t, ways), binary(t, fails), binary(t, cli), t.TempDir()

	out, ok := run(t, nil, ways, "-ginkgo.no-color", "-ginkgo.junit-report="+dir+"/one.xml", "-ginkgo.json-report="+dir+"/one.json")
	g.Expect(ok).To(gomega.BeTrue(), out)
	ran, failed := junit(t, dir+"/one.xml")
	g.Expect([]int{ran, failed}).To(gomega.Equal([]int{7, 0}))
	g.Expect(readReport(t, dir+"/one.json").SpecReports.CountWithState(types.SpecStatePassed)).To(gomega.Equal(7))

	out, ok = run(t, nil, ways, "-ginkgo.no-color", "-ginkgo.label-filter=flow")
	g.Expect(ok).To(gomega.BeTrue(), out)
	g.Expect(out).To(gomega.ContainSubstring("Ran 1 of 7 Specs"))

	out, ok = run(t, nil, ginkgo, "run", "--procs=2", "--no-color", "--repeat=1", "--output-dir="+dir, "--junit-report=two.xml", ways)
	g.Expect(ok).To(gomega.BeTrue(), out)
	g.Expect(out).To(gomega.ContainSubstring("This was attempt 1 of 2"))
	ran, failed = junit(t, dir+"/two.xml")
	g.Expect([]int{ran, failed}).To(gomega.Equal([]int{7, 0}))

	out, ok = run(t, nil, ginkgo, "run", "--no-color", "--until-it-fails", "--focus=fails with some", fails)
	g.Expect(ok).To(gomega.BeFalse(), out)
	g.Expect(out).To(gomega.ContainSubstring("Ran 1 of 5 Specs"))

	out, ok = run(t, nil, ginkgo, "run", "--procs=2", "--no-color", "--focus=with a range", fails, "--", "-seeds", "1-20")
	g.Expect(ok).To(gomega.BeFalse(), out)
	g.Expect(out).To(gomega.ContainSubstring("fails with 9 of 20 seeds, the smallest is 4"))
}

func TestARangeOfSeedsTellsTheSmallestThatFails(t *testing.T) {
	g := gomega.NewWithT(t)
	fails, dir := binary(t, fails), t.TempDir()
	for _, how := range []struct {
		env, args []string
	}{
		{nil, []string{"-seeds", "1-20"}},
		{nil, []string{"--seeds=1-20"}},
		{[]string{"WINDTUNNEL_SEEDS=1-20"}, nil},
		{[]string{"WINDTUNNEL_SEEDS=1-20", "GOMAXPROCS=1"}, nil},
	} {
		args := append([]string{"-test.run=TestFails", "-ginkgo.no-color", "-ginkgo.focus", "with a range", "-ginkgo.junit-report=" + dir + "/seeds.xml"}, how.args...)
		out, ok := run(t, how.env, fails, args...)
		g.Expect(ok).To(gomega.BeFalse(), out)
		g.Expect(out).To(gomega.ContainSubstring("Smallest failing seed of with a range of seeds fails with some\n  fails with 9 of 20 seeds, the smallest is 4\n  Again: WINDTUNNEL_SEED=4 go test windtunnel.test/sim/spec/testdata/fails -ginkgo.focus 'with a range of seeds fails with some$'\n"))
		ran, failed := junit(t, dir+"/seeds.xml")
		g.Expect(ran).To(gomega.BeElementOf(40, 41), "one for each seed; Ginkgo counts the one that tells of them where it runs alone")
		g.Expect(failed).To(gomega.Equal(9))
	}
	for seed, want := range map[string]bool{"3": true, "4": false} { // what is printed as Again
		out, ok := run(t, []string{"WINDTUNNEL_SEED=" + seed}, fails, "-ginkgo.focus", "with a range of seeds fails with some$")
		g.Expect(ok).To(gomega.Equal(want), out)
	}
	for _, wrong := range []string{"x", "5-1", "1-", "1-1000000"} {
		out, ok := run(t, nil, fails, "-seeds", wrong)
		g.Expect(ok).To(gomega.BeFalse(), wrong)
		g.Expect(out).To(gomega.ContainSubstring(`-seeds "`+wrong+`"`), wrong)
	}
}

func TestASpecEndsAtItsTimeout(t *testing.T) {
	g := gomega.NewWithT(t)
	out, ok := run(t, nil, binary(t, fails), "-ginkgo.no-color", "-ginkgo.label-filter=endless")
	g.Expect(ok).To(gomega.BeFalse())
	g.Expect(out).To(gomega.ContainSubstring("[TIMEDOUT] A spec timeout occurred"))
}

// What happens on a PC is for other tests; here it is the form that counts.
var (
	timelineLine = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d .*\n`)
	pointer      = regexp.MustCompile(`0x[0-9a-f]{8,}`)
	timesFired   = regexp.MustCompile(`\d+ times, first at [0-9:]+`)
)

func TestAFailedSpecSaysWhatHappened(t *testing.T) {
	g := gomega.NewWithT(t)
	fails, dir := binary(t, fails), t.TempDir()
	_, ok := run(t, nil, fails, "-ginkgo.focus=is told with all that is known", "-ginkgo.json-report="+dir+"/fails.json")
	g.Expect(ok).To(gomega.BeFalse())
	var said string
	for _, r := range readReport(t, dir+"/fails.json").SpecReports {
		for _, e := range r.ReportEntries {
			said += e.Name + "\n" + e.StringRepresentation()
		}
	}
	lines := timelineLine.FindAllString(said, -1)
	g.Expect(len(lines)).To(gomega.BeNumerically("~", 29, 1), "the last 30, of which a date may be one")
	first := true
	said = timelineLine.ReplaceAllStringFunc(said, func(string) string {
		if first {
			first = false
			return "HH:MM:SS ...\n"
		}
		return ""
	})
	said = timesFired.ReplaceAllString(pointer.ReplaceAllString(said, "0x..."), "N times, first at HH:MM:SS")
	golden := filepath.Join("testdata", "failure.golden")
	if *update {
		g.Expect(os.WriteFile(golden, []byte(said), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(golden)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(said).To(gomega.Equal(string(want)))
}
