package graph

import (
	"fmt"
	"net/http"
	"strings"

	wire "windtunnel.test/sim/wire/graph"
)

// addRelationships: which apps an app needs, and which it takes the place of
// (learn.microsoft.com/graph, mobileAppRelationship, mobileApp:
// updateRelationships).
func (h *Handler) addRelationships() {
	const path = "deviceAppManagement/mobileApps/{id}"
	h.handleBeta(http.MethodGet, path+"/relationships", apps, func(c *call) (answer, error) {
		a, err := c.t.Apps().Get(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		return list(c, relations(c, a))
	})
	h.handleBeta(http.MethodPost, path+"/updateRelationships", apps, updateRelationships)
}

func updateRelationships(c *call) (answer, error) {
	var req struct {
		Relationships []wire.MobileAppRelationship `json:"relationships"`
	}
	if err := c.decode(&req); err != nil {
		return answer{}, err
	}
	find := finder(c.t)
	_, err := c.t.Apps().Update(c.Context(), c.Params["id"], func(a *wire.MobileApp) error {
		a.Relationships = nil
		for _, r := range req.Relationships {
			if !r.Child() {
				continue // the other app has that one
			}
			r.ID = a.ID + "_" + strings.ToLower(r.TargetID)
			r.TargetID, r.TargetType = strings.ToLower(r.TargetID), "child"
			r.ODataType = "#" + strings.TrimPrefix(r.ODataType, "#")
			a.Relationships = append(a.Relationships, r)
		}
		return refused(wire.RelationMistakes(*a, find))
	})
	if err != nil {
		return answer{}, fmt.Errorf("relationships: %w", err)
	}
	return done()
}

// hideRelations leaves relations out where they were not asked for.
func hideRelations(c *call, a *wire.MobileApp) {
	if c.query.Expands("relationships") {
		a.Relationships = relations(c, *a)
	} else {
		a.Relationships = nil
	}
}

// relations are an app's own, and those that others have with it.
func relations(c *call, a wire.MobileApp) []wire.MobileAppRelationship {
	find := finder(c.t)
	var out []wire.MobileAppRelationship
	add := func(r wire.MobileAppRelationship, other, kind string) {
		target, ok := find(other)
		if !ok {
			return
		}
		r.ID, r.TargetID, r.TargetType = a.ID+"_"+target.ID, target.ID, kind
		r.TargetDisplayName, r.TargetPublisher = target.DisplayName, target.Publisher
		out = append(out, r)
	}
	for _, r := range a.Relationships {
		add(r, r.TargetID, "child")
	}
	for other := range c.t.Apps().All() {
		for _, r := range other.Relationships {
			if r.Child() && sameID(r.TargetID, a.ID) {
				add(r, other.ID, "parent")
			}
		}
	}
	return out
}
