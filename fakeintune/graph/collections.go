package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// collection is what the generic operations want to know of a kind of resource.
type collection[T any] struct {
	path, permission string
	beta             bool
	of               func(*tenant.Tenant) tenant.Collection[T]
	// more are resources that the service has without anybody having made them.
	more        func(*tenant.Tenant) []T
	id          func(T) string
	assignments func(*T) any // the list of them, whose element type depends on the kind
	clear       func(*T)     // leaves them out
}

func (h *Handler) addCollections() {
	add(h, collection[wire.DeploymentProfile]{
		path: "deviceManagement/windowsAutopilotDeploymentProfiles", permission: serviceConfig, beta: true,
		of: (*tenant.Tenant).Profiles, id: func(p wire.DeploymentProfile) string { return p.ID },
		assignments: func(p *wire.DeploymentProfile) any { return p.Assignments },
		clear:       func(p *wire.DeploymentProfile) { p.Assignments = nil },
	}, func(c *call, p *wire.DeploymentProfile) error { return readAssignments(c, &p.Assignments) })
	h.addProfileAssignments()

	add(h, collection[wire.EnrollmentStatusPage]{
		path: "deviceManagement/deviceEnrollmentConfigurations", permission: serviceConfig,
		of: (*tenant.Tenant).StatusPages, id: func(p wire.EnrollmentStatusPage) string { return p.ID },
		more: func(t *tenant.Tenant) []wire.EnrollmentStatusPage {
			return []wire.EnrollmentStatusPage{t.DefaultStatusPage()}
		},
		assignments: func(p *wire.EnrollmentStatusPage) any { return p.Assignments },
		clear:       func(p *wire.EnrollmentStatusPage) { p.Assignments = nil },
	}, func(c *call, p *wire.EnrollmentStatusPage) error { return readAssignments(c, &p.Assignments) })
	h.handle(http.MethodPost, "deviceManagement/deviceEnrollmentConfigurations/{id}/setPriority", serviceConfig, setPriority)

	add(h, collection[wire.MobileApp]{
		path: "deviceAppManagement/mobileApps", permission: apps,
		of: (*tenant.Tenant).Apps, id: func(a wire.MobileApp) string { return a.ID },
		assignments: func(a *wire.MobileApp) any { return a.Assignments },
		clear:       func(a *wire.MobileApp) { a.Assignments = nil },
	}, func(c *call, a *wire.MobileApp) error {
		var req wire.AppAssignRequest
		if err := c.decode(&req); err != nil {
			return err
		}
		a.Assignments = req.Assignments
		return nil
	})

	add(h, collection[wire.DeviceConfiguration]{
		path: "deviceManagement/deviceConfigurations", permission: configuration,
		of: (*tenant.Tenant).Configurations, id: func(d wire.DeviceConfiguration) string { return d.ID },
		assignments: func(d *wire.DeviceConfiguration) any { return d.Assignments },
		clear:       func(d *wire.DeviceConfiguration) { d.Assignments = nil },
	}, func(c *call, d *wire.DeviceConfiguration) error { return readAssignments(c, &d.Assignments) })

	add(h, collection[wire.CompliancePolicy]{
		path: "deviceManagement/deviceCompliancePolicies", permission: configuration,
		of: (*tenant.Tenant).CompliancePolicies, id: func(p wire.CompliancePolicy) string { return p.ID },
		assignments: func(p *wire.CompliancePolicy) any { return p.Assignments },
		clear:       func(p *wire.CompliancePolicy) { p.Assignments = nil },
	}, func(c *call, p *wire.CompliancePolicy) error { return readAssignments(c, &p.Assignments) })
}

