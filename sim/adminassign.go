package sim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
)

// appsCollection is the one whose assignments have an intent.
const appsCollection = "mobileApps"

// scriptsCollection is the one whose assign action has another body.
const scriptsCollection = "deviceManagementScripts"

func objectURL(a scenario.Assign) string {
	area := "deviceManagement"
	if a.Collection == appsCollection {
		area = "deviceAppManagement"
	}
	return graphRoot + "/beta/" + area + "/" + a.Collection + "/" + a.Object
}

// Assign adds an assignment to an object of the tenant.
func (a *Administrator) Assign(ctx context.Context, to scenario.Assign) error {
	return a.reassign(ctx, to, func(targets []graph.MobileAppAssignment) []graph.MobileAppAssignment {
		return append(targets, graph.MobileAppAssignment{Intent: to.Intent, Target: to.Target()})
	})
}

// Unassign takes an assignment away.
func (a *Administrator) Unassign(ctx context.Context, to scenario.Assign) error {
	want := to.Target()
	return a.reassign(ctx, to, func(targets []graph.MobileAppAssignment) []graph.MobileAppAssignment {
		return slices.DeleteFunc(targets, func(t graph.MobileAppAssignment) bool {
			return t.Target.ODataType == want.ODataType && t.Target.GroupID == want.GroupID // whatever its filter
		})
	})
}

// reassign replaces an object's assignments, as Graph's assign action does:
// it takes the whole list.
func (a *Administrator) reassign(ctx context.Context, to scenario.Assign, change func([]graph.MobileAppAssignment) []graph.MobileAppAssignment) error {
	var now graph.Collection[graph.MobileAppAssignment]
	if err := a.Graph(ctx, http.MethodGet, objectURL(to)+"/assignments", nil, &now); err != nil {
		return fmt.Errorf("assign %s: %w", to.Object, err)
	}
	wanted := change(now.Value)
	var body any = graph.AppAssignRequest{Assignments: wanted}
	if to.Collection != appsCollection {
		plain := graph.AssignRequest{}
		for _, w := range wanted {
			plain.Assignments = append(plain.Assignments, graph.Assignment{ID: w.ID, Target: w.Target})
		}
		body = plain
		if to.Collection == scriptsCollection {
			body = graph.ScriptAssignRequest{Assignments: plain.Assignments}
		}
	}
	if err := a.Graph(ctx, http.MethodPost, objectURL(to)+"/assign", body, nil); err != nil {
		return fmt.Errorf("assign %s: %w", to.Object, err)
	}
	return nil
}
