package graph

import (
	"fmt"
	"slices"
	"strings"
)

// How many relations an app may have
// (learn.microsoft.com/mem/intune/apps/apps-win32-add, "Dependencies": 100 in
// the whole graph; apps-win32-supersedence: 10 nodes).
const (
	maxDependencies  = 100
	maxSupersedences = 10
)

// RelationMistakes says what is wrong with the relations of an app, as
// updateRelationships would refuse them. find gives the tenant's other apps.
func RelationMistakes(a MobileApp, find func(id string) (MobileApp, bool)) []Mistake {
	var r Report
	seen := map[string]bool{}
	for i, rel := range a.Relationships {
		at := fmt.Sprintf("relationships[%d]", i)
		if !rel.Child() {
			continue // what others have with this app
		}
		switch "#" + strings.TrimPrefix(rel.ODataType, "#") {
		case TypeDependency:
			r.optional(at+".dependencyType", string(rel.DependencyType), []string{string(DependencyDetect), string(DependencyInstall)})
		case TypeSupersedence:
			r.optional(at+".supersedenceType", string(rel.SupersedenceType), []string{string(SupersedenceUpdate), string(SupersedenceReplace)})
		default:
			r.wrong(at+".@odata.type", "%q is no relation; write %s or %s", rel.ODataType, TypeDependency, TypeSupersedence)
			continue
		}
		target, ok := find(rel.TargetID)
		switch {
		case a.Win32LobApp == nil || a.WinGetApp != nil:
			r.wrong(at, "only apps of the type win32LobApp have relations; this one is a %s", strings.TrimPrefix(a.ODataType, "#microsoft.graph."))
		case strings.EqualFold(rel.TargetID, a.ID):
			r.wrong(at+".targetId", "the app is related to itself; take the relation away")
		case !ok:
			r.wrong(at+".targetId", "the tenant has no app %q; add it, or take the relation away", rel.TargetID)
		case target.Win32LobApp == nil || target.WinGetApp != nil:
			r.wrong(at+".targetId", "%q is a %s; only apps of the type win32LobApp have relations", target.DisplayName, strings.TrimPrefix(target.ODataType, "#microsoft.graph."))
		case seen[strings.ToLower(rel.TargetID)]:
			r.wrong(at+".targetId", "%q is there twice; two apps have one relation", target.DisplayName)
		default:
			if path := circle(a, target, rel.Supersedes(), find); path != nil {
				r.wrong(at+".targetId", "goes round in a circle: %s; take one of these relations away", strings.Join(path, " -> "))
			}
		}
		seen[strings.ToLower(rel.TargetID)] = true
	}
	r.tooMany(a)
	return r.Mistakes
}

func (r *Report) tooMany(a MobileApp) {
	needs, replaced := 0, 0
	for _, rel := range a.Relationships {
		switch {
		case !rel.Child():
		case rel.Supersedes():
			replaced++
		default:
			needs++
		}
	}
	if needs > maxDependencies {
		r.wrong("relationships", "%d dependencies are too many; at most %d", needs, maxDependencies)
	}
	if replaced > maxSupersedences {
		r.wrong("relationships", "%d superseded apps are too many; at most %d", replaced, maxSupersedences)
	}
}

// circle is the way from an app through one that it is related to back to it,
// by relations of one kind; nil where there is none.
func circle(a, first MobileApp, supersedes bool, find func(id string) (MobileApp, bool)) []string {
	seen := map[string]bool{}
	var walk func(app MobileApp, path []string) []string
	walk = func(app MobileApp, path []string) []string {
		path = append(slices.Clone(path), app.DisplayName)
		if strings.EqualFold(app.ID, a.ID) {
			return path
		}
		if seen[strings.ToLower(app.ID)] {
			return nil
		}
		seen[strings.ToLower(app.ID)] = true
		for _, rel := range app.Relationships {
			if !rel.Child() || rel.Supersedes() != supersedes {
				continue
			}
			if next, ok := find(rel.TargetID); ok {
				if found := walk(next, path); found != nil {
					return found
				}
			}
		}
		return nil
	}
	return walk(first, []string{a.DisplayName})
}
