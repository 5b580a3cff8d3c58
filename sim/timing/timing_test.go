package timing_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

func TestEmbeddedProfilesLoad(t *testing.T) {
	for _, name := range timing.Names() {
		g := NewWithT(t)
		p, err := timing.Load(name)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(p.Name).To(Equal(name))
		for _, e := range p.Entries() {
			g.Expect(e.Path).NotTo(BeEmpty())
			g.Expect(e.Zero).NotTo(BeEmpty(), e.Path)
			g.Expect(e.Source).NotTo(BeEmpty(), e.Path)
			g.Expect(e.Mark).NotTo(BeEmpty(), e.Path)
			if e.Mark == timing.Documented {
				g.Expect(e.Source).To(MatchRegexp(`learn\.microsoft\.com|\[MS-|RFC|MicrosoftDocs`), e.Path)
			}
		}
	}
	_, err := timing.Load("slow")
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("there are windows, fast")))
}

// Rules without a number of their own: T16 follows from T15, T25 (the profile is downloaded at every boot) is behaviour.
func TestEveryTimingRuleHasAnEntry(t *testing.T) {
	g := NewWithT(t)
	have := map[string]bool{}
	for _, e := range timing.Default().Entries() {
		if e.Rule != "" {
			g.Expect(e.Rule).To(MatchRegexp(`^T\d\d$`), e.Path)
			have[e.Rule] = true
		}
	}
	for n := 1; n <= 43; n++ {
		rule := fmt.Sprintf("T%02d", n)
		if rule != "T16" && rule != "T25" {
			g.Expect(have).To(HaveKey(rule))
		}
	}
}

func TestFigures(t *testing.T) {
	g := NewWithT(t)
	p := timing.Default()
	g.Expect(p.TPM.AttestationWait).To(Equal(7 * time.Minute))
	g.Expect(p.TPM.AttestationRetries).To(Equal(3))
	g.Expect(p.ESP.Timeout).To(Equal(time.Hour))
	g.Expect(p.Entra.AccessTokenLife).To(Equal(timing.Range{Min: 60 * time.Minute, Max: 90 * time.Minute}))
	g.Expect(p.Entra.PRTLife).To(Equal(14 * 24 * time.Hour))
	g.Expect(p.Entra.DeviceCertificateLife).To(Equal(timing.Period{Years: 10}))
	g.Expect(p.IME.CertificateLife).To(Equal(timing.Period{Months: 6}))
	g.Expect(p.IME.AppSize).To(Equal(30 << 30))
	g.Expect(p.Autopilot.CSVRows).To(Equal(500))
	g.Expect(p.Switches.Hybrid.TechnicianReboot).To(BeFalse())
	g.Expect(p.Switches.ESP.UnlistedApps).To(Equal(timing.UnlistedByProfile))
}

func TestFastChangesOnlyWaits(t *testing.T) {
	g := NewWithT(t)
	fast, err := timing.Load(timing.Fast)
	g.Expect(err).NotTo(HaveOccurred())
	slow := timing.Default()
	for i, e := range fast.Entries() {
		was := slow.Entries()[i]
		g.Expect(e.Path).To(Equal(was.Path))
		if e.Value == nil || fmt.Sprint(e.Value) == fmt.Sprint(was.Value) {
			continue
		}
		g.Expect(e.Unit).To(BeElementOf("duration", "range"), e.Path)
		g.Expect(e.Source).To(HavePrefix("fast profile: "), e.Path)
		g.Expect(e.Mark).To(Equal(timing.Assumed), e.Path)
	}
	g.Expect(fast.ESP.Timeout).To(Equal(slow.ESP.Timeout))
	g.Expect(fast.Device.Boot.Max).To(BeNumerically("<", slow.Device.Boot.Min))
}

// TestLoadKeepsWhatWindowsDoesAboutFailures: no wait is left that nothing hangs on, and no limit is another.
func TestLoadKeepsWhatWindowsDoesAboutFailures(t *testing.T) {
	g := NewWithT(t)
	load, err := timing.Load(timing.ForLoad)
	g.Expect(err).NotTo(HaveOccurred())
	windows := timing.Default()
	g.Expect(load.Network).To(Equal(windows.Network))
	g.Expect(load.TPM).To(Equal(windows.TPM))
	g.Expect(load.ESP.Timeout).To(Equal(windows.ESP.Timeout))
	g.Expect(load.Entra.AccessTokenLife).To(Equal(windows.Entra.AccessTokenLife))
	for _, r := range []timing.Range{load.Device.Firmware, load.Device.Boot, load.Device.Shutdown, load.OOBE.PageLoad, load.Technician.Action, load.User.Action} {
		g.Expect(r).To(BeZero())
	}
}

func TestCopiesAreIndependent(t *testing.T) {
	g := NewWithT(t)
	a := timing.Default()
	a.ESP.Timeout = time.Second
	g.Expect(a.Override(map[string]any{"ime.appRetries": 9})).To(Succeed())
	g.Expect(timing.Default().ESP.Timeout).To(Equal(time.Hour))
	for _, e := range timing.Default().Entries() {
		g.Expect(e.Source).NotTo(HavePrefix("override"), e.Path)
	}
}

