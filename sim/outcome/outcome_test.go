package outcome_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/outcome"
	"windtunnel.test/sim/scenario"
)

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// expect reads items as a file has them.
func expect(t *testing.T, items ...string) scenario.Expectations {
	t.Helper()
	text := `{tenant: {domain: contoso.com, displayName: C, users: [{userPrincipalName: a@contoso.com, displayName: A}]}, sites: [{name: home, kind: home}],
fleet: {groups: [{name: g, count: 1, flow: user-driven, destinations: home}]}, expect: [` + strings.Join(items, ",\n") + `]}`
	s, problems := scenario.Load("x.yaml", []byte(text), scenario.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s.Expect
}

// story is what happens to two PCs.
func story(j *outcome.Judge) {
	n := 0
	event := func(minute int, device, kind string, fields ...journal.Field) {
		n++
		j.Event(journal.Event{Seq: uint64(n), Time: start.Add(time.Duration(minute) * time.Minute), Device: device, Kind: kind, Fields: fields})
	}
	f := journal.F
	event(0, "PC-1", "device.made", f("serial", "S1"))
	event(0, "PC-2", "device.made", f("serial", "S2"))
	event(1, "", "connect.cycle", f("open", true))
	event(10, "PC-1", "screen.shown", f("screen", "esp"))
	event(11, "PC-1", "app.install", f("app", "Notes"), f("state", "Completed"))
	event(12, "PC-1", "app.install", f("app", "Agent"), f("state", "Error"), f("code", "0x87D1041C (ime_not_detected)"))
	event(12, "PC-2", "app.install", f("app", "Notes"), f("state", "Error"))
	event(30, "PC-1", "device.resealed")
	event(31, "PC-1", "screen.shown", f("screen", "desktop"))
	event(32, "PC-2", "screen.shown", f("screen", "autopilot.failure"))
	event(40, "PC-1", "screen.shown", f("screen", "off"))
	j.End(outcome.End{Device: "PC-1", Serial: "S1", Outcome: "desktop"})
	j.End(outcome.End{Device: "PC-2", Serial: "S2", Outcome: "unfinished"})
	j.End(outcome.End{Device: "PC-2", Serial: "S2", Outcome: "stuck(esp, Identifying)", Code: "0x800705B4", Phase: "esp", Reason: "nothing happens"})
	for _, pc := range []string{"PC-1", "PC-2"} {
		j.Registry(pc, func(key, name string) (string, bool) { return pc, name == "Name" || pc == "PC-1" })
	}
	j.Graph(func(path string) ([]map[string]any, error) {
		if path == "/v1.0/none" {
			return nil, errors.New("HTTP 404")
		}
		return []map[string]any{{"state": "failure", "of": map[string]any{"n": 3.0, "yes": true}}, {"state": "success"}}, nil
	})
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		item string
		met  bool
		text string // what follows the item's own text
	}{
		{`{ends: desktop, device: PC-1}`, true, ""},
		{`{ends: desktop, device: S1}`, true, ""},
		{`{ends: desktop}`, false, ": PC-2 ended stuck on esp at Identifying with 0x800705B4 in esp because nothing happens"},
		{`{ends: stuck, device: PC-2, screen: esp, row: Ident*, code: "0x800705b4"}`, true, ""},
		{`{ends: stuck, device: PC-2, code: "0x80180014"}`, false, ": PC-2 ended stuck on esp at Identifying with 0x800705B4 in esp because nothing happens"},
		{`{ends: desktop, device: PC-1, screen: desktop}`, true, ""},
		{`{ends: desktop, device: PC-7}`, false, ": there is no such PC"},
		{`{event: app.install}`, true, ""},
		{`{event: app.install, count: 3}`, true, ""},
		{`{event: app.install, where: {app: Notes}, device: "*"}`, true, ""},
		{`{event: app.install, where: {app: Agent}, device: "*"}`, false, ": PC-2 has 0; first: 2026-09-01 08:12:00.000 PC-1 app.install app=Agent state=Error code=\"0x87D1041C (ime_not_detected)\""},
		{`{event: app.install, where: {app: Agent, code: "0x87d1041c"}}`, true, ""},
		{`{event: app.install, where: {app: Word}}`, false, ": have 0; nearest of 3: 2026-09-01 08:12:00.000 PC-1 app.install app=Agent state=Error code=\"0x87D1041C (ime_not_detected)\""},
		{`{event: app.install, where: {app: Notes}, count: 0}`, false, ": have 2; first: 2026-09-01 08:11:00.000 PC-1 app.install app=Notes state=Completed"},
		{`{event: app.install, where: {app: Word}, count: 0}`, true, ""},
		{`{event: connect.cycle}`, true, ""},
		{`{code: "0x87D1041C"}`, true, ""},
		{`{code: "0x80180014"}`, false, ": have 0; nearest of 1: 2026-09-01 08:12:00.000 PC-1 app.install app=Agent state=Error code=\"0x87D1041C (ime_not_detected)\""},
		{`{screen: autopilot.failure}`, true, ""},
		{`{screen: desktop, after: device.resealed}`, true, ""},
		{`{screen: esp, after: device.resealed}`, false, ": have 0; nearest of 4: 2026-09-01 08:40:00.000 PC-1 screen.shown screen=off"},
		{`{screen: esp, before: device.resealed}`, true, ""},
		{`{screen: desktop, before: device.resealed}`, false, ": have 0; nearest of 4: 2026-09-01 08:40:00.000 PC-1 screen.shown screen=off"},
		{`{screen: desktop, after: {event: device.resealed}, within: 1m}`, true, ""},
		{`{screen: desktop, after: {event: device.resealed}, within: 59s}`, false, ": have 0; nearest of 4: 2026-09-01 08:40:00.000 PC-1 screen.shown screen=off"},
		{`{screen: esp, within: 10m}`, true, ""},
		{`{registry: {key: K, name: Name, is: "PC-*"}}`, true, ""},
		{`{registry: {key: K, name: Name, is: PC-1}}`, false, `: PC-2 has "PC-2"`},
		{`{registry: {key: K, name: Other, missing: true}, device: PC-2}`, true, ""},
		{`{registry: {key: K, name: Other, is: "*"}}`, false, ": PC-2 has no such value"},
		{`{graph: /v1.0/some, where: {state: failure, of.n: 3, of.yes: true}}`, true, ""},
		{`{graph: /v1.0/some, count: 2}`, true, ""},
		{`{graph: /v1.0/some, where: {state: failure}, count: 0}`, false, ": have 1; another is [state=success]"},
		{`{graph: /v1.0/none}`, false, ": have 0; HTTP 404"},
	} {
		x := expect(t, c.item)
		j := outcome.New(x)
		NewWithT(t).Expect(j.Any()).To(BeTrue())
		story(j)
		v := outcome.Verdicts(x, j)[0]
		NewWithT(t).Expect(v.Met).To(Equal(c.met), "%s: %s", c.item, v.Text)
		NewWithT(t).Expect(v.Text).To(Equal(x[0].String()+c.text), c.item)
	}
}

func TestCellsAreJudgedTogether(t *testing.T) {
	g := NewWithT(t)
	x := expect(t, "failures == 0", `{event: app.install, where: {app: Notes}, count: 3}`, `{graph: /v1.0/some, count: 2}`, `{ends: desktop, device: PC-1}`)
	one, two := outcome.New(x), outcome.New(x)
	story(one)
	two.Event(journal.Event{Time: start, Device: "PC-3", Kind: "device.made", Fields: []journal.Field{journal.F("serial", "S3")}})
	two.Event(journal.Event{Time: start, Device: "PC-3", Kind: "app.install", Fields: []journal.Field{journal.F("app", "Notes")}})
	v := outcome.Verdicts(x, one, two)
	g.Expect(v[0]).To(BeZero(), "a figure is the summary's")
	g.Expect(v[1].Met).To(BeTrue(), v[1].Text)
	g.Expect(v[1].Got).To(Equal(3.0))
	g.Expect(v[1].Evidence.Device).To(Equal("PC-3"), "that of the first")
	g.Expect(v[2].Met).To(BeTrue(), v[2].Text)
	g.Expect(v[3].Met).To(BeTrue(), v[3].Text)
}
