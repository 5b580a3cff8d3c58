package ime

import (
	"fmt"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/sidecar"
)

// Every app is in one subgraph, apps that have to do with each other are in the
// same, and nothing of the order that the gateway gave is lost.
func TestSubgraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(t, "apps")
		apps := make([]sidecar.App, n)
		for i := range apps {
			apps[i].ID = fmt.Sprint(i)
			for _, child := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 2).Draw(t, "children") {
				apps[i].FlatDependencies = append(apps[i].FlatDependencies, sidecar.Dependency{AppID: apps[i].ID, ChildID: fmt.Sprint(child)})
			}
		}
		p := newPlan(apps)
		home, last := map[string]int{}, -1
		for at, graph := range p.subgraphs() {
			if first := p.index[graph[0].ID]; first <= last {
				t.Fatal("the groups are out of order")
			} else {
				last = first
			}
			before := -1
			for _, app := range graph {
				if _, twice := home[app.ID]; twice || p.index[app.ID] <= before {
					t.Fatal("twice, or out of order: " + app.ID)
				}
				home[app.ID], before = at, p.index[app.ID]
			}
		}
		if len(home) != n {
			t.Fatal("an app is missing")
		}
		for _, app := range apps {
			for _, d := range app.FlatDependencies {
				if to, there := home[d.ChildID]; there && to != home[app.ID] {
					t.Fatal(app.ID + " is apart from " + d.ChildID)
				}
			}
		}
	})
}

func TestSuperseded(t *testing.T) {
	g := gomega.NewWithT(t)
	by := sidecar.App{ID: "new", Intent: sidecar.Required, FlatDependencies: []sidecar.Dependency{{AppID: "new", ChildID: "old", Type: sidecar.Supersedes}}}
	g.Expect(newPlan([]sidecar.App{by}).superseded("old")).To(gomega.BeTrue())
	by.Intent = sidecar.NotTargeted
	g.Expect(newPlan([]sidecar.App{by}).superseded("old")).To(gomega.BeFalse(), "nobody wants it")
	g.Expect(newPlan(nil).superseded("old")).To(gomega.BeFalse())
}
