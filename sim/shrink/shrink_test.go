package shrink

import (
	"context"
	"os"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// load reads a scenario of so many PCs.
func load(t *testing.T, name string, text []byte, devices int) *scenario.Scenario {
	t.Helper()
	s, problems := scenario.Load(name, text, sim.LoadOptions(false))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s, problems = s.Resolve(scenario.Flags{Devices: devices})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s.Expect = nil
	return s
}

// wanted is a failure that a judge of scenarios finds.
var wanted = Failure{Outcome: sim.FailedEnd, Code: "0x81039001"}

// judged runs nothing: a scenario fails when fails says so.
func judged(fails func(s *scenario.Scenario) bool) func(context.Context, *scenario.Scenario) (*sim.Summary, error) {
	return func(_ context.Context, s *scenario.Scenario) (*sim.Summary, error) {
		sum := &sim.Summary{}
		if fails(s) {
			sum.Failures = []sim.FailureGroup{{Outcome: wanted.Outcome, Code: wanted.Code}}
		}
		return sum, nil
	}
}

func TestTheSmallestIsFoundWhateverIsRunSideBySide(t *testing.T) {
	g := gomega.NewWithT(t)
	s := load(t, quickstart.Name, quickstart.YAML, 40)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		s.Faults = append(s.Faults, fault.Rule{Name: name, When: fault.When{Host: name + ".example"}, Do: fault.Action{Status: 503}})
	}
	// Two PCs must meet, with two of the faults, and one app.
	need := judged(func(s *scenario.Scenario) bool {
		rules, apps := map[string]bool{}, 0
		for _, r := range s.Faults {
			rules[r.Name] = true
		}
		for _, a := range s.Tenant.Apps {
			if a.DisplayName == "Contoso Notes" {
				apps++
			}
		}
		return s.Fleet.Count() >= 2 && rules["b"] && rules["d"] && apps == 1
	})
	var runs []int
	for _, parallel := range []int{1, 3} {
		r, err := Shrink(context.Background(), Options{Scenario: s, Failure: wanted, Run: need, Parallel: parallel})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(r.Whole).To(gomega.BeTrue())
		small := r.Scenario
		g.Expect(small.Fleet.Count()).To(gomega.Equal(2))
		g.Expect(small.Faults).To(gomega.HaveLen(2))
		g.Expect(small.Tenant.Apps).To(gomega.HaveLen(1))
		g.Expect(small.Tenant.Configurations).To(gomega.BeEmpty())
		g.Expect(small.Tenant.MoreUsers).To(gomega.BeNil())
		g.Expect(small.Cells).To(gomega.Equal(1))
		g.Expect(small.Fleet.Devices).To(gomega.BeEmpty(), "nothing that was pinned matters")
		g.Expect(r.Gone).To(gomega.ContainElements(Gone{"PCs", 40, 2}, Gone{"fault rules", 5, 2}))
		text, err := scenario.Marshal(small, "")
		g.Expect(err).NotTo(gomega.HaveOccurred())
		load(t, "small", text, 0)
		runs = append(runs, r.Runs)
	}
	g.Expect(runs[0]).To(gomega.Equal(runs[1]))
	g.Expect(runs[0]).To(gomega.BeNumerically("<", 200))
}

func TestRunsAreBounded(t *testing.T) {
	g := gomega.NewWithT(t)
	s := load(t, quickstart.Name, quickstart.YAML, 40)
	r, err := Shrink(context.Background(), Options{Scenario: s, Failure: wanted, Run: judged(func(s *scenario.Scenario) bool { return s.Fleet.Count() > 7 }), Most: 10})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Whole).To(gomega.BeFalse())
	g.Expect(r.Runs).To(gomega.Equal(10))
	g.Expect(r.Scenario.Fleet.Count()).To(gomega.BeNumerically("<=", 20))

	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	r, err = Shrink(ctx, Options{Scenario: s, Failure: wanted, Run: judged(func(*scenario.Scenario) bool {
		if n++; n == 3 {
			cancel()
		}
		return true
	})})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Whole).To(gomega.BeFalse(), "interrupted")

	_, err = Shrink(context.Background(), Options{Scenario: s, Failure: wanted, Run: judged(func(*scenario.Scenario) bool { return false })})
	g.Expect(err).To(gomega.MatchError(ErrAnother))
}

