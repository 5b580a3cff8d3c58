package graph_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/graph"
)

func devices() []graph.Device {
	yes, no := true, false
	return []graph.Device{
		{ID: "1", DeviceID: "AAAA", DisplayName: "PC-2", IsCompliant: &yes, PhysicalIDs: []string{"[ZTDID]:z1", "[OrderID]:bench"}, DeviceVersion: 2},
		{ID: "2", DeviceID: "bbbb", DisplayName: "PC-1", IsCompliant: &no, PhysicalIDs: []string{}, CreatedDateTime: graph.At(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))},
		{ID: "3", DeviceID: "cccc", DisplayName: "O'Brien", TrustType: graph.TrustEntra},
	}
}

func query(t *testing.T, raw string) (graph.Query, error) {
	t.Helper()
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	return graph.ParseQuery(values)
}

func TestFilters(t *testing.T) {
	for filter, want := range map[string]string{
		`deviceId eq 'aaaa'`:                                 "1",
		`deviceId ne 'aaaa'`:                                 "23",
		`displayName eq 'O''Brien'`:                          "3",
		`startswith(displayName,'pc-')`:                      "12",
		`contains(displayName, 'rie') or id eq '1'`:          "13",
		`endswith(displayName,'1') and isCompliant eq false`: "2",
		`isCompliant eq null`:                                "3",
		`not (isCompliant eq true)`:                          "23",
		`isCompliant ne null and (id eq '1' or id eq '3')`:   "1",
		`physicalIds/any(p:p eq '[ZTDID]:Z1')`:               "1",
		`physicalIds/any(x: startswith(x,'[OrderID]'))`:      "1",
		`createdDateTime eq 2026-09-01T00:00:00Z`:            "2",
		`createdDateTime eq 2026-09-01T02:00:00+02:00`:       "2",
		`deviceVersion eq 2`:                                 "1",
		`DEVICEID EQ 'bbbb'`:                                 "2",
		`nothing eq 'x'`:                                     "",
		`contains(physicalIds,'x')`:                          "",
		`id eq 3`:                                            "3",
	} {
		t.Run(filter, func(t *testing.T) {
			g := gomega.NewWithT(t)
			q, err := query(t, "$select=id&$filter="+url.QueryEscape(filter))
			g.Expect(err).NotTo(gomega.HaveOccurred())
			p, err := graph.Apply(q, devices(), 0)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			ids := ""
			for _, raw := range p.Items {
				var d struct{ ID string }
				g.Expect(json.Unmarshal(raw, &d)).To(gomega.Succeed())
				ids += d.ID
			}
			g.Expect(ids).To(gomega.Equal(want))
		})
	}
}

func TestFilterProblems(t *testing.T) {
	for filter, say := range map[string]string{
		`a`:                                    `operator ""`,
		`a has 5`:                              `operator "has"`,
		`a gt 'x'`:                             `needs a number or a date`,
		`a in 'x'`:                             `"(" is expected`,
		`length(a) eq 5`:                       `function "length"`,
		`a eq 'x`:                              "a value is expected",
		`(a eq 1`:                              `")" is expected`,
		`a eq 1 b`:                             `unexpected "b"`,
		`contains('x',a)`:                      "a property is expected",
		`contains(a 'x')`:                      `"," is expected`,
		`contains(a,x)`:                        "single quotes",
		`a/any(p)`:                             `":" is expected`,
		`a/any('p':p eq 1)`:                    "a name is expected",
		`a eq )`:                               "a value is expected",
		`'x' eq a`:                             "a condition is expected",
		strings.Repeat("(", 500):               "nested",
		strings.Repeat("not ", 500) + "a eq 1": "nested",
	} {
		g := gomega.NewWithT(t)
		_, err := graph.ParseFilter(filter)
		g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(say)), filter)
	}
}

