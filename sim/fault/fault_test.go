package fault_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
)

type hand struct {
	vclock.Clock
	now time.Time
}

func (h *hand) Now() time.Time { return h.now }

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

func injector(rules ...fault.Rule) (*fault.Injector, *journal.Memory, *hand) {
	h, memory := &hand{now: start}, journal.NewMemory(0)
	return fault.New(7, journal.New(h, memory), start, rules), memory, h
}

func exchange(device string) fault.Point {
	return fault.Point{Layer: fault.HTTP, Host: "login.live.com", Operation: "RST2", Device: device}
}

// fires asks count times and lists which asks fired.
func fires(i *fault.Injector, p fault.Point, count int) (list []int) {
	for n := 1; n <= count; n++ {
		if _, ok := i.At(p); ok {
			list = append(list, n)
		}
	}
	return list
}

func TestWhen(t *testing.T) {
	drop := fault.Action{Drop: true}
	for _, c := range []struct {
		name string
		when fault.When
		p    fault.Point
		want []int
	}{
		{"all", fault.When{}, exchange("PC-1"), []int{1, 2, 3, 4, 5, 6, 7}},
		{"nth", fault.When{Nth: 3}, exchange("PC-1"), []int{3}},
		{"every", fault.When{Every: 3}, exchange("PC-1"), []int{3, 6}},
		{"nth and every", fault.When{Nth: 2, Every: 3}, exchange("PC-1"), []int{2, 5}},
		{"host", fault.When{Host: "*.live.COM", Nth: 1}, exchange("PC-1"), []int{1}},
		{"other host", fault.When{Host: "*.live.net"}, exchange("PC-1"), nil},
		{"operation", fault.When{Operation: "rst?", Nth: 1}, exchange("PC-1"), []int{1}},
		{"other device", fault.When{Device: "PC-2"}, exchange("PC-1"), nil},
		{"layer", fault.When{Layer: fault.TPM}, exchange("PC-1"), nil},
		{"not yet", fault.When{From: time.Second}, exchange("PC-1"), nil},
		{"event", fault.When{Event: "esp.*", Nth: 2}, fault.Point{Layer: fault.Event, Operation: "esp.row", Device: "PC-1"}, []int{2}},
		{"not an event", fault.When{Event: "RST2"}, exchange("PC-1"), nil},
		{"an event is no exchange", fault.When{}, fault.Point{Layer: fault.Event, Operation: "esp.row"}, nil},
	} {
		i, _, _ := injector(fault.Rule{Name: c.name, When: c.when, Do: drop})
		NewWithT(t).Expect(fires(i, c.p, 7)).To(Equal(c.want), c.name)
	}
}

func TestDevicesCountForThemselves(t *testing.T) {
	g := NewWithT(t)
	i, _, _ := injector(fault.Rule{Name: "second", When: fault.When{Nth: 2}, Do: fault.Action{Status: 503}})
	g.Expect(fires(i, exchange("PC-1"), 3)).To(Equal([]int{2}))
	g.Expect(fires(i, exchange("PC-2"), 3)).To(Equal([]int{2}))
}

func TestSpanOfTime(t *testing.T) {
	g := NewWithT(t)
	i, _, h := injector(fault.Rule{Name: "lunch", When: fault.When{From: time.Hour, Until: 2 * time.Hour}, Do: fault.Action{Refuse: true}})
	for offset, want := range map[time.Duration]bool{
		0: false, time.Hour - 1: false, time.Hour: true, 2*time.Hour - 1: true, 2 * time.Hour: false,
	} {
		h.now = start.Add(offset)
		_, ok := i.At(exchange("PC-1"))
		g.Expect(ok).To(Equal(want), offset.String())
	}
}

func TestFirstOfTheListFiresAndAllCount(t *testing.T) {
	g := NewWithT(t)
	i, memory, _ := injector(
		fault.Rule{Name: "a", When: fault.When{Nth: 1}, Do: fault.Action{Status: 429, RetryAfter: 30 * time.Second}},
		fault.Rule{Name: "b", When: fault.When{Nth: 2}, Do: fault.Action{Drop: true, Delay: time.Second}},
	)
	do, ok := i.At(exchange("PC-1"))
	g.Expect(ok).To(BeTrue())
	g.Expect(do.Status).To(Equal(429))
	do, ok = i.At(exchange("PC-1"))
	g.Expect(ok).To(BeTrue())
	g.Expect(do.Drop).To(BeTrue())
	_, ok = i.At(exchange("PC-1"))
	g.Expect(ok).To(BeFalse())

	var lines []string
	for _, e := range memory.Timeline("PC-1") {
		lines = append(lines, strings.TrimPrefix(e.String(), "2026-09-01 08:00:00.000 PC-1 "))
	}
	g.Expect(lines).To(Equal([]string{
		`fault.fired rule=a layer=http host=login.live.com operation=RST2 n=1 action="status 429, retryAfter 30s"`,
		`fault.fired rule=b layer=http host=login.live.com operation=RST2 n=2 action="delay 1s, drop"`,
	}))
}