// TestASeededFleetShrinks shrinks a fleet of which one PC fails, for one reason
// of several: its TPM's certificate authority is behind a wall.
func TestASeededFleetShrinks(t *testing.T) {
	g := gomega.NewWithT(t)
	text, err := os.ReadFile("testdata/fleet.yaml")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	s := load(t, "fleet.yaml", text, 0)
	lab, err := vtpm.Open(vtpm.Options{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	defer lab.Close()
	run := func(ctx context.Context, s *scenario.Scenario) (*sim.Summary, error) {
		r, err := sim.Run(ctx, sim.RunOptions{Scenario: s, Lab: lab, Parallel: 1})
		if err != nil {
			return nil, err
		}
		return r.Summary, nil
	}
	whole, err := run(context.Background(), s)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	failure := wanted
	failure.Phase = "DevicePreparation.TpmAttestationSubcategory"
	g.Expect(failure.In(whole)).To(gomega.BeTrue(), "%+v", whole.Failures)
	r, err := Shrink(context.Background(), Options{Scenario: s, Failure: failure, Run: run, Parallel: 2})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	small := r.Scenario
	t.Logf("%d runs: %v", r.Runs, r.Gone)
	g.Expect(r.Whole).To(gomega.BeTrue())
	g.Expect(small.Fleet.Count()).To(gomega.Equal(1))
	g.Expect(small.Tenant.Apps).To(gomega.BeEmpty())
	g.Expect(small.Faults).To(gomega.BeEmpty(), "the faults only delay")
	g.Expect(small.Sites).To(gomega.HaveLen(2), "bench and home")
	rules := 0
	for _, site := range small.Sites {
		rules += len(site.Block)
	}
	g.Expect(rules).To(gomega.Equal(1), "the wall")

	written, err := scenario.Marshal(small, "")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	again, err := run(context.Background(), load(t, "small.yaml", written, 0))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(failure.In(again)).To(gomega.BeTrue(), "as it is written, it fails in the same way")
}

// TestWhatNamesAPCFollowsIt has a fault and a change for the last PC of twelve.
func TestWhatNamesAPCFollowsIt(t *testing.T) {
	g := gomega.NewWithT(t)
	s := load(t, quickstart.Name, quickstart.YAML, 12)
	last := fault.When{Device: "PC-0012", Host: "graph.microsoft.com"}
	s.Faults = []fault.Rule{
		{Name: "of the last", When: last, Do: fault.Action{Status: 503}},
		{Name: "of the third", When: fault.When{Device: "PC-0003"}, Do: fault.Action{Status: 503}},
		{Name: "of any", When: fault.When{Device: "PC-*"}, Do: fault.Action{Status: 503}},
	}
	resealed := &scenario.EventMatch{Event: "device.resealed", Device: "PC-0012", Nth: 1}
	s.Timeline = []scenario.Change{
		{At: scenario.Moment{Event: resealed}, Do: scenario.Action{CutPower: &scenario.DeviceTarget{Device: "PC-0012"}}},
		{Do: scenario.Action{CutPower: &scenario.DeviceTarget{Device: "PC-0003"}}},
		{Do: scenario.Action{AddFault: &fault.Rule{Name: "later", When: fault.When{Device: "PC-0003"}, Do: fault.Action{Status: 503}}}},
		{Do: scenario.Action{RemoveFault: &scenario.FaultRule{Name: "later"}}},
		{Do: scenario.Action{SyncNow: &scenario.Now{}}},
	}
	c := keepDevices(s, []int{1, 4, 11})
	g.Expect(c.Faults).To(gomega.HaveLen(2))
	g.Expect(c.Faults[0].When.Device).To(gomega.Equal("PC-0003"))
	g.Expect(c.Faults[1].When.Device).To(gomega.Equal("PC-*"))
	g.Expect(c.Timeline).To(gomega.HaveLen(2))
	g.Expect(c.Timeline[0].At.Event.Device).To(gomega.Equal("PC-0003"))
	g.Expect(c.Timeline[0].Do.CutPower.Device).To(gomega.Equal("PC-0003"))
	g.Expect(s.Faults[0].When.Device).To(gomega.Equal("PC-0012"), "the whole one is as it was")
	g.Expect(resealed.Device).To(gomega.Equal("PC-0012"))
	g.Expect(s.Timeline[0].Do.CutPower.Device).To(gomega.Equal("PC-0012"))

	r, err := Shrink(context.Background(), Options{Scenario: s, Failure: wanted, Check: valid, Run: judged(func(s *scenario.Scenario) bool {
		for _, r := range s.Faults {
			for _, d := range s.Devices() {
				if r.Name == "of the last" && r.When.Device == d.Name {
					return true
				}
			}
		}
		return false
	})})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Scenario.Fleet.Count()).To(gomega.Equal(1))
	g.Expect(r.Scenario.Faults).To(gomega.HaveLen(1))
	g.Expect(r.Scenario.Faults[0].When.Device).To(gomega.Equal("PC-0001"))
}

// valid takes any scenario with a fleet.
func valid(s *scenario.Scenario) (*scenario.Scenario, bool) { return s, s.Fleet.Count() > 0 }

func TestNoOtherFailureIsTakenInPlace(t *testing.T) {
	g := gomega.NewWithT(t)
	s := load(t, quickstart.Name, quickstart.YAML, 6)
	apps := len(s.Tenant.Apps)
	g.Expect(apps).To(gomega.BeNumerically(">", 1))
	// Without any of the apps PCs fail as they did not before.
	r, err := Shrink(context.Background(), Options{Scenario: s, Failure: wanted, Check: valid, Run: func(_ context.Context, s *scenario.Scenario) (*sim.Summary, error) {
		sum := &sim.Summary{Failures: []sim.FailureGroup{{Outcome: wanted.Outcome, Code: wanted.Code}}}
		if len(s.Tenant.Apps) < apps {
			sum.Failures = append(sum.Failures, sim.FailureGroup{Outcome: wanted.Outcome, Code: "0x800705B4"})
		}
		return sum, nil
	}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Scenario.Fleet.Count()).To(gomega.Equal(1))
	g.Expect(r.Scenario.Tenant.Apps).To(gomega.HaveLen(apps))
}
