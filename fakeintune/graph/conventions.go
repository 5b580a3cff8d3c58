package graph

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/timing"
	wire "windtunnel.test/sim/wire/graph"
)

// identify writes the headers that every answer has
// (learn.microsoft.com/graph/best-practices-concept, "Reliability and support").
func identify(h http.Header, id, client string, now time.Time) {
	if client == "" {
		client = id
	}
	h.Set("request-id", id)
	h.Set("client-request-id", client)
	h.Set("x-ms-ags-diagnostic", wire.Diagnostic)
	h.Set("Date", now.UTC().Format(http.TimeFormat))
}

// preferences are those of a request's preferences that are kept to (RFC 7240):
// the size of pages, and enum members of later versions, which are never
// changed here anyway.
func preferences(r *http.Request) []string {
	var applied []string
	for _, line := range r.Header.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			part = strings.TrimSpace(part)
			if _, ok := maxPageSize(part); ok || strings.EqualFold(part, "include-unknown-enum-members") {
				applied = append(applied, part)
			}
		}
	}
	return applied
}

// maxPageSize reads odata.maxpagesize=100.
func maxPageSize(preference string) (int, bool) {
	name, value, _ := strings.Cut(preference, "=")
	if name = strings.TrimSpace(name); !strings.EqualFold(name, "odata.maxpagesize") && !strings.EqualFold(name, "maxpagesize") {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(value))
	return n, err == nil && n > 0
}

// preferredPage is the size of pages that a request prefers, at most Intune's.
func preferredPage(r *http.Request) int {
	for _, p := range preferences(r) {
		if n, ok := maxPageSize(p); ok {
			return min(n, pageSize)
		}
	}
	return pageSize
}

// expansions are the navigation properties that can be expanded, by the last
// collection of a path.
var expansions = map[string][]string{
	"deviceManagement/windowsAutopilotDeviceIdentities":   {"deploymentProfile", "intendedDeploymentProfile"},
	"deviceManagement/windowsAutopilotDeploymentProfiles": {"assignments"},
	"deviceManagement/deviceEnrollmentConfigurations":     {"assignments"},
	"deviceManagement/deviceConfigurations":               {"assignments"},
	"deviceManagement/deviceCompliancePolicies":           {"assignments", "scheduledActionsForRule"},
	"deviceManagement/deviceManagementScripts":            {"assignments"},
	"deviceManagement/configurationPolicies":              {"assignments", "settings"},
	"deviceAppManagement/mobileApps":                      {"assignments", "relationships"},
}

func expandable(name string, asked []string) error {
	path := strings.TrimSuffix(name[strings.Index(name, " ")+1:], "/{id}")
	for _, e := range asked {
		if !slices.ContainsFunc(expansions[path], func(ok string) bool { return sameID(ok, e) }) {
			return badRequest("expand", "Parsing OData Select and Expand failed: Could not find a property named '"+e+"' that can be expanded here.")
		}
	}
	return nil
}

// throttle counts requests: of one application in a tenant, in windows.
type throttle struct {
	mu      sync.Mutex
	windows map[string]*window
}

type window struct {
	begun         time.Time
	all, changing int
}

// throttled refuses a request that is beyond the service's limits
// (learn.microsoft.com/graph/throttling-limits, Intune), where they are kept to.
func (h *Handler) throttled(c tenant.Claims, write bool) error {
	limits, how := h.s.Timing.Intune, h.s.Timing.Switches.Graph.Throttling
	if how == timing.ThrottlingOff || how == "" {
		return nil
	}
	now := h.s.Now()
	h.throttle.mu.Lock()
	defer h.throttle.mu.Unlock()
	if h.throttle.windows == nil {
		h.throttle.windows = map[string]*window{}
	}
	key := c.TenantID + "/" + c.AppID
	w := h.throttle.windows[key]
	if w == nil || now.Sub(w.begun) >= limits.GraphWindow {
		w = &window{begun: now}
		h.throttle.windows[key] = w
	}
	if w.all < limits.GraphRequests && (!write || w.changing < limits.GraphWrites) {
		w.all++
		if write {
			w.changing++
		}
		return nil
	}
	e := &apiError{status: http.StatusTooManyRequests, code: wire.CodeTooManyRequests, check: "throttle", message: "Too many requests. Please retry later.", intune: true}
	if how == timing.ThrottlingTimed {
		e.retryAfter = w.begun.Add(limits.GraphWindow).Sub(now)
	}
	return e
}
