package spec

import (
	"maps"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
)

// Resources adds Graph resources to a collection of the standard tenant, such as
// deviceConfigurations, as a YAML list like that of a scenario file.
func Resources(collection, list string) Option {
	return func(s *setup) {
		if s.more == nil {
			s.more = map[string]string{}
		}
		s.more[collection] += list
	}
}

// insert puts lists of resources at the beginning of the tenant's collections.
func insert(standard string, more map[string]string) string {
	var b strings.Builder
	left := map[string]string{}
	for k, v := range more {
		left[k] = v
	}
	put := func(list string) {
		for line := range strings.Lines(strings.TrimLeft(list, "\n")) {
			b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	for line := range strings.Lines(standard) {
		if key, _, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && strings.HasPrefix(line, "  ") && line[2] != ' ' {
			if key == lastCollection { // what the standard tenant has none of stands before it
				for _, name := range slices.Sorted(maps.Keys(left)) {
					if !strings.Contains(standard, "\n  "+name+":\n") {
						b.WriteString("  " + name + ":\n")
						put(left[name])
						delete(left, name)
					}
				}
			}
			b.WriteString(line)
			put(left[key])
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

// lastCollection is the one at the end of the file; [Apps] adds to it there.
const lastCollection = "mobileApps"

// StatusPage changes the standard tenant's status page.
func StatusPage(change func(p *graph.EnrollmentStatusPage)) Option {
	return Tenant(func(t *scenario.Tenant) { change(&t.StatusPages[0]) })
}

// Policy adds a setting of the Policy CSP, or of any other CSP, for a group, as a
// custom configuration of its own: a number, or a text.
func Policy(group, uri string, value any) Option {
	return Tenant(func(t *scenario.Tenant) {
		kind := "#microsoft.graph.omaSettingString"
		if _, number := value.(int); number {
			kind = "#microsoft.graph.omaSettingInteger"
		}
		t.Configurations = append(t.Configurations, graph.DeviceConfiguration{
			ODataType: graph.TypeCustomConfiguration, DisplayName: uri,
			CustomConfiguration: &graph.CustomConfiguration{OmaSettings: []graph.OmaSetting{{ODataType: kind, DisplayName: uri, OmaURI: uri, Value: value}}},
			Assignments:         []graph.Assignment{{Target: graph.Group(groupID(t, group))}},
		})
	})
}

// groupID finds a group of a tenant by its name.
func groupID(t *scenario.Tenant, name string) string {
	ginkgo.GinkgoHelper()
	for _, g := range t.Groups {
		if g.DisplayName == name {
			return g.ID
		}
	}
	gomega.Expect(name).To(gomega.BeEmpty(), "a group of the tenant")
	return ""
}

// AppNamed gives an app of the tenant, so that an option may change it.
func AppNamed(t *scenario.Tenant, name string) *scenario.App {
	ginkgo.GinkgoHelper()
	for i := range t.Apps {
		if t.Apps[i].DisplayName == name {
			return &t.Apps[i]
		}
	}
	ginkgo.Fail("the tenant has no app " + name)
	return nil
}

// AppResource is an app of the tenant with what its installer does.
type AppResource = scenario.App

// App changes an app of the tenant. It comes after the option that adds the app.
func App(name string, change func(a *AppResource)) Option {
	return Tenant(func(t *scenario.Tenant) { change(AppNamed(t, name)) })
}
