package technician_test

import (
	"time"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
)

// nothing leaves the standard tenant as it is.
func nothing(*scenario.Tenant) {}

// withoutStatusPage leaves the tenant with the default page, which shows nothing.
func withoutStatusPage(t *scenario.Tenant) { t.StatusPages = nil }

// statusPageForStaff targets the status page at a group of users.
func statusPageForStaff(t *scenario.Tenant) {
	for _, g := range t.Groups {
		if g.DisplayName == "Staff" {
			t.StatusPages[0].Assignments = []graph.Assignment{{Target: graph.Group(g.ID)}}
		}
	}
}

// withoutPreprovisioning takes the permission out of the deployment profile.
func withoutPreprovisioning(t *scenario.Tenant) { t.Profiles[0].PreprovisioningAllowed = false }

// brokenAgent has the Agent's installer fail.
func brokenAgent(t *scenario.Tenant) {
	for i := range t.Apps {
		if t.Apps[i].DisplayName == "Agent" {
			t.Apps[i].Windtunnel.ExitCode = 1603
		}
	}
}

// endlessAgent has the Agent's installer run for most of a day, and the status
// page wait as long.
func endlessAgent(t *scenario.Tenant) {
	for i := range t.Apps {
		if t.Apps[i].DisplayName == "Agent" {
			t.Apps[i].Windtunnel.Duration = 20 * time.Hour
		}
	}
	t.StatusPages[0].InstallProgressTimeoutInMinutes = 24 * 60
}

// anyWindows takes the versions out of the compliance policy.
func anyWindows(t *scenario.Tenant) { t.Policies[0].OSMinimumVersion = "" }
