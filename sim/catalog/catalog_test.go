package catalog

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	. "github.com/onsi/gomega"
)

var update = flag.Bool("update", false, "write scenarios/knownissues/KNOWN-ISSUES.md anew")

const page = "../../scenarios/knownissues/KNOWN-ISSUES.md"

// gaps are the numbers that the catalogue does not have.
var gaps = map[string]string{
	"R": "12", "P": "17 22", "E": "15 19", "S": "32 33", "H": "04 06 12", "U": "05 07",
}

func TestEveryIssueIsThere(t *testing.T) {
	g := NewWithT(t)
	l, err := Embedded()
	g.Expect(err).NotTo(HaveOccurred())
	last := map[string]int{"R": 27, "P": 28, "E": 25, "S": 51, "H": 42, "U": 24}
	want := 0
	for letter, n := range last {
		for i := 1; i <= n; i++ {
			number := fmt.Sprintf("%02d", i)
			if strings.Contains(gaps[letter], number) {
				continue
			}
			want++
			_, ok := l.Find(letter + number)
			g.Expect(ok).To(BeTrue(), letter+number)
		}
	}
	g.Expect(l.Entries).To(HaveLen(want))
	g.Expect(l.Counts()[Reproduced]).To(BeNumerically(">=", 150))
}

func TestThePageIsTheEntries(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, l.Page(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(l.Page()) {
		t.Errorf("%s is not what the entries say: go test ./sim/catalog -update", page)
	}
}

// Every entry's scenarios are read without a mistake.
func TestEveryArrangementLoads(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.Entries {
		if _, err := l.Parts(e); err != nil {
			t.Error(err)
		}
	}
}

const good = `
id: X01
title: A title
phase: [T-PREP, U]
class: CFG
status: open
cause: Something is so.
seen: {codes: ["0x80180014"], screens: [some.screen], events: [{channel: A, id: 171}], text: [Another installation is in progress]}
remedy: Make it otherwise.
sources: [https://learn.microsoft.com/autopilot/known-issues]
provenance: documented
state: out-of-reach
reason: Nobody knows.
`

func TestSearch(t *testing.T) {
	g := NewWithT(t)
	l, err := Load(fstest.MapFS{"X01.yaml": {Data: []byte(good)}})
	g.Expect(err).NotTo(HaveOccurred())
	for _, text := range []string{"0x80180014", "80180014", "failed with 0X80180014 (whatever)", "-2145910764", "event 171", "Event ID: 171", "171", "another INSTALLATION is in progress", "some.screen", "x01"} {
		g.Expect(l.Search(text)).To(HaveLen(1), text)
	}
	for _, text := range []string{"0x80180015", "event 172", "nothing of the kind"} {
		g.Expect(l.Search(text)).To(BeEmpty(), text)
	}
	g.Expect(l.Where(Filter{Phase: "t", Class: "cfg", Code: "80180014", State: OutOfReach})).To(HaveLen(1))
	g.Expect(l.Where(Filter{Phase: "HYB"})).To(BeEmpty())
}

func TestMistakesOfAnEntry(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"id: X01", "id: X02"}:                                 `X01.yaml:1:1: the file of "X02" is X02.yaml`,
		{"class: CFG", "class: CFC"}:                           `X01.yaml:1:1: class "CFC"; there are CFG, NET`,
		{"phase: [T-PREP, U]", "phase: [T-PREP, V]"}:           `phase "V"; there are REG`,
		{"reason: Nobody knows.", ""}:                          "reason is missing: why is it out-of-reach?",
		{"state: out-of-reach", "state: reproduced"}:           "it is reproduced by no scenario",
		{"remedy: Make it otherwise.", "cure: none"}:           `X01.yaml:9:1: unknown field "cure"`,
		{"title: A title", "title: [a"}:                        "X01.yaml:",
		{"reason: Nobody knows.", "scenario: {base: entra}\n"}: "it is out of reach and has a scenario",
		{"provenance: documented", "provenance: documented\nscenario: {base: entra, fleet: {groups: [{name: pcs, cuont: 2}]}}\nexpect: [failures == 0]\nhelped: {none: It is so.}\nstate: model-only"}: "X01.yaml:",
	} {
		g := NewWithT(t)
		text := strings.Replace(good, change[0], change[1], 1)
		if strings.Contains(change[1], "state: model-only") {
			text = strings.Replace(text, "state: out-of-reach\n", "", 1)
		}
		l, err := Load(fstest.MapFS{"X01.yaml": {Data: []byte(text)}})
		if err == nil {
			e, _ := l.Find("X01")
			_, err = l.Parts(e)
		}
		g.Expect(err).To(MatchError(ContainSubstring(want)), change[1])
	}
}
