package device

import (
	"slices"
	"strings"
	"time"
)

// Zone is a time zone as Windows keeps it: minutes behind UTC, and the rule of
// its summer time (learn.microsoft.com, TIME_ZONE_INFORMATION).
type Zone struct {
	Name    string // of the registry: "Pacific Standard Time"
	West    int    // minutes that standard time is behind UTC
	summer  change // zero: no summer time
	winter  change
	inUTC   bool // both changes are at a moment of UTC, as in the European Union
	southed bool // summer is around the turn of the year
}

// change is a switch of the clocks: the nth Sunday of a month (5: the last) at
// an hour of the local time that ends there, or of UTC.
type change struct {
	month time.Month
	nth   int
	hour  int
}

// zones are the ones that a simulated PC may be set to.
var zones = []Zone{
	{Name: "Pacific Standard Time", West: 480, summer: change{time.March, 2, 2}, winter: change{time.November, 1, 2}},
	{Name: "Mountain Standard Time", West: 420, summer: change{time.March, 2, 2}, winter: change{time.November, 1, 2}},
	{Name: "Central Standard Time", West: 360, summer: change{time.March, 2, 2}, winter: change{time.November, 1, 2}},
	{Name: "Eastern Standard Time", West: 300, summer: change{time.March, 2, 2}, winter: change{time.November, 1, 2}},
	{Name: "UTC"},
	{Name: "GMT Standard Time", West: 0, summer: change{time.March, 5, 1}, winter: change{time.October, 5, 1}, inUTC: true},
	{Name: "W. Europe Standard Time", West: -60, summer: change{time.March, 5, 1}, winter: change{time.October, 5, 1}, inUTC: true},
	{Name: "Romance Standard Time", West: -60, summer: change{time.March, 5, 1}, winter: change{time.October, 5, 1}, inUTC: true},
	{Name: "FLE Standard Time", West: -120, summer: change{time.March, 5, 1}, winter: change{time.October, 5, 1}, inUTC: true},
	{Name: "India Standard Time", West: -330},
	{Name: "Tokyo Standard Time", West: -540},
	{Name: "AUS Eastern Standard Time", West: -600, summer: change{time.October, 1, 2}, winter: change{time.April, 1, 3}, southed: true},
}

// FactoryZone is what Windows runs in until somebody, or its location, says
// otherwise.
const FactoryZone = "Pacific Standard Time"

// FindZone finds a zone by its name in the registry.
func FindZone(name string) (Zone, bool) {
	i := slices.IndexFunc(zones, func(z Zone) bool { return strings.EqualFold(z.Name, name) })
	if i < 0 {
		return Zone{}, false
	}
	return zones[i], true
}

// Zone is the time zone that this Windows is set to.
func (w *Windows) Zone() Zone { return ZoneOf(w.Registry()) }

// ZoneOf is the time zone that an installation is set to.
func ZoneOf(r *Registry) Zone {
	if z, ok := FindZone(r.String(KeyTimeZone, "TimeZoneKeyName")); ok {
		return z
	}
	return zones[0]
}

// SetZone sets Windows to another time zone; one that it does not know leaves
// things as they are.
func (w *Windows) SetZone(name string) {
	if z, ok := FindZone(name); ok && z.Name != w.Zone().Name {
		w.Registry().SetString(KeyTimeZone, "TimeZoneKeyName", z.Name)
		w.Event("device.zone", field("zone", z.Name))
	}
}

// Bias is how many minutes local time is behind UTC at that moment.
func (z Zone) Bias(t time.Time) int {
	if z.summer == (change{}) {
		return z.West
	}
	summer, winter := z.at(z.summer, t, z.West), z.at(z.winter, t, z.West-60)
	in := !t.Before(summer) && t.Before(winter)
	if z.southed {
		in = !t.Before(summer) || t.Before(winter)
	}
	if in {
		return z.West - 60
	}
	return z.West
}

// at is the moment of a change in a moment's year; west is the bias until then.
func (z Zone) at(c change, t time.Time, west int) time.Time {
	year := t.UTC().Add(-time.Duration(z.West) * time.Minute).Year()
	day := time.Date(year, c.month, 1, c.hour, 0, 0, 0, time.UTC)
	day = day.AddDate(0, 0, (7-int(day.Weekday()))%7+7*(c.nth-1))
	if day.Month() != c.month { // there is no fifth
		day = day.AddDate(0, 0, -7)
	}
	if z.inUTC {
		return day
	}
	return day.Add(time.Duration(west) * time.Minute)
}

// Local is a moment as the clock in the taskbar shows it.
func (z Zone) Local(t time.Time) time.Time {
	return t.UTC().Add(-time.Duration(z.Bias(t)) * time.Minute)
}