func TestFields(t *testing.T) {
	g := gomega.NewWithT(t)
	e, err := graph.ParseFilter(`not (b eq 1) and (contains(a,'x') or c/any(p:p eq 'x')) and a ne null`)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(graph.Fields(e)).To(gomega.Equal([]string{"a", "b", "c"}))
	g.Expect(graph.Fields(nil)).To(gomega.BeNil())
}

func TestPages(t *testing.T) {
	g := gomega.NewWithT(t)
	q, err := query(t, "$orderby=displayName desc,id&$count=true&$select=displayName,ID&$expand=a($select=x,y),b")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(q.Count).To(gomega.BeTrue())
	g.Expect(q.Expands("A") && q.Expands("b") && !q.Expands("y")).To(gomega.BeTrue())
	p, err := graph.Apply(q, devices(), 2)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.Total).To(gomega.Equal(3))
	g.Expect(p.Next).To(gomega.Equal(2))
	g.Expect(string(p.Items[0])).To(gomega.Equal(`{"displayName":"PC-2","id":"1"}`))

	q, err = query(t, "$orderby=displayName desc&$skiptoken=2")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	p, err = graph.Apply(q, devices(), 2)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.Items).To(gomega.HaveLen(1))
	g.Expect(p.Next).To(gomega.BeZero())

	q, err = query(t, "$top=1&$skip=1&$orderby=deviceVersion")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	p, err = graph.Apply(q, devices(), 0)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.Items).To(gomega.HaveLen(1))

	q, err = query(t, `$search="displayName:brien"`)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	p, err = graph.Apply(q, devices(), 0)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.Total).To(gomega.Equal(1))

	app, err := graph.Query{Select: []string{"size"}}.Project(graph.MobileApp{ODataType: graph.TypeWin32LobApp, Size: 3})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(app)).To(gomega.Equal(`{"@odata.type":"#microsoft.graph.win32LobApp","size":3}`))
	_, err = graph.Query{}.Project("text")
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestQueryProblems(t *testing.T) {
	for _, raw := range []string{"$top=-1", "$top=x", "$skip=x", "$count=maybe", "$orderby=a sideways", "$filter=a", "$apply=x"} {
		g := gomega.NewWithT(t)
		_, err := query(t, raw)
		g.Expect(err).To(gomega.HaveOccurred(), raw)
	}
	g := gomega.NewWithT(t)
	_, err := query(t, "client-request-id=1&$format=json")
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

func TestEnvelopes(t *testing.T) {
	g := gomega.NewWithT(t)
	n := 0
	b, err := json.Marshal(graph.Collection[graph.Device]{Context: "c", Count: &n})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(b)).To(gomega.Equal(`{"@odata.context":"c","@odata.count":0,"value":[]}`))
	b, err = json.Marshal(graph.NewError(graph.CodeTooManyRequests, "slow down", time.Date(2026, 9, 1, 8, 0, 0, 5, time.UTC), "r", ""))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(b)).To(gomega.Equal(`{"error":{"code":"TooManyRequests","message":"slow down","innerError":{"date":"2026-09-01T08:00:00","request-id":"r","client-request-id":"r"}}}`))
	var m map[string]any
	g.Expect(json.Unmarshal([]byte(graph.IntuneMessage{Message: "no"}.String()), &m)).To(gomega.Succeed())
	g.Expect(m).To(gomega.HaveKeyWithValue("Message", "no"))
}

func FuzzFilter(f *testing.F) {
	f.Add(`not (b eq 1) and (contains(a,'x') or c/any(p:p eq 'x'))`)
	f.Add(`a eq 2026-09-01T00:00:00Z`)
	rows := devices()
	f.Fuzz(func(t *testing.T, s string) {
		e, err := graph.ParseFilter(s)
		if err != nil {
			return
		}
		if _, err := graph.Apply(graph.Query{Filter: e}, rows, 0); err != nil {
			t.Fatal(err)
		}
	})
}
