package scenario_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// again writes a scenario, reads it back, and insists on the same.
func again(t fataler, s *scenario.Scenario) *scenario.Scenario {
	t.Helper()
	text, err := scenario.Marshal(s, "build 1\nof a test")
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	back, problems := scenario.Load("again.yaml", text, scenario.Options{})
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, text)
	}
	same := *s
	same.NotModelled, back.NotModelled = nil, nil
	same.ExpectLines, back.ExpectLines = nil, nil
	if ok, _ := Equal(&same).Match(back); !ok {
		twice, _ := scenario.Marshal(back, "")
		t.Fatalf("read back differs:\n%s\n---\n%s", text, twice)
	}
	return back
}

func TestRoundTrip(t *testing.T) {
	again(t, builtIn(t))
	again(t, load(t, "testdata/good/export.yaml"))
	again(t, load(t, "testdata/good/everything.yaml"))
	again(t, load(t, "testdata/good/domain.yaml"))
	again(t, load(t, "testdata/good/samba.yaml"))
	again(t, load(t, "testdata/good/load.yaml"))
	again(t, load(t, "../../scenarios/rich/rich.yaml"))
	resolved, problems := builtIn(t).Resolve(scenario.Flags{Devices: 7})
	NewWithT(t).Expect(problems).To(BeEmpty())
	again(t, resolved)
}

// draw makes a scenario that is right and as odd as may be.
func draw(t *rapid.T) *scenario.Scenario {
	text := rapid.String()
	name := rapid.StringMatching(`[A-Za-z0-9 ~:#'"\[\]{},&*!|>%@\\ßé漢-]{1,12}`).Filter(func(s string) bool { return s[0] != ' ' && s[len(s)-1] != ' ' })
	length := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "length"))
	})
	span := rapid.Custom(func(t *rapid.T) scenario.Span {
		return scenario.Span{Months: rapid.IntRange(0, 30).Draw(t, "months"), Duration: length.Draw(t, "rest")}
	})
	share := rapid.Custom(func(t *rapid.T) scenario.Share { return scenario.Share(rapid.Float64Range(0, 0.99).Draw(t, "share")) })
	upn := "a@contoso.com"
	user := scenario.User{User: graph.User{UserPrincipalName: upn, DisplayName: text.Draw(t, "user"), GivenName: text.Draw(t, "given")}, Password: text.Draw(t, "password")}
	if rapid.Bool().Draw(t, "disabled") {
		no := false
		user.AccountEnabled = &no
	}
	site := scenario.Site{Name: name.Draw(t, "site"), Kind: scenario.Home, Wired: rapid.Bool().Draw(t, "wired"), Latency: length.Draw(t, "latency") % time.Hour,
		Bandwidth: scenario.Bandwidth(rapid.Int64Range(0, 1<<40).Draw(t, "bandwidth")), Loss: share.Draw(t, "loss"),
		Block: []scenario.Block{{Host: "*.example.com", Mode: "timeout"}}, Proxy: &scenario.Proxy{TLSIntercept: true}}
	group := scenario.Group{Name: name.Draw(t, "group"), Count: rapid.IntRange(1, 50).Draw(t, "count"), Flow: scenario.UserDriven, TPMState: scenario.TPMReady, Wireless: share.Draw(t, "wireless"),
		Windows: scenario.Windows{Build: "26100.1742", Edition: scenario.EditionHome}, GroupTag: text.Draw(t, "tag"), Arrival: scenario.SpanRange{Max: span.Draw(t, "arrival")},
		Makes:        scenario.Weights{{Name: name.Draw(t, "make"), Weight: rapid.Float64Range(0.001, 1000).Draw(t, "weight")}},
		Destinations: scenario.Weights{{Name: site.Name, Weight: 1}}}
	tag, clock := text.Draw(t, "own tag"), scenario.ClockOffset{Offset: -scenario.SignedDuration(length.Draw(t, "offset"))}
	return &scenario.Scenario{
		Name: text.Draw(t, "name"), Description: text.Draw(t, "description"), Start: time.Date(2026, 9, 1, 8, 0, 0, rapid.IntRange(0, 999_999_999).Draw(t, "ns"), time.UTC),
		Until: span.Draw(t, "until"), Seed: vclock.Seed(rapid.Uint64().Draw(t, "seed")), Cells: 1,
		Tenant: scenario.Tenant{Domain: "contoso.com", DisplayName: text.Draw(t, "tenant"), Users: []scenario.User{user},
			Configurations: []graph.DeviceConfiguration{{ODataType: graph.TypeCustomConfiguration, DisplayName: name.Draw(t, "configuration"),
				CustomConfiguration: &graph.CustomConfiguration{OmaSettings: []graph.OmaSetting{{ODataType: "#microsoft.graph.omaSettingString", OmaURI: "./Device/X", Value: text.Draw(t, "value")}}}}}},
		Sites:  []scenario.Site{site},
		People: scenario.People{Users: scenario.Users{Language: "de-DE", OnFailure: "leave", Patience: length.Draw(t, "patience") + time.Second, Stays: length.Draw(t, "stays")}},
		Fleet:  scenario.Fleet{CSV: scenario.HashFile{By: "portal", Encoding: "ansi", Times: rapid.IntRange(1, 1000).Draw(t, "times")}, Groups: []scenario.Group{group}, Devices: []scenario.Override{{Index: 1, GroupTag: &tag, Clock: &clock}}},
		Timeline: []scenario.Change{{At: scenario.Moment{Event: &scenario.EventMatch{Event: rapid.SampledFrom(journal.Kinds()).Draw(t, "event"), Nth: 2, After: span.Draw(t, "after")}},
			Do: scenario.Action{UnassignUser: &scenario.DeviceTarget{Device: name.Draw(t, "glob")}}}},
		Faults: []fault.Rule{{Name: name.Draw(t, "fault"), When: fault.When{Share: 0.5, From: length.Draw(t, "from")}, Do: fault.Action{TPMResponse: rapid.Uint32Min(1).Draw(t, "rc")}}},
		Attestation: scenario.Attestation{TrustedVendors: scenario.TPMNames{}, VulnerableFirmware: scenario.FirmwareRanges{}, EnrollmentFailure: "RetryOnError",
			Limit: &scenario.RateLimit{Requests: rapid.IntRange(1, 1000).Draw(t, "requests"), Per: time.Minute}},
		Timing: scenario.Timing{Profile: "fast", Overrides: scenario.Settings{"esp.timeout": "30m", "tpm.attestationRetries": int64(4)}, Switches: scenario.Settings{"reseal.unjoinsEntra": true}},
		Expect: scenario.Expectations{{Metric: "failures", Operator: scenario.LessEqual, Value: scenario.Value{Number: float64(rapid.IntRange(0, 50).Draw(t, "failures"))}},
			{Metric: "phase.user.p50", Operator: scenario.Less, Value: scenario.Value{Number: 90, Kind: scenario.Duration}}},
	}
}

