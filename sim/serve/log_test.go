package serve

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
)

func event(kind, device string, fields ...journal.Field) journal.Event {
	return journal.Event{Kind: kind, Device: device, Fields: fields}
}

func TestLogFinds(t *testing.T) {
	g := gomega.NewWithT(t)
	l := &log{}
	for _, e := range []journal.Event{
		event("http.request", "", journal.F("host", "graph.microsoft.com")),
		event(journal.Refused, "PC-1", journal.F("service", "sts")),
		event("http.request", "PC-1", journal.F("host", "login.live.com")),
		event("device.made", "PC-2"),
	} {
		g.Expect(l.Write(e)).To(gomega.Succeed())
	}
	for name, c := range map[string]struct {
		q    query
		want []uint64
		next uint64
	}{
		"all":             {query{limit: 9}, []uint64{1, 2, 3, 4}, 4},
		"since":           {query{since: 2, limit: 9}, []uint64{3, 4}, 4},
		"limit":           {query{limit: 3}, []uint64{1, 2, 3}, 3},
		"kind":            {query{kind: "http.*", limit: 9}, []uint64{1, 3}, 4},
		"device":          {query{device: "pc-?", limit: 9}, []uint64{2, 3, 4}, 4},
		"service":         {query{service: "sts", limit: 9}, []uint64{2}, 4},
		"service by host": {query{service: "*.microsoft.com", limit: 9}, []uint64{1}, 4},
		"all of it":       {query{since: 4, limit: 9}, []uint64{}, 4},
		"not yet":         {query{since: 1000, limit: 9}, []uint64{}, 4},
	} {
		p, _ := l.find(c.q)
		got := []uint64{}
		for _, e := range p.Events {
			got = append(got, e.Seq)
		}
		g.Expect(got).To(gomega.Equal(c.want), name)
		g.Expect(p.Next).To(gomega.Equal(c.next), name)
		g.Expect(p.Oldest).To(gomega.BeEquivalentTo(1), name)
	}
}

// What is too old is gone, and the numbers go on.
func TestLogForgets(t *testing.T) {
	g := gomega.NewWithT(t)
	l := &log{}
	for range keepEvents + 10 {
		g.Expect(l.Write(event("x", ""))).To(gomega.Succeed())
	}
	p, _ := l.find(query{since: 3, limit: 2})
	g.Expect(p.Oldest).To(gomega.BeEquivalentTo(11))
	g.Expect(p.Events).To(gomega.HaveLen(2))
	g.Expect(p.Events[0].Seq).To(gomega.BeEquivalentTo(11))
	g.Expect(p.Next).To(gomega.BeEquivalentTo(12))
	p, _ = l.find(query{since: keepEvents + 9, limit: 2})
	g.Expect(p.Events).To(gomega.HaveLen(1))
}

func TestLogAwaits(t *testing.T) {
	g := gomega.NewWithT(t)
	l := &log{}
	got := make(chan page, 1)
	go func() { got <- l.await(t.Context(), query{kind: "wanted", limit: 9}) }()
	g.Expect(l.Write(event("other", ""))).To(gomega.Succeed())
	g.Expect(l.Write(event("wanted", ""))).To(gomega.Succeed())
	p := <-got
	g.Expect(p.Events).To(gomega.HaveLen(1))
	g.Expect(p.Next).To(gomega.BeEquivalentTo(2))

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	g.Expect(l.await(ctx, query{since: 2, limit: 9})).To(gomega.Equal(page{Events: []journal.Event{}, Next: 2, Oldest: 1}))
}

// Somebody who has no management listener hears of a defect all the same.
func TestDefectsAreTold(t *testing.T) {
	g := gomega.NewWithT(t)
	var told []string
	l := &log{warn: func(m string) { told = append(told, m) }}
	e := event(vnet.Panicked, "", journal.F("host", "graph.microsoft.com"), journal.F("operation", "users.list"),
		journal.Loose("panic", "index out of range"), journal.Loose("stack", "users.go:7"))
	g.Expect(l.Write(e)).To(gomega.Succeed())
	g.Expect(l.Write(event("http.request", ""))).To(gomega.Succeed())
	g.Expect(told).To(gomega.ConsistOf("a service failed by a defect of its own, in users.list at graph.microsoft.com: index out of range\nusers.go:7"))
}
