package ime

import (
	"slices"

	"windtunnel.test/sim/wire/sidecar"
)

// plan is what one answer of the gateway asks for: the apps, and how they
// depend on each other and take each other's place.
type plan struct {
	apps  []sidecar.App // as they came
	index map[string]int
}

func newPlan(apps []sidecar.App) plan {
	p := plan{apps: apps, index: make(map[string]int, len(apps))}
	for i, app := range apps {
		p.index[app.ID] = i
	}
	return p
}

// app finds an app by id.
func (p plan) app(id string) (sidecar.App, bool) {
	i, ok := p.index[id]
	if !ok {
		return sidecar.App{}, false
	}
	return p.apps[i], true
}

// children are an app's relations of a kind, in their order.
func (p plan) children(app sidecar.App, kind sidecar.DependencyType) []sidecar.Dependency {
	var out []sidecar.Dependency
	for _, d := range app.FlatDependencies {
		if d.Type == kind && d.AppID == app.ID {
			out = append(out, d)
		}
	}
	return out
}

// superseded tells whether another app of the plan that is to be installed
// takes an app's place.
func (p plan) superseded(id string) bool {
	return slices.ContainsFunc(p.apps, func(by sidecar.App) bool {
		return by.Intent == sidecar.Required && slices.ContainsFunc(p.children(by, sidecar.Supersedes), func(d sidecar.Dependency) bool { return d.ChildID == id })
	})
}

// subgraphs groups the apps that have to do with each other, directly or by
// others; apps and groups are in the order in which they came.
func (p plan) subgraphs() [][]sidecar.App {
	group := make([]int, len(p.apps)) // by app: the least index that it is connected with
	for i := range group {
		group[i] = i
	}
	var find func(i int) int
	find = func(i int) int {
		if group[i] != i {
			group[i] = find(group[i])
		}
		return group[i]
	}
	for i, app := range p.apps {
		for _, d := range app.FlatDependencies {
			if j, ok := p.index[d.ChildID]; ok && d.AppID == app.ID {
				a, b := find(i), find(j)
				group[max(a, b)] = min(a, b)
			}
		}
	}
	var out [][]sidecar.App
	place := map[int]int{}
	for i, app := range p.apps {
		root := find(i)
		n, ok := place[root]
		if !ok {
			n = len(out)
			place[root], out = n, append(out, nil)
		}
		out[n] = append(out[n], app)
	}
	return out
}
