package graph

import (
	"strings"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// refused is the answer to a resource with mistakes: the service names the
// first.
func refused(mistakes []wire.Mistake) error {
	if len(mistakes) == 0 {
		return nil
	}
	m := mistakes[0]
	e := badRequest(m.Path, "'"+m.Path+"' "+m.Message)
	e.intune = true
	return e
}

// ofItself is the check of resources that need no others for it.
func ofItself[T any](mistakes func(T) []wire.Mistake) func(*call) func(T) []wire.Mistake {
	return func(*call) func(T) []wire.Mistake { return mistakes }
}

// ofPages is the check of status pages.
func ofPages(c *call) func(enrollmentConfiguration) []wire.Mistake {
	find, limit := finder(c.t), c.t.Service().Timing.ESP.BlockingApps
	return func(v enrollmentConfiguration) []wire.Mistake {
		if v.page == nil {
			return nil
		}
		return v.page.Mistakes(limit, find)
	}
}

// finder finds the apps that a tenant has now.
func finder(t *tenant.Tenant) func(id string) (wire.MobileApp, bool) {
	apps := map[string]wire.MobileApp{}
	for a := range t.Apps().All() {
		apps[strings.ToLower(a.ID)] = a
	}
	return func(id string) (wire.MobileApp, bool) {
		a, ok := apps[strings.ToLower(id)]
		return a, ok
	}
}
