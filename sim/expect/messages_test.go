package expect_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/expect"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

var update = flag.Bool("update", false, "write golden files")

// fresh is a PC that nobody has switched on, with a story made up for it.
func fresh(t *testing.T) *device.PC {
	t.Helper()
	begin := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	clock := vclock.NewVirtual(vclock.Options{Seed: 1, Start: begin})
	network := vnet.New(clock, vnet.Options{})
	hardware := device.Makes[0].Build(vclock.Seed(1).Stream("PC-1"))
	hardware.Serial = "S-1"
	pc := device.New(device.Options{Name: "PC-1", Clock: clock, Hardware: hardware, NIC: network.Attach(vnet.NICOptions{Device: "PC-1"})})
	story := []journal.Event{
		{Kind: "device.power.on"},
		{Kind: "screen.shown", Fields: []journal.Field{journal.F("screen", "oobe.language")}},
		{Kind: "http.request", Fields: []journal.Field{journal.F("host", "ztd.dds.microsoft.com"), journal.F("operation", "ztd.profile"), journal.F("status", 200)}},
		{Kind: journal.Refused, Fields: []journal.Field{journal.F("service", "mdm"), journal.F("operation", "mdm.enrol"), journal.F("check", "licence")}},
		{Kind: device.EventLogged, Fields: []journal.Field{journal.F("channel", device.LogAutopilot), journal.F("id", 171), journal.F("message", "refused")}},
		{Kind: "entra.device.compliance", Fields: []journal.Field{journal.F("compliant", false)}},
		{Kind: "autopilot.failed", Fields: []journal.Field{journal.F("code", "0x80180018")}},
		{Kind: "screen.shown", Fields: []journal.Field{journal.F("screen", "autopilot.failure")}},
	}
	for i := range story {
		story[i].Time, story[i].Device = begin.Add(time.Duration(i)*time.Minute), pc.Name
	}
	pc.History = slices.Values(story)
	pc.Disk.Registry.SetString(device.KeyOOBE, "Stage", "technician")
	pc.Disk.Registry.SetString(device.KeyUninstall+`\Agent`, "DisplayName", "Agent")
	return pc
}

// TestMessages: what a matcher says that fails, and what where it was not to
// succeed; a file for each.
func TestMessages(t *testing.T) {
	pc := fresh(t)
	for name, c := range map[string]struct{ fails, fits types.GomegaMatcher }{
		"becompliant":   {expect.BeCompliant(), nil},
		"bejoined":      {expect.BeJoined(expect.Entra), expect.BeJoined(expect.Nothing)},
		"berefusedby":   {expect.BeRefusedBy("vulnerable *"), expect.BeRefusedBy("lic*")},
		"beresealed":    {expect.BeResealed(), nil},
		"failwith":      {expect.FailWith(hresult.Fail), expect.FailWith(0x80180018)},
		"haveinstalled": {expect.HaveInstalled("Office"), expect.HaveInstalled("Agent")},
		"havelogged":    {expect.HaveLogged("*Autopilot", 161), expect.HaveLogged(device.LogAutopilot, 171)},
		"reachdesktop":  {expect.ReachDesktop(), nil},
		"reachscreen":   {expect.ReachScreen("desktop*"), expect.ReachScreen("autopilot.failure")},
		"seerequest":    {expect.SeeRequest("*.microsoftaik.azure.net", "aik.*"), expect.SeeRequest("ztd.*", "ztd.profile")},
		"takevirtual":   {expect.TakeVirtual(time.Minute), expect.TakeVirtual(7 * time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			ok, err := c.fails.Match(pc)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(ok).To(gomega.BeFalse())
			said := c.fails.FailureMessage(pc)
			if c.fits != nil {
				ok, err = c.fits.Match(pc)
				g.Expect(err).NotTo(gomega.HaveOccurred())
				g.Expect(ok).To(gomega.BeTrue())
				said += "\n--- where it was not to:\n" + c.fits.NegatedFailureMessage(pc)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				g.Expect(os.WriteFile(golden, []byte(said), 0o644)).To(gomega.Succeed())
			}
			want, err := os.ReadFile(golden)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(said).To(gomega.Equal(string(want)))
		})
	}
}