func TestSetRules(t *testing.T) {
	g := NewWithT(t)
	i, _, _ := injector()
	g.Expect(fires(i, exchange("PC-1"), 2)).To(BeEmpty())
	rules := []fault.Rule{{Name: "now", When: fault.When{Nth: 1}, Do: fault.Action{Drop: true}}}
	i.SetRules(rules)
	g.Expect(i.Rules()).To(Equal(rules))
	g.Expect(fires(i, exchange("PC-1"), 2)).To(Equal([]int{1}))
}

func TestNilInjector(t *testing.T) {
	var i *fault.Injector
	_, ok := i.At(exchange("PC-1"))
	NewWithT(t).Expect(ok).To(BeFalse())
}

func TestShare(t *testing.T) {
	g := NewWithT(t)
	rule := fault.Rule{Name: "some", When: fault.When{Share: 0.25}, Do: fault.Action{Drop: true}}
	i, _, _ := injector(rule)
	fired := fires(i, exchange("PC-1"), 4000)
	g.Expect(len(fired)).To(BeNumerically("~", 1000, 100))
	again, _, _ := injector(rule)
	g.Expect(fires(again, exchange("PC-1"), 4000)).To(Equal(fired))
	other, _, _ := injector(rule)
	g.Expect(fires(other, exchange("PC-2"), 4000)).NotTo(Equal(fired))
	renamed, _, _ := injector(fault.Rule{Name: "others", When: rule.When, Do: rule.Do})
	g.Expect(fires(renamed, exchange("PC-1"), 4000)).NotTo(Equal(fired))
}

// However devices interleave, the same exchanges of the same device break.
func TestFiringDoesNotDependOnOtherDevices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := []fault.Rule{
			{Name: "share", When: fault.When{Share: rapid.Float64Range(0.1, 0.9).Draw(t, "share")}, Do: fault.Action{Status: 503}},
			{Name: "third", When: fault.When{Every: 3}, Do: fault.Action{Drop: true}},
		}
		alone, _, _ := injector(rules...)
		want := fires(alone, exchange("PC-1"), 20)
		together, _, _ := injector(rules...)
		var got []int
		for n := 1; n <= 20; n++ {
			for range rapid.IntRange(0, 3).Draw(t, "others") {
				together.At(exchange(rapid.SampledFrom([]string{"PC-2", "PC-3"}).Draw(t, "device")))
			}
			if _, ok := together.At(exchange("PC-1")); ok {
				got = append(got, n)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("alone %v, together %v", want, got)
		}
	})
}

func TestValidate(t *testing.T) {
	ok := fault.Action{Drop: true}
	for _, c := range []struct {
		rule fault.Rule
		want string
	}{
		{fault.Rule{Do: ok}, "has no name"},
		{fault.Rule{Name: "x"}, "does nothing"},
		{fault.Rule{Name: "x", Do: fault.Action{Drop: true, Refuse: true}}, "only one of"},
		{fault.Rule{Name: "x", Do: fault.Action{Status: 200}}, "300 to 599"},
		{fault.Rule{Name: "x", Do: fault.Action{Status: 500, RetryAfter: time.Second}}, "429 or 503"},
		{fault.Rule{Name: "x", Do: fault.Action{Status: 503, RetryAfter: time.Millisecond}}, "whole seconds"},
		{fault.Rule{Name: "x", Do: fault.Action{Delay: -1}}, "not negative"},
		{fault.Rule{Name: "x", Do: ok, When: fault.When{Layer: "smtp"}}, "none of"},
		{fault.Rule{Name: "x", Do: ok, When: fault.When{Nth: -1}}, "count from 1"},
		{fault.Rule{Name: "x", Do: ok, When: fault.When{Share: 1.5}}, "between 0 and 1"},
		{fault.Rule{Name: "x", Do: ok, When: fault.When{From: 2, Until: 1}}, "span of time"},
		{fault.Rule{Name: "x", Do: fault.Action{CutPower: true}, When: fault.When{Event: "a", Host: "b"}}, "event goes with"},
		{fault.Rule{Name: "x", Do: ok, When: fault.When{Event: "a"}}, "only lead to delay, cutPower, clockJump or diskFull"},
		{fault.Rule{Name: "x", Do: ok, When: fault.When{Layer: "installer"}}, "does nothing at layer installer; it belongs to http"},
		{fault.Rule{Name: "x", Do: fault.Action{Drop: true}, When: fault.When{Layer: "tpm"}}, "it belongs to http and stream"},
		{fault.Rule{Name: "x", Do: fault.Action{TPMResponse: 257}, When: fault.When{Layer: "http"}}, "tpmResponse does nothing at layer http"},
		{fault.Rule{Name: "x", Do: fault.Action{ExitCode: 5}, When: fault.When{Layer: "http"}}, "it belongs to installer"},
	} {
		NewWithT(t).Expect(c.rule.Validate()).To(MatchError(ContainSubstring(c.want)))
	}
	g := NewWithT(t)
	good := fault.Rule{Name: "busy", When: fault.When{Host: "*", Share: 0.1}, Do: fault.Action{Status: 503, RetryAfter: 30 * time.Second, Delay: time.Millisecond}}
	g.Expect(good.Validate()).To(Succeed())
	g.Expect(fault.ValidateAll([]fault.Rule{good})).To(Succeed())
	g.Expect(fault.ValidateAll([]fault.Rule{good, good})).To(MatchError(ContainSubstring("two rules of one name")))
}

