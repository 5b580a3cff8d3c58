package device

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
)

func TestZones(t *testing.T) {
	for _, c := range []struct{ zone, utc, local string }{
		{"Pacific Standard Time", "2026-03-08T09:59", "2026-03-08T01:59"},
		{"Pacific Standard Time", "2026-03-08T10:00", "2026-03-08T03:00"},
		{"Pacific Standard Time", "2026-11-01T08:59", "2026-11-01T01:59"},
		{"Pacific Standard Time", "2026-11-01T09:00", "2026-11-01T01:00"},
		{"pacific standard time", "2027-01-01T07:59", "2026-12-31T23:59"},
		{"W. Europe Standard Time", "2026-03-29T00:59", "2026-03-29T01:59"},
		{"W. Europe Standard Time", "2026-03-29T01:00", "2026-03-29T03:00"},
		{"W. Europe Standard Time", "2026-10-25T01:00", "2026-10-25T02:00"},
		{"GMT Standard Time", "2026-07-01T12:00", "2026-07-01T13:00"},
		{"AUS Eastern Standard Time", "2026-01-15T00:00", "2026-01-15T11:00"},
		{"AUS Eastern Standard Time", "2026-07-15T00:00", "2026-07-15T10:00"},
		{"India Standard Time", "2026-07-15T00:00", "2026-07-15T05:30"},
		{"UTC", "2026-07-15T00:00", "2026-07-15T00:00"},
	} {
		zone, ok := FindZone(c.zone)
		if !ok {
			t.Fatalf("no zone %s", c.zone)
		}
		const form = "2006-01-02T15:04"
		utc, err := time.Parse(form, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		if got := zone.Local(utc).Format(form); got != c.local {
			t.Errorf("%s at %s is %s, want %s", c.zone, c.utc, got, c.local)
		}
	}
}

func TestZoneOfAnInstallation(t *testing.T) {
	g := gomega.NewWithT(t)
	r := newRegistry()
	g.Expect(ZoneOf(r).Name).To(gomega.Equal(FactoryZone))
	r.SetString(KeyTimeZone, "TimeZoneKeyName", "Tokyo Standard Time")
	g.Expect(ZoneOf(r).Bias(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))).To(gomega.Equal(-540))
	r.SetString(KeyTimeZone, "TimeZoneKeyName", "Mars")
	g.Expect(ZoneOf(r).Name).To(gomega.Equal(FactoryZone))
}

func TestAllKeys(t *testing.T) {
	g := gomega.NewWithT(t)
	r := newRegistry()
	r.SetString(`HKLM\B`, "x", "1")
	r.SetDWORD(`HKLM\A`, "y", 2)
	r.SetString(`HKLM\A\C`, "", "3")
	seen := map[string][]RegistryValue{}
	var order []string
	for path, values := range r.All() {
		seen[path], order = values, append(order, path)
		r.DeleteTree(`HKLM\A\C`) // nothing is locked meanwhile
	}
	g.Expect(order).To(gomega.Equal([]string{`HKLM\A`, `HKLM\B`}))
	g.Expect(seen[`HKLM\A`]).To(gomega.Equal([]RegistryValue{{"y", uint32(2)}}))
	view := &Registry{of: r}
	for path := range view.All() {
		g.Expect(path).To(gomega.Equal(`HKLM\A`))
		break
	}
}
