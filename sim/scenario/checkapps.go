package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/installer"
)

func (c *checker) apps() {
	c.appIDs()
	limit := int64(c.limits().IME.AppSize)
	for i := range c.s.Tenant.Apps {
		a, at := &c.s.Tenant.Apps[i], c.origin("tenant.mobileApps", i)
		for k := range a.Assignments {
			as, path := &a.Assignments[k], fmt.Sprintf("%s.assignments[%d]", at, k)
			if as.Intent == "" {
				as.Intent = graph.IntentRequired
			}
			c.target(path+".target", &as.Target)
		}
		if a.Windtunnel.Size > 0 {
			a.Size = int64(a.Windtunnel.Size)
		}
		if a.Size > limit || a.Size < 0 {
			c.wrong(at, "a package of %d bytes is none that Intune takes; at most %d", a.Size, limit)
		}
		problems := a.Windtunnel.Problems()
		for _, member := range slices.Sorted(maps.Keys(problems)) {
			c.wrong(at+".windtunnel."+member, "%s", problems[member])
		}
		if m, err := a.Manifest().Encode(); err != nil {
			c.wrong(at+".windtunnel", "%v", err)
		} else if len(m) > installer.MaxBytes {
			c.wrong(at+".windtunnel", "has too many files")
		}
		c.mistakes(at, a.MobileApp.Mistakes())
	}
	for i := range c.s.Tenant.Apps {
		c.relations(i)
	}
}

// mistakes notes what Graph would refuse.
func (c *checker) mistakes(at string, list []graph.Mistake) {
	for _, m := range list {
		c.wrong(at+"."+m.Path, "%s", m.Message)
	}
}

// findApp finds an app of the file by its id.
func (c *checker) findApp(id string) (graph.MobileApp, bool) {
	for _, a := range c.s.Tenant.Apps {
		if strings.EqualFold(a.ID, id) {
			return a.MobileApp, true
		}
	}
	return graph.MobileApp{}, false
}

// appIDs puts the ids of apps in place of names in all relations.
func (c *checker) appIDs() {
	for i := range c.s.Tenant.Apps {
		for k := range c.s.Tenant.Apps[i].Relationships {
			r := &c.s.Tenant.Apps[i].Relationships[k]
			r.ODataType = "#" + strings.TrimPrefix(r.ODataType, "#")
			if id, ok := c.appID(r.TargetID); ok {
				r.TargetID = id
			}
		}
	}
}

// relations takes out what an export says of the other end and what leads to
// apps that are not modelled, and checks the rest.
func (c *checker) relations(i int) {
	a, at := &c.s.Tenant.Apps[i], c.origin("tenant.mobileApps", i)
	for k, r := range a.Relationships {
		if _, ok := c.findApp(r.TargetID); !ok && c.dropped[strings.ToLower(r.TargetID)] {
			c.notModelled = append(c.notModelled, fmt.Sprintf("%s.relationships[%d]", at, k))
			a.Relationships[k].TargetType = "parent"
		}
	}
	c.mistakes(at, graph.RelationMistakes(a.MobileApp, c.findApp))
	a.Relationships = slices.DeleteFunc(a.Relationships, func(r graph.MobileAppRelationship) bool { return !r.Child() })
}

// appID finds an app by id or name.
func (c *checker) appID(name string) (string, bool) {
	if a, ok := c.findApp(name); ok {
		return a.ID, true
	}
	for _, a := range c.s.Tenant.Apps {
		if strings.EqualFold(a.DisplayName, name) {
			return a.ID, true
		}
	}
	return "", false
}

// Manifest is the inside of the app's installer. What the file does not say is
// taken from the app's detection rules, so that they find the app once it is
// installed.
func (a App) Manifest() installer.Manifest {
	m := a.Installer(&a.Windtunnel.AppExtension)
	if m.Duration == 0 {
		pace := timing.Default().Intune
		m.Duration = pace.DefaultInstall + time.Duration(a.Size/int64(pace.DefaultInstallRate))*time.Second
	}
	return m
}