func readAssignments(c *call, to *[]wire.Assignment) error {
	var req struct {
		wire.AssignRequest
		DeviceIDs []string `json:"deviceIds"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if len(req.DeviceIDs) > 0 {
		return notModelled("assignment to single devices (deviceIds)")
	}
	*to = req.All()
	return nil
}

// add adds list, get, create, change, delete and assign of a kind of resource.
func add[T any](h *Handler, k collection[T], assign func(*call, *T) error) {
	handle := h.handle
	if k.beta {
		handle = h.handleBeta
	}
	handle(http.MethodGet, k.path, k.permission, func(c *call) (answer, error) {
		all := k.all(c.t)
		for i := range all {
			k.trim(c, &all[i])
		}
		return list(c, all, "displayName", "id")
	})
	handle(http.MethodPost, k.path, k.permission, func(c *call) (answer, error) {
		var v T
		if err := c.decode(&v); err != nil {
			return answer{}, err
		}
		v, err := k.of(c.t).Add(c.Context(), v)
		if err != nil {
			return answer{}, err
		}
		k.trim(c, &v)
		return one(c, http.StatusCreated, v)
	})
	handle(http.MethodGet, k.path+"/{id}", k.permission, func(c *call) (answer, error) {
		v, err := k.get(c)
		if err != nil {
			return answer{}, err
		}
		k.trim(c, &v)
		return one(c, http.StatusOK, v)
	})
	handle(http.MethodPatch, k.path+"/{id}", k.permission, func(c *call) (answer, error) {
		v, err := k.of(c.t).Update(c.Context(), c.Params["id"], func(v *T) error {
			if err := wire.Merge(v, c.body); err != nil {
				return badRequest("body", "Unable to read JSON request payload. "+err.Error())
			}
			return nil
		})
		if err != nil {
			return answer{}, err
		}
		k.trim(c, &v)
		return one(c, http.StatusOK, v)
	})
	handle(http.MethodDelete, k.path+"/{id}", k.permission, func(c *call) (answer, error) {
		return noContent(k.of(c.t).Delete(c.Context(), c.Params["id"]))
	})
	handle(http.MethodPost, k.path+"/{id}/assign", k.permission, func(c *call) (answer, error) {
		_, err := k.of(c.t).Update(c.Context(), c.Params["id"], func(v *T) error { return assign(c, v) })
		if err != nil {
			return answer{}, err
		}
		return done()
	})
	handle(http.MethodGet, k.path+"/{id}/assignments", k.permission, func(c *call) (answer, error) {
		v, err := k.get(c)
		if err != nil {
			return answer{}, err
		}
		switch a := k.assignments(&v).(type) {
		case []wire.Assignment:
			return list(c, a)
		case []wire.MobileAppAssignment:
			return list(c, a)
		}
		return answer{}, fmt.Errorf("%s has assignments of an unknown type", k.path)
	})
}

func (k collection[T]) all(t *tenant.Tenant) []T {
	all := k.of(t).List()
	if k.more == nil {
		return all
	}
	for _, v := range k.more(t) {
		if !slices.ContainsFunc(all, func(o T) bool { return k.id(o) == k.id(v) }) {
			all = append(all, v)
		}
	}
	return all
}

func (k collection[T]) get(c *call) (T, error) {
	v, err := k.of(c.t).Get(c.Params["id"])
	if err == nil {
		return v, nil
	}
	for _, v := range k.all(c.t) {
		if strings.EqualFold(k.id(v), c.Params["id"]) {
			return v, nil
		}
	}
	return v, err
}

// trim leaves the assignments out where they were not asked for.
func (k collection[T]) trim(c *call, v *T) {
	if !c.query.Expands("assignments") {
		k.clear(v)
	}
}

// addProfileAssignments: a deployment profile's assignments are resources of
// their own, which is how the portal and the PowerShell module make them.
func (h *Handler) addProfileAssignments() {
	const path = "deviceManagement/windowsAutopilotDeploymentProfiles/{id}"
	h.handleBeta(http.MethodPost, path+"/assignments", serviceConfig, func(c *call) (answer, error) {
		var a wire.Assignment
		if err := c.decode(&a); err != nil {
			return answer{}, err
		}
		p, err := c.t.Profiles().Update(c.Context(), c.Params["id"], func(p *wire.DeploymentProfile) error {
			p.Assignments = append(slices.Clone(p.Assignments), a)
			return nil
		})
		if err != nil {
			return answer{}, err
		}
		for _, made := range p.Assignments {
			if strings.EqualFold(made.Target.GroupID, a.Target.GroupID) && made.Target.ODataType == a.Target.ODataType {
				a = made
			}
		}
		return one(c, http.StatusCreated, a)
	})
	h.handleBeta(http.MethodDelete, path+"/assignments/{assignment}", serviceConfig, func(c *call) (answer, error) {
		_, err := c.t.Profiles().Update(c.Context(), c.Params["id"], func(p *wire.DeploymentProfile) error {
			kept := slices.DeleteFunc(slices.Clone(p.Assignments), func(a wire.Assignment) bool { return strings.EqualFold(a.ID, c.Params["assignment"]) })
			if len(kept) == len(p.Assignments) {
				return fmt.Errorf("assignment %q: %w", c.Params["assignment"], tenant.ErrNotFound)
			}
			p.Assignments = kept
			return nil
		})
		return noContent(err)
	})
	h.handleBeta(http.MethodGet, path+"/assignedDevices", serviceConfig, func(c *call) (answer, error) {
		p, err := c.t.Profiles().Get(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		var devices []wire.AutopilotDevice
		for _, r := range c.t.Registrations() {
			if r.ProfileID == p.ID {
				devices = append(devices, r.Graph())
			}
		}
		return list(c, devices, "serialNumber")
	})
}

func setPriority(c *call) (answer, error) {
	var req struct {
		Priority int `json:"priority"`
	}
	if err := c.decode(&req); err != nil {
		return answer{}, err
	}
	if req.Priority < 1 {
		return answer{}, badRequest("priority", "The priority must be 1 or more.")
	}
	if err := c.t.SetPagePriority(c.Context(), c.Params["id"], req.Priority); err != nil {
		return answer{}, err
	}
	return done()
}
