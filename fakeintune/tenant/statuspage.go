package tenant

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
)

// defaultPageSuffix ends the id of the page that every tenant has.
const defaultPageSuffix = "_DefaultWindows10EnrollmentCompletionPageConfiguration"

func isDefaultPage(p graph.EnrollmentStatusPage) bool {
	return strings.HasSuffix(strings.ToLower(p.ID), strings.ToLower(defaultPageSuffix)) ||
		strings.EqualFold(p.ConfigurationType, "defaultWindows10EnrollmentCompletionPageConfiguration")
}

// DefaultStatusPage is the page for whom no other is meant. Until somebody
// changes it, it shows nothing.
func (t *Tenant) DefaultStatusPage() graph.EnrollmentStatusPage {
	for p := range t.StatusPages().All() {
		if isDefaultPage(p) {
			return p
		}
	}
	return graph.EnrollmentStatusPage{
		ODataType: graph.TypeESP, ID: t.ID + defaultPageSuffix, DisplayName: "All users and all devices",
		Description:                     "This is the default enrollment status screen configuration applied with the lowest priority to all users and all devices regardless of group membership.",
		InstallProgressTimeoutInMinutes: int(t.s.Timing.ESP.Timeout.Minutes()), Version: 1,
	}
}

// StatusPage chooses the enrolment status page of an audience: by priority the
// first that is targeted at the device, then the first that is targeted at the
// user, then the default (learn.microsoft.com, "Set up the Enrollment Status
// Page", targeting). Leave the user out for pre-provisioning and self-deploying,
// where only pages for the device and the default one count.
func (t *Tenant) StatusPage(a Audience) graph.EnrollmentStatusPage {
	pages := slices.DeleteFunc(t.StatusPages().List(), isDefaultPage)
	slices.SortStableFunc(pages, func(a, b graph.EnrollmentStatusPage) int { return cmp.Compare(a.Priority, b.Priority) })
	for _, way := range []Via{ViaDevice, ViaUser} {
		for _, p := range pages {
			if a.reach(targetsOf(p.Assignments)).Has(way) {
				return p
			}
		}
	}
	return t.DefaultStatusPage()
}

// SetPagePriority moves a page to a place among the others, which move over
// (learn.microsoft.com/graph, deviceEnrollmentConfiguration: setPriority).
func (t *Tenant) SetPagePriority(ctx context.Context, id string, priority int) error {
	pages := slices.DeleteFunc(t.StatusPages().List(), isDefaultPage)
	slices.SortStableFunc(pages, func(a, b graph.EnrollmentStatusPage) int { return cmp.Compare(a.Priority, b.Priority) })
	at := slices.IndexFunc(pages, func(p graph.EnrollmentStatusPage) bool { return strings.EqualFold(p.ID, id) })
	if at < 0 {
		return fmt.Errorf("deviceEnrollmentConfigurations %q: %w", id, ErrNotFound)
	}
	moved := pages[at]
	pages = slices.Insert(slices.Delete(pages, at, at+1), min(priority-1, len(pages)-1), moved)
	for i, p := range pages {
		if _, err := t.StatusPages().Update(ctx, p.ID, func(p *graph.EnrollmentStatusPage) error {
			p.Priority = i + 1
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