func TestRoundTripOfAnyScenario(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := draw(t)
		text, err := scenario.Marshal(drawn, "")
		if err != nil {
			t.Fatalf("marshal: %v", err)
		}
		// Reading it once fills in ids and defaults.
		s, problems := scenario.Load("drawn.yaml", text, scenario.Options{})
		if len(problems) > 0 {
			t.Fatalf("%v\n%s", problems, text)
		}
		for _, pair := range [][2]any{
			{s.Description, drawn.Description}, {s.Start, drawn.Start}, {s.Until, drawn.Until}, {s.Seed, drawn.Seed}, {s.Timeline, drawn.Timeline},
			{s.Fleet, drawn.Fleet}, {s.Sites, drawn.Sites}, {s.People, drawn.People}, {s.Faults, drawn.Faults}, {s.Timing, drawn.Timing}, {s.Attestation, drawn.Attestation}, {s.Expect, drawn.Expect},
			{s.Tenant.Configurations[0].OmaSettings, drawn.Tenant.Configurations[0].OmaSettings}, {s.Tenant.Users[0].GivenName, drawn.Tenant.Users[0].GivenName},
		} {
			if ok, _ := Equal(pair[1]).Match(pair[0]); !ok {
				t.Fatalf("have %#v, want %#v\n%s", pair[0], pair[1], text)
			}
		}
		again(t, s)
	})
}