func TestOverride(t *testing.T) {
	g := NewWithT(t)
	p := timing.Default()
	g.Expect(p.Override(map[string]any{
		"esp.timeout":           "90m",
		"entra":                 map[string]any{"accessTokenLife": "90m", "devicesPerUser": uint64(2)},
		"mdm.syncSchedule":      "1m x2, 1h",
		"ime.certificateLife":   "1 year 2 days",
		"network.retryAfter":    3 * time.Second,
		"hybrid":                map[string]any{"technicianReboot": true},
		"esp.unlistedApps":      "install",
		"ime.appSize":           "8GiB",
		"compliance.evaluation": timing.Range{Min: time.Second, Max: time.Minute},
	})).To(Succeed())
	g.Expect(p.ESP.Timeout).To(Equal(90 * time.Minute))
	g.Expect(p.Entra.AccessTokenLife).To(Equal(timing.Range{Min: 90 * time.Minute, Max: 90 * time.Minute}))
	g.Expect(p.Entra.DevicesPerUser).To(Equal(2))
	g.Expect(p.MDM.SyncSchedule).To(Equal(timing.Schedule{{Every: time.Minute, Times: 2}, {Every: time.Hour}}))
	g.Expect(p.IME.CertificateLife).To(Equal(timing.Period{Years: 1, Days: 2}))
	g.Expect(p.IME.AppSize).To(Equal(8 << 30))
	g.Expect(p.Network.RetryAfter).To(Equal(3 * time.Second))
	g.Expect(p.Switches.Hybrid.TechnicianReboot).To(BeTrue())
	g.Expect(p.Switches.ESP.UnlistedApps).To(Equal(timing.UnlistedInstalled))
	for _, e := range p.Entries() {
		if e.Path == "esp.timeout" {
			g.Expect(e.Value).To(Equal(90 * time.Minute))
			g.Expect(e.Source).To(HavePrefix("override"))
		}
	}
}

func TestOverrideRefuses(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  string
	}{
		{"esp.timeOut", "60m", `unknown key "esp.timeOut"; near: esp.timeout`},
		{"esp.timout", "60m", "near: esp.timeout"},
		{"timeout", "60m", "near: esp.timeout"},
		{"zebra.colour", "60m", `unknown key "zebra.colour"`},
		{"esp.timeout", 60, `want a text such as "90m"`},
		{"esp.timeout", "-60m", "has a sign"},
		{"esp.timeout", "soon", "not of the form"},
		{"entra.accessTokenLife", "90m..60m", "ends before it begins"},
		{"ime.certificateLife", "6 moons", "none of years, months, days"},
		{"ime.appRetries", 2.5, "want a whole number"},
		{"ime.appRetries", -1, "want a whole number"},
		{"mdm.syncSchedule", "1h, 2h", "only the last"},
		{"mdm.syncSchedule", "0s", "waits for nothing"},
		{"hybrid.technicianReboot", "yes", "want true or false"},
		{"esp.unlistedApps", "never", "want one of profile, install"},
		{"esp.timeout", nil, "want a text"},
	} {
		g := NewWithT(t)
		p := timing.Default()
		err := p.Override(map[string]any{c.key: c.value, "ime.appRetries ": 1, "tpm.attestationWait": "1m"})
		g.Expect(err).To(MatchError(ContainSubstring(c.want)), c.key)
		g.Expect(p.TPM.AttestationWait).To(Equal(7*time.Minute), "all or nothing")
	}
}

func TestParseFindsMistakes(t *testing.T) {
	good, err := os.ReadFile("windows.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	line := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindString(string(good))
		NewWithT(t).Expect(found).NotTo(BeEmpty(), pattern)
		return found
	}
	timeout := line(`    timeout: \{.*\n`)
	number := 1 + strings.Count(string(good[:strings.Index(string(good), timeout)]), "\n")
	for _, c := range []struct{ replace, with, want string }{
		{timeout, "", `:3: entry "esp.timeout" of timing is missing`},
		{timeout, strings.Replace(timeout, "timeout", "timeouts", 1), fmt.Sprintf(`x.yaml:%d:5: unknown entry "esp.timeouts"; near: esp.timeout`, number)},
		{timeout, strings.Replace(timeout, "60m", "sixty", 1), fmt.Sprintf(`x.yaml:%d:22: esp.timeout: duration "sixty"`, number)},
		{timeout, strings.Replace(timeout, "unit: duration", "unit: furlong", 1), `want duration, have "furlong"`},
		{timeout, strings.Replace(timeout, "mark: documented", "mark: known", 1), "want documented or observed or community or assumed"},
		{timeout, strings.Replace(timeout, ", mark: documented", "", 1), fmt.Sprintf(`x.yaml:%d:5: esp.timeout: has no mark`, number)},
		{timeout, strings.Replace(timeout, "rule: T03", "rul: T03", 1), `unknown attribute "rul"`},
		{timeout, "    timeout: 60m\n", "esp.timeout: want a mapping"},
		{"profile: windows", "profil: windows", `x.yaml:3:1: unknown key "profil"`},
		{"profile: windows", "profile: windows\nbase: linux", `base: timing: no profile "linux"`},
		{"profile: windows", "profile: [", "x.yaml:"},
		{string(good), "", "want one YAML document"},
		{string(good), "- 1", "profile: want a mapping"},
	} {
		g := NewWithT(t)
		_, err := timing.Parse("x.yaml", []byte(strings.Replace(string(good), c.replace, c.with, 1)))
		g.Expect(err).To(MatchError(ContainSubstring(c.want)))
	}
	_, err = timing.Parse("x.yaml", []byte("profile: empty\ntiming: {}\n"))
	NewWithT(t).Expect(strings.Count(err.Error(), "\n")).To(Equal(19), "twenty at most")
}

