package ending

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// still is a PC that shows a screen, with a story.
func still(screen device.Screen, story ...journal.Event) *device.PC {
	clock := vclock.NewVirtual(vclock.Options{Seed: 1, Start: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)})
	pc := device.New(device.Options{Name: "PC-1", Clock: clock, Hardware: device.Makes[0].Build(vclock.Seed(1).Stream("PC-1")),
		NIC: vnet.New(clock, vnet.Options{}).Attach(vnet.NICOptions{Device: "PC-1"})})
	pc.History = slices.Values(story)
	(&device.Windows{PC: pc}).Show(screen)
	return pc
}

func page(status string) device.Screen {
	return device.Screen{ID: oobe.ScreenESP, Rows: []device.Row{{Name: esp.RowApps, Status: status}}}
}

func connectivity(status string) journal.Event {
	return journal.Event{Kind: "http.request", Fields: []journal.Field{journal.F("host", hosts.NCSI), journal.F("status", status)}}
}

const provider = device.KeyTracking + `\Device\DevicePreparation\PolicyProviders\Sidecar`

// TestEndless: each documented wait is known by what brings it about, and a PC
// that stands still for any other reason is in none.
func TestEndless(t *testing.T) {
	world := &sim.World{Tenant: scenario.Tenant{Users: []scenario.User{
		{User: graph.User{UserPrincipalName: "none@contoso.com"}},
		{User: graph.User{UserPrincipalName: "all@contoso.com", AssignedLicenses: []graph.AssignedLicense{{}}}},
	}}}
	listed := func(user string) func(*device.PC) {
		return func(pc *device.PC) {
			r := pc.Disk.Registry
			r.SetDWORD(provider, "InstallationState", 3)
			r.SetDWORD(device.KeyTracking+`\Device\Setup\Apps\PolicyProviders\Sidecar`, "TrackingPoliciesCreated", 1)
			r.SetString(device.KeyOOBE, "UserUPN", user)
		}
	}
	skew := device.Screen{ID: oobe.ScreenLogon, Lines: []device.Line{{Label: oobe.LabelError, Value: hresult.TimeSkew.Hex()}}}
	for name, c := range map[string]struct {
		pc   *device.PC
		disk func(*device.PC)
		rule string
	}{
		"no provider lists its apps":     {still(page("Identifying")), nil, "T14, S24, S25"},
		"a provider has not listed them": {still(page("Identifying")), func(pc *device.PC) { pc.Disk.Registry.SetDWORD(provider, "InstallationState", 1) }, "T14, S24, S25"},
		"a user without a licence":       {still(page("Identifying")), listed("none@contoso.com"), "S26"},
		"a user with one":                {still(page("Identifying")), listed("all@contoso.com"), ""},
		"a user of nobody's":             {still(page("Identifying")), listed("who@contoso.com"), ""},
		"an app installs":                {still(page("1 of 3 installed")), nil, ""},
		"connectivity test blocked":      {still(device.Screen{ID: oobe.ScreenNetwork}, connectivity("200"), connectivity("0")), nil, "NCSI"},
		"connectivity test through":      {still(device.Screen{ID: oobe.ScreenNetwork}, connectivity("0"), connectivity("200")), nil, ""},
		"connectivity never tested":      {still(device.Screen{ID: oobe.ScreenNetwork}), nil, ""},
		"blocked, on another page":       {still(device.Screen{ID: oobe.ScreenEULA}, connectivity("0")), nil, ""},
		"the domain's clock":             {still(skew), nil, "T39"},
		"a logon screen":                 {still(device.Screen{ID: oobe.ScreenLogon}), nil, ""},
		"off":                            {still(device.Off), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			if c.disk != nil {
				c.disk(c.pc)
			}
			wait, known := Endless(world, c.pc)
			g.Expect(wait.Rule).To(Equal(c.rule))
			g.Expect(known).To(Equal(c.rule != ""))
		})
	}
}

// TestWaitsSayWhy: every wait names its rule, its screen and a page of Microsoft's.
func TestWaitsSayWhy(t *testing.T) {
	g := NewWithT(t)
	for _, w := range Waits() {
		g.Expect(w.Rule).NotTo(BeEmpty())
		g.Expect(w.Why).NotTo(BeEmpty(), w.Rule)
		g.Expect(w.Screen).NotTo(BeEmpty(), w.Rule)
		g.Expect(w.Source).To(HavePrefix("https://learn.microsoft.com/"), w.Rule)
	}
}

// TestUndocumented: an end counts where a page says what failed, with a code that
// is written down, and the story has it too.
func TestUndocumented(t *testing.T) {
	const code = "0x80180018"
	failed := journal.Event{Kind: "autopilot.failed", Fields: []journal.Field{journal.F("code", code)}}
	red := device.Screen{ID: oobe.ScreenFailure}
	for name, c := range map[string]struct {
		pc   *device.PC
		code string
		want string
	}{
		"all there":         {still(red, failed), code, ""},
		"nothing logged":    {still(red), code, "nothing was logged about " + code},
		"another code":      {still(red, failed), "0x80180014", "nothing was logged about 0x80180014"},
		"no code":           {still(red, failed), "", "no code"},
		"unknown code":      {still(red), "0x8FFF0001", "0x8FFF0001 is no code that is written down"},
		"no code at all":    {still(red), "OOPS", "OOPS is no code that is written down"},
		"a step of setup":   {still(red, journal.Event{Kind: "oobe.failed", Fields: []journal.Field{journal.F("step", "OOBEIDPS")}}), "OOBEIDPS", ""},
		"another page":      {still(page("Identifying"), failed), code, oobe.ScreenESP + " is no page that says what failed"},
		"no profile":        {still(device.Screen{ID: oobe.ScreenEULA}, journal.Event{Kind: "autopilot.profile", Fields: []journal.Field{journal.F("outcome", "none")}}), "", ""},
		"a profile, though": {still(device.Screen{ID: oobe.ScreenEULA}, journal.Event{Kind: "autopilot.profile", Fields: []journal.Field{journal.F("outcome", "found")}}), "", oobe.ScreenEULA + " is no page that says what failed"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(undocumented(c.pc, sim.End{Code: c.code})).To(Equal(c.want))
		})
	}
}
