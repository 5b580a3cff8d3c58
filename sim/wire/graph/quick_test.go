package graph

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/onsi/gomega"
)

// A filter finds the same whether it looks at encoded resources or not.
func TestFilterOnMembers(t *testing.T) {
	g := gomega.NewWithT(t)
	items := []DeviceManagementScript{{DisplayName: "One", CreatedDateTime: At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)), RunAs32Bit: true}, {DisplayName: "Two"}}
	for filter, want := range map[string]int{
		"displayName eq 'one'": 1, "DISPLAYNAME in ('one','TWO')": 2, "createdDateTime ge 2026-09-01T08:00:00Z": 1, "createdDateTime lt 2026-09-01T08:00:00Z": 1,
		"createdDateTime gt 2026-09-01T10:00:00+02:00": 0, "createdDateTime le 2026-09-01T10:00:00+02:00": 2, "runAs32Bit eq true": 1, "assignments eq null": 2,
		"nothing eq null": 2, "fileName eq ''": 2, "contains(displayName,'w')": 1, "not (displayName eq 'one')": 1, "displayName gt 5": 0,
	} {
		q, err := ParseQuery(url.Values{"$filter": {filter}})
		g.Expect(err).NotTo(gomega.HaveOccurred(), filter)
		page, err := Apply(q, items, 0)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(page.Total).To(gomega.Equal(want), filter)
		slow := 0
		for _, item := range items {
			r, err := q.newRow(item)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			if eval(q.Filter, r.members) {
				slow++
			}
		}
		g.Expect(slow).To(gomega.Equal(want), filter)
	}
}

func TestPagesAreCounted(t *testing.T) {
	g := gomega.NewWithT(t)
	items := make([]DeviceManagementScript, 7)
	for at, pages := 0, 0; ; pages++ {
		q, err := ParseQuery(url.Values{"$skiptoken": {SkipToken(at)}})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		page, err := Apply(q, items, 3)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(page.Total).To(gomega.Equal(7))
		if at = page.Next; at == 0 {
			g.Expect(pages).To(gomega.Equal(2))
			g.Expect(page.Items).To(gomega.HaveLen(1))
			return
		}
	}
}

func TestDurations(t *testing.T) {
	g := gomega.NewWithT(t)
	for text, d := range map[string]time.Duration{"PT0S": 0, "PT1H2M3S": time.Hour + 2*time.Minute + 3*time.Second, "P2D": 48 * time.Hour, "P1DT30M": 24*time.Hour + 30*time.Minute} {
		g.Expect(Duration(d).String()).To(gomega.Equal(text))
		var back Duration
		g.Expect(json.Unmarshal([]byte(`"`+text+`"`), &back)).To(gomega.Succeed())
		g.Expect(time.Duration(back)).To(gomega.Equal(d))
	}
	for _, bad := range []string{`5`, `"x"`, `"P"x`, `"P1Y"`, `"PT"1`, `"PTS"`, `"P-1D"`} {
		var d Duration
		g.Expect(json.Unmarshal([]byte(bad), &d)).NotTo(gomega.Succeed(), bad)
	}
}