func TestPeriodClampsToTheMonth(t *testing.T) {
	for _, c := range []struct {
		from string
		p    timing.Period
		want string
	}{
		{"2026-08-31T10:20:30Z", timing.Period{Months: 6}, "2027-02-28T10:20:30Z"},
		{"2027-08-31T10:20:30Z", timing.Period{Months: 6}, "2028-02-29T10:20:30Z"},
		{"2026-09-01T08:00:00Z", timing.Period{Months: 6}, "2027-03-01T08:00:00Z"},
		{"2028-02-29T00:00:00Z", timing.Period{Years: 10}, "2038-02-28T00:00:00Z"},
		{"2026-12-31T00:00:00Z", timing.Period{Months: 2, Days: 1}, "2027-03-01T00:00:00Z"},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(c.p.After(from).Format(time.RFC3339)).To(Equal(c.want))
	}
}

func TestSchedule(t *testing.T) {
	g := NewWithT(t)
	s := timing.Default().MDM.SyncSchedule
	var waits []time.Duration
	for n := range 16 {
		waits = append(waits, s.Wait(n))
	}
	g.Expect(waits[0]).To(Equal(3 * time.Minute))
	g.Expect(waits[4]).To(Equal(3 * time.Minute))
	g.Expect(waits[5]).To(Equal(15 * time.Minute))
	g.Expect(waits[12]).To(Equal(15 * time.Minute))
	g.Expect(waits[13]).To(Equal(8 * time.Hour))
	g.Expect(waits[15]).To(Equal(8 * time.Hour))
	g.Expect(timing.Schedule{{Every: time.Minute, Times: 2}}.Wait(7)).To(Equal(time.Minute))
}

func TestDrawStaysInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "low"))
		r := timing.Range{Min: low, Max: low + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "width"))}
		seed := vclock.Seed(rapid.Uint64().Draw(t, "seed"))
		a := r.Draw(seed.Stream("x"))
		if a < r.Min || a > r.Max {
			t.Fatalf("%v outside %v", a, r)
		}
		if a != r.Draw(seed.Stream("x")) {
			t.Fatal("the same stream gave another duration")
		}
	})
}

func TestTextFormsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := timing.Default()
		d := time.Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "d"))
		r := timing.Range{Min: d, Max: d + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "w"))}
		s := timing.Schedule{{Every: d + 1, Times: rapid.IntRange(1, 99).Draw(t, "n")}, {Every: d + time.Second}}
		c := timing.Period{Months: rapid.IntRange(1, 99).Draw(t, "m"), Days: rapid.IntRange(0, 9).Draw(t, "days")}
		err := p.Override(map[string]any{
			"esp.timeout": d, "tpm.attestationWait": d.String(), "entra.accessTokenLife": r.String(), "mdm.syncSchedule": s.String(),
			"ime.certificateLife": c.String(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if p.ESP.Timeout != d || p.TPM.AttestationWait != d || p.Entra.AccessTokenLife != r || p.IME.CertificateLife != c ||
			fmt.Sprint(p.MDM.SyncSchedule) != fmt.Sprint(s) {
			t.Fatalf("%v %v %v %v read back differently", d, r, s, c)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("profile: x\nbase: windows\ntiming:\n  esp:\n    timeout: {value: 1m, why: test}\n"))
	f.Add([]byte("profile: x\ntiming: {esp: {timeout: {value: 1..2}}}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := timing.Parse("fuzz.yaml", text); err == nil && p.Name == "" {
			t.Fatal("a profile without a name")
		}
	})
}

func FuzzOverride(f *testing.F) {
	f.Add("esp.timeout", "1h..2h")
	f.Add("entra.accessTokenLife", "1.5d")
	f.Add("mdm.syncSchedule", "1m x3, 2h")
	f.Fuzz(func(t *testing.T, key, value string) {
		_ = timing.Default().Override(map[string]any{key: value})
	})
}
