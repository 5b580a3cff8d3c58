package walk

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/ending"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

func TestKindsAreRules(t *testing.T) {
	g := gomega.NewWithT(t)
	seen := map[string]bool{}
	for _, k := range Kinds() {
		g.Expect(seen[k.Name]).To(gomega.BeFalse(), k.Name)
		seen[k.Name] = true
		g.Expect(Exchange{N: 1, Layer: k.Layer, Operation: "x", Nth: 1}.rule("PC-1", k).Validate()).To(gomega.Succeed())
	}
	_, err := chosen([]string{"503", "504"})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(`no kind of fault "504" (429, `)))
}

func TestOnlyNamesCells(t *testing.T) {
	g := gomega.NewWithT(t)
	flow := []Exchange{
		{N: 1, Layer: fault.TPM, Operation: "TPM2_Create", Nth: 1},
		{N: 2, Layer: fault.HTTP, Host: "a", Operation: "/x.msi", Nth: 1},
		{N: 3, Layer: fault.HTTP, Host: "a", Operation: "get", Nth: 2},
	}
	for only, want := range map[string][]string{
		"3/503": {"3 503"}, "a get (2)/503": {"3 503"}, "get/503": {"3 503"}, "a /x.msi/refuse": {"2 refuse"}, "TPM2_Create/tpm-retry": {"1 tpm-retry"},
		"1/503": nil, "a get/503": nil, "/503": {"2 503", "3 503"},
	} {
		o := Options{Only: only}
		part, kinds, err := o.chosen()
		g.Expect(err).NotTo(gomega.HaveOccurred())
		var got []string
		for _, c := range o.plan(flow, kinds, part) {
			got = append(got, fmt.Sprintf("%d %s", c.exchange.N, c.kind.Name))
		}
		g.Expect(got).To(gomega.Equal(want), only)
	}
	_, kinds, err := Options{Only: "3", Kinds: []string{"503", "429"}}.chosen()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(kinds).To(gomega.HaveLen(2))
}

func TestTheTableIsGrouped(t *testing.T) {
	g := gomega.NewWithT(t)
	a, b := Exchange{N: 1, Host: "a", Operation: "get"}, Exchange{N: 2, Operation: "TPM2_Create"}
	r := Result{Exchanges: []Exchange{a, b}, Counts: map[string]int{Success: 2, Documented: 2, Failure: 1}, Lives: []Life{
		{Exchange: a, Fault: "429", Outcome: Success}, {Exchange: a, Fault: "503", Outcome: Documented, Screen: "oobe.signin", Code: "0x801901F7"},
		{Exchange: a, Fault: "500", Outcome: Documented, Screen: "oobe.signin", Code: "0x801901F7"}, {Exchange: a, Fault: "drop", Outcome: Failure, Screen: "esp", Why: "hang: it stands"},
		{Exchange: b, Fault: "tpm-retry", Outcome: Success},
	}}
	var out bytes.Buffer
	g.Expect(r.Grouped(&out)).To(gomega.Succeed())
	g.Expect(out.String()).To(gomega.Equal(`  1  a get
       success                                         429
       documented  0x801901F7 oobe.signin              503, 500
       FAILURE     esp: hang: it stands                drop
  2  TPM2_Create
       success                                         tpm-retry

2 exchanges, 5 lives: 2 success, 2 documented, 0 endless, 1 FAILURE
`))
}

func TestExchangesAreNumbered(t *testing.T) {
	g := gomega.NewWithT(t)
	j := journal.NewMemory(0)
	w := journal.New(vclock.NewVirtual(vclock.Options{}), j)
	http := func(host, op string) {
		w.Record("PC-1", "http.request", journal.F("host", host), journal.F("operation", op))
	}
	tpm := func(op string) { w.Record("PC-1", "tpm.command", journal.F("operation", op)) }
	tpm("TPM2_Startup")
	http("a", "get")
	http("b", "get")
	tpm("TPM2_Create")
	http("a", "get")
	tpm("TPM2_Create")
	w.Record("PC-1", "device.resealed")
	g.Expect(numbered(j.Timeline("PC-1"))).To(gomega.Equal([]Exchange{
		{N: 1, Layer: fault.TPM, Operation: "TPM2_Startup", Nth: 1, Class: 1},
		{N: 2, Layer: fault.HTTP, Host: "a", Operation: "get", Nth: 1},
		{N: 3, Layer: fault.HTTP, Host: "b", Operation: "get", Nth: 1},
		{N: 4, Layer: fault.TPM, Operation: "TPM2_Create", Nth: 1, Class: 2},
		{N: 5, Layer: fault.HTTP, Host: "a", Operation: "get", Nth: 2},
	}))
}

// A walk is the same however many worlds live side by side, and each life is
// there again in the scenario that replays it.
func TestWalkIsRepeatable(t *testing.T) {
	g := gomega.NewWithT(t)
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, sim.LoadOptions(true))
	g.Expect(problems).To(gomega.BeEmpty())
	lab, err := vtpm.Open(vtpm.Options{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	defer func() { g.Expect(lab.Close()).To(gomega.Succeed()) }()
	walked := func(parallel int) *Result {
		r, err := Run(context.Background(), Options{Scenario: s, Lab: lab, Kinds: []string{"refuse"}, Every: 13, Limit: 4, Parallel: parallel})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		return r
	}
	r, again := walked(1), walked(3)
	g.Expect(r.Lives).To(gomega.HaveLen(4))
	one, err := r.JSON()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	other, err := again.JSON()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(other)).To(gomega.Equal(string(one)))
	var table bytes.Buffer
	g.Expect(r.Text(&table)).To(gomega.Succeed())
	g.Expect(strings.Count(table.String(), "refuse")).To(gomega.BeNumerically(">=", 4))

	for _, l := range r.Lives {
		file, err := r.Replay(l)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		replay, problems := scenario.Load("replay.yaml", file, sim.LoadOptions(true))
		g.Expect(problems).To(gomega.BeEmpty())
		var seen ending.Verdict
		run, err := sim.Run(context.Background(), sim.RunOptions{Scenario: replay, Lab: lab, Ended: func(ctx context.Context, w *sim.World, pc *device.PC, e sim.End) {
			seen = ending.Judge(ctx, w, pc, e, sim.Desktop)
		}})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(run.Faults).To(gomega.Equal(1))
		g.Expect(seen.Outcome).To(gomega.Equal(l.Outcome))
		g.Expect(seen.Code).To(gomega.Equal(l.Code))
		g.Expect(run.TraceHash).To(gomega.Equal(l.TraceHash))
	}
}
