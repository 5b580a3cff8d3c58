package scenario_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/scenario"
)

func TestSpans(t *testing.T) {
	for text, want := range map[string]scenario.Span{
		"90m": {Duration: 90 * time.Minute}, "2h30m": {Duration: 150 * time.Minute}, "3d": {Duration: 72 * time.Hour}, "1.5h": {Duration: 90 * time.Minute},
		"2w": {Duration: 14 * 24 * time.Hour}, "6 months": {Months: 6}, "6mo": {Months: 6}, "1 year": {Months: 12}, "1y6mo 2d": {Months: 18, Duration: 48 * time.Hour},
		"0": {}, "0s": {}, "1 hour, 5 minutes": {Duration: 65 * time.Minute},
	} {
		var s scenario.Span
		NewWithT(t).Expect(s.UnmarshalText([]byte(text))).To(Succeed(), text)
		NewWithT(t).Expect(s).To(Equal(want), text)
	}
	for _, text := range []string{"", "90", "-3h", "half an hour", "3x", "1.5mo", "200y", "99999999d", "1e9h", "3h!"} {
		var s scenario.Span
		NewWithT(t).Expect(s.UnmarshalText([]byte(text))).NotTo(Succeed(), text)
	}
	start := time.Date(2026, 8, 31, 8, 0, 0, 0, time.UTC)
	NewWithT(t).Expect(scenario.Span{Months: 6}.After(start)).To(Equal(time.Date(2027, 2, 28, 8, 0, 0, 0, time.UTC)))
}

func TestRanges(t *testing.T) {
	g := NewWithT(t)
	var r scenario.SpanRange
	g.Expect(r.UnmarshalText([]byte("2h..3w"))).To(Succeed())
	g.Expect(r.String()).To(Equal("2h..21d"))
	start := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	g.Expect(r.After(start, 0)).To(Equal(start.Add(2 * time.Hour)))
	g.Expect(r.After(start, 1)).To(Equal(start.AddDate(0, 0, 21)))
	g.Expect(r.UnmarshalText([]byte("3w..2h"))).To(MatchError(ContainSubstring("ends before it begins")))
	g.Expect(r.UnmarshalText([]byte("30d..1mo"))).To(Succeed())
	g.Expect(r.UnmarshalText([]byte("1h.."))).NotTo(Succeed())
}

func TestQuantities(t *testing.T) {
	g := NewWithT(t)
	var b scenario.Bandwidth
	g.Expect(b.UnmarshalText([]byte("1.5 Gbit/s"))).To(Succeed())
	g.Expect(int64(b)).To(Equal(int64(1_500_000_000)))
	for _, bad := range []string{"", "fast", "5MB", "-1", "1e30Gbit", "99999999999Gbit"} {
		g.Expect(b.UnmarshalText([]byte(bad))).NotTo(Succeed(), bad)
	}
	var size scenario.Size
	g.Expect(size.UnmarshalText([]byte("2GiB"))).To(Succeed())
	g.Expect(int64(size)).To(Equal(int64(2 << 30)))
	var share scenario.Share
	g.Expect(share.UnmarshalText([]byte("12.5%"))).To(Succeed())
	g.Expect(share.Of(16)).To(Equal(2))
	for _, bad := range []string{"", "101%", "1.01", "-0.1", "NaN", "a few"} {
		g.Expect(share.UnmarshalText([]byte(bad))).NotTo(Succeed(), bad)
	}
}

func TestTextsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := scenario.SpanRange{Min: scenario.Span{Duration: time.Duration(rapid.Int64Range(0, 1e17).Draw(t, "min"))},
			Max: scenario.Span{Months: rapid.IntRange(60, 90).Draw(t, "months"), Duration: time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "max"))}}
		var back scenario.SpanRange
		if err := back.UnmarshalText([]byte(r.String())); err != nil || back != r {
			t.Fatalf("%v %v %v", r, back, err)
		}
		b := scenario.Bandwidth(rapid.Int64Range(0, 1<<50).Draw(t, "bandwidth"))
		text, _ := b.MarshalText()
		var b2 scenario.Bandwidth
		if err := b2.UnmarshalText(text); err != nil || b2 != b {
			t.Fatalf("%d %d %v", b, b2, err)
		}
	})
}

func TestWindows(t *testing.T) {
	g := NewWithT(t)
	at := func(date string) time.Time {
		v, err := time.Parse(time.DateOnly, date)
		g.Expect(err).NotTo(HaveOccurred())
		return v
	}
	for _, c := range []struct {
		build, edition, last string
	}{
		{"19045.2130", "Pro", "2025-10-14"}, {"22621.521", "Home", "2024-10-08"}, {"22621.521", "Education", "2025-10-14"}, {"22631.1", "Pro", "2025-11-11"},
		{"22631.1", "Enterprise", "2026-11-10"}, {"26100.1742", "Pro", "2026-10-13"}, {"26100.1742", "Enterprise", "2027-10-12"},
		{"26200.6584", "Home", "2027-10-12"}, {"26200.6584", "Enterprise", "2028-10-10"},
	} {
		w := scenario.Windows{Build: scenario.Build(c.build), Edition: scenario.Edition(c.edition)}
		g.Expect(w.Supported(at(c.last).Add(23*time.Hour))).To(BeTrue(), c.build+c.edition)
		g.Expect(w.Supported(at(c.last).Add(25*time.Hour))).To(BeFalse(), c.build+c.edition)
	}
	for _, r := range scenario.Releases() { // updates end on Patch Tuesday
		g.Expect(at(r.HomePro).Weekday()).To(Equal(time.Tuesday), r.Version)
		g.Expect(at(r.Business).Weekday()).To(Equal(time.Tuesday), r.Version)
	}
	g.Expect(scenario.EditionHome.CanPreprovision()).To(BeFalse())
	g.Expect(scenario.EditionEducation.CanPreprovision()).To(BeTrue())
	var b scenario.Build
	g.Expect(b.UnmarshalText([]byte("22h2"))).To(Succeed())
	g.Expect(b).To(Equal(scenario.Build("22621.521")))
	g.Expect(b.UnmarshalText([]byte("Windows 10 22H2"))).To(Succeed())
	g.Expect(b).To(Equal(scenario.Build("19045.2130")))
	g.Expect(b.UnmarshalText([]byte("12345.1"))).NotTo(Succeed())
	_, ok := scenario.Build("1.1").Release()
	g.Expect(ok).To(BeFalse())
}