func TestTextForms(t *testing.T) {
	want := fault.Rule{
		Name: "busy",
		When: fault.When{Layer: "http", Host: "*.example", Operation: "Sync", Nth: 2, Every: 3, Share: 0.5, From: time.Hour, Until: 90 * time.Minute},
		Do:   fault.Action{Status: 503, RetryAfter: 30 * time.Second, Delay: 1500 * time.Millisecond},
	}
	g := NewWithT(t)
	var fromYAML, fromJSON, back fault.Rule
	g.Expect(yaml.UnmarshalWithOptions([]byte(`
name: busy
when: {layer: http, host: "*.example", operation: Sync, nth: 2, every: 3, share: 0.5, from: 1h, until: 90m}
do: {status: 503, retryAfter: 30s, delay: 1.5s}
`), &fromYAML, yaml.Strict())).To(Succeed())
	g.Expect(fromYAML).To(Equal(want))
	g.Expect(json.Unmarshal([]byte(`{"name":"busy","when":{"layer":"http","host":"*.example","operation":"Sync","nth":2,"every":3,
		"share":0.5,"from":"1h","until":"90m"},"do":{"status":503,"retryAfter":"30s","delay":"1.5s"}}`), &fromJSON)).To(Succeed())
	g.Expect(fromJSON).To(Equal(want))

	text, err := json.Marshal(want)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(text, &back)).To(Succeed())
	g.Expect(back).To(Equal(want))
	text, err = yaml.Marshal(want)
	g.Expect(err).NotTo(HaveOccurred())
	var again fault.Rule
	g.Expect(yaml.Unmarshal(text, &again)).To(Succeed())
	g.Expect(again).To(Equal(want), string(text))

	g.Expect(json.Unmarshal([]byte(`{"when":{"hosts":"x"}}`), &back)).To(MatchError(ContainSubstring(`unknown field "hosts"`)))
	g.Expect(json.Unmarshal([]byte(`{"do":{"delay":30}}`), &back)).NotTo(Succeed())
	g.Expect(fault.Action{CutPower: true, TPMResponse: 0x922, Corrupt: true, Truncate: true, NoSuchName: true, Refuse: true}.String()).To(
		Equal("refuse, noSuchName, corrupt, truncate, cutPower, tpmResponse 0x922"))
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		glob, text string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b.c", true}, {"a*c", "abbbc", true}, {"a*c", "abbb", false},
		{"*.microsoftaik.azure.net", "IFX-keyid-01.microsoftaik.azure.net", true}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"**a**", "bab", true}, {"a*b*c", "aXbYbZc", true}, {"ü?", "Üx", true},
	} {
		NewWithT(t).Expect(fault.Match(c.glob, c.text)).To(Equal(c.want), c.glob+" "+c.text)
	}
}

func FuzzRuleJSON(f *testing.F) {
	f.Add([]byte(`{"name":"x","when":{"nth":1},"do":{"delay":"1s"}}`))
	f.Add([]byte(`{"when":null,"do":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r fault.Rule
		if json.Unmarshal(text, &r) == nil && r.Validate() == nil {
			out, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var back fault.Rule
			if err := json.Unmarshal(out, &back); err != nil || back != r {
				t.Fatalf("%s reads as %+v, then %+v, %v", text, r, back, err)
			}
		}
	})
}

func BenchmarkAt(b *testing.B) {
	i, _, _ := injector(fault.Rule{Name: "x", When: fault.When{Host: "*.example"}, Do: fault.Action{Drop: true}})
	p := exchange("PC-1")
	b.ReportAllocs()
	for b.Loop() {
		p.N++
		i.At(p)
	}
}

// A rule that comes or goes while the run is under way leaves the others'
// counts alone.
func TestAddAndRemove(t *testing.T) {
	g := NewWithT(t)
	i, _, _ := injector(fault.Rule{Name: "third", When: fault.When{Nth: 3}, Do: fault.Action{Drop: true}})
	g.Expect(fires(i, exchange("PC-1"), 2)).To(BeEmpty())
	i.Add(fault.Rule{Name: "second", When: fault.When{Nth: 2}, Do: fault.Action{Status: 503}})
	g.Expect(i.Rules()).To(HaveLen(2))
	g.Expect(fires(i, exchange("PC-1"), 3)).To(Equal([]int{1, 2}), "the third of all, then the second since")
	g.Expect(i.Remove("third")).To(BeTrue())
	g.Expect(i.Remove("third")).To(BeFalse())
	g.Expect(i.Rules()).To(HaveLen(1))
	g.Expect(fires(i, exchange("PC-2"), 3)).To(Equal([]int{2}))
}
