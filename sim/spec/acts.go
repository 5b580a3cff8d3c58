package spec

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vnet"
)

// Read is the screen as somebody in front of the PC sees it.
func (w *World) Read(pc *device.PC) device.Screen { return pc.Screen() }

// BlockHost puts a rule before all others of a site's firewall: connections to hosts
// that fit the glob are refused, or what the mode says.
func (w *World) BlockHost(site, host string, mode ...vnet.BlockMode) {
	ginkgo.GinkgoHelper()
	w.hasSite(site)
	how := vnet.Refuse
	if len(mode) > 0 {
		how = mode[0]
	}
	gomega.Expect(w.Sites[site].Block(host, how)).To(gomega.Succeed())
}

func (w *World) hasSite(name string) {
	ginkgo.GinkgoHelper()
	if w.Sites[name] == nil {
		ginkgo.Fail(fmt.Sprintf("the world has no site %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(w.Sites)), ", ")))
	}
}

// UnblockHost takes the rules with exactly this host away again.
func (w *World) UnblockHost(site, host string) {
	ginkgo.GinkgoHelper()
	w.hasSite(site)
	gomega.Expect(w.Sites[site].Unblock(host)).To(gomega.BeTrue(), "no rule of %s blocks %s", site, host)
}

// SetClock sets the firmware clock of a PC that is off: so much ahead of the
// true time, or behind it.
func (w *World) SetClock(pc *device.PC, ahead time.Duration) {
	ginkgo.GinkgoHelper()
	gomega.Expect(pc.On()).To(gomega.BeFalse(), "%s is on: Windows would not see it before its next start", pc.Name)
	now := w.Clock.Now()
	pc.RTC.Adjust(now, now.Add(ahead))
}

// Change does what an entry of a scenario file's timeline does, now: an action
// as YAML, such as
//
//	w.Change(`unassign: {object: Agent, to: Autopilot PCs}`)
//	w.Change(`deleteManagedDevice: {device: PC-1}`)
func (w *World) Change(action string) {
	ginkgo.GinkgoHelper()
	do := w.action(action)
	gomega.Expect(w.try(func(ctx context.Context) error { return w.Act(ctx, do) })).To(gomega.Succeed(), action)
}

// action reads an action with the world's own tenant, sites and domain around
// it, so that it may name what is there.
func (w *World) action(text string) scenario.Action {
	ginkgo.GinkgoHelper()
	around := *w.scenario
	around.Timeline, around.Expect = nil, nil
	file, err := scenario.Marshal(&around, "")
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	do, err := parseAction(file, text)
	if err != nil {
		ginkgo.Fail(fmt.Sprintf("w.Change: %v\nin\n%s", err, text))
	}
	return do
}

// parseAction reads an action behind the scenario around it, which nobody sees:
// mistakes have their places in the action's text.
func parseAction(around []byte, text string) (scenario.Action, error) {
	const indent = "      "
	var b strings.Builder
	fmt.Fprintf(&b, "%stimeline:\n  - at: 0s\n    do:\n", around)
	before := strings.Count(b.String(), "\n")
	for line := range strings.Lines(text) {
		b.WriteString(indent + strings.TrimRight(line, "\n") + "\n")
	}
	read, problems := scenario.Load("", []byte(b.String()), scenario.Options{})
	for i := range problems {
		p := &problems[i]
		p.Line, p.Col = max(p.Line-before, 1), max(p.Col-len(indent), 1)
		p.Message = strings.ReplaceAll(p.Message, "timeline[0].do.", "")
	}
	if err := problems.Err(); err != nil {
		return scenario.Action{}, err
	}
	return read.Timeline[0].Do, nil
}
