package graph

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// resources is what the generic operations do with the resources of a tenant.
type resources[T any] interface {
	List() []T
	Get(id string) (T, error)
	Add(ctx context.Context, v T) (T, error)
	Update(ctx context.Context, id string, change func(*T) error) (T, error)
	Delete(ctx context.Context, id string) error
}

// collection is what the generic operations want to know of a kind of resource.
type collection[T any] struct {
	path, permission string
	beta             bool
	of               func(*tenant.Tenant) resources[T]
	name             string // of the property that names a resource; "" is displayName
	// more are resources that the service has without anybody having made them.
	more        func(*tenant.Tenant) []T
	id          func(T) string
	assignments func(*T) any // the list of them, whose element type depends on the kind
	clear       func(*T)     // leaves them out
	// also leaves out other navigation properties that were not asked for; nil: none.
	also func(c *call, v *T)
	// listed leaves out what lists do not show; nil: nothing.
	listed func(c *call, v *T)
	// merge applies the body of a PATCH; nil: wire.Merge.
	merge func(v *T, patch []byte) error
	// patch checks what a body of PATCH asks for beside the members, and gives what
	// is to be done then; nil: nothing.
	patch func(c *call, id string) (then func() error, err error)
	// mistakes are what the service refuses about a new or a changed resource; nil:
	// what the state refuses by itself. It is asked for before anything is written,
	// so that what it makes may look at other resources, and it may not.
	mistakes func(c *call) func(T) []wire.Mistake
}

// checker is what refuses a resource, made before a transaction.
func (k collection[T]) checker(c *call) func(T) error {
	if k.mistakes == nil {
		return func(T) error { return nil }
	}
	mistakes := k.mistakes(c)
	return func(v T) error { return refused(mistakes(v)) }
}

func (h *Handler) addCollections() {
	add(h, collection[wire.DeploymentProfile]{
		path: "deviceManagement/windowsAutopilotDeploymentProfiles", permission: serviceConfig, beta: true,
		of: of((*tenant.Tenant).Profiles), id: func(p wire.DeploymentProfile) string { return p.ID },
		assignments: func(p *wire.DeploymentProfile) any { return p.Assignments },
		clear:       func(p *wire.DeploymentProfile) { p.Assignments = nil },
	}, func(c *call, p *wire.DeploymentProfile) error { return readAssignments(c, &p.Assignments) })
	h.addProfileAssignments()
	h.addRelationships()

	h.addEnrollmentConfigurations()

	add(h, collection[wire.MobileApp]{
		path: "deviceAppManagement/mobileApps", permission: apps,
		of: of((*tenant.Tenant).Apps), id: func(a wire.MobileApp) string { return a.ID },
		assignments: func(a *wire.MobileApp) any { return a.Assignments },
		clear:       func(a *wire.MobileApp) { a.Assignments = nil },
		also:        func(c *call, a *wire.MobileApp) { hideRelations(c, a) },
		patch:       publishContent,
		mistakes:    ofItself(wire.MobileApp.Mistakes),
	}, func(c *call, a *wire.MobileApp) error {
		var req wire.AppAssignRequest
		if err := c.decode(&req); err != nil {
			return err
		}
		a.Assignments = req.Assignments
		return nil
	})

	add(h, collection[wire.CleanupRule]{
		path: "deviceManagement/managedDeviceCleanupRules", permission: managedDevices, beta: true,
		of: of((*tenant.Tenant).CleanupRules), id: func(r wire.CleanupRule) string { return r.ID },
		assignments: func(*wire.CleanupRule) any { return nil }, clear: func(*wire.CleanupRule) {},
	}, nil)

	add(h, collection[wire.DeviceConfiguration]{
		path: "deviceManagement/deviceConfigurations", permission: configuration,
		of: of((*tenant.Tenant).Configurations), id: func(d wire.DeviceConfiguration) string { return d.ID },
		assignments: func(d *wire.DeviceConfiguration) any { return d.Assignments },
		clear:       func(d *wire.DeviceConfiguration) { d.Assignments = nil },
		mistakes:    ofItself(wire.DeviceConfiguration.Mistakes),
	}, func(c *call, d *wire.DeviceConfiguration) error { return readAssignments(c, &d.Assignments) })

	add(h, collection[wire.CompliancePolicy]{
		path: "deviceManagement/deviceCompliancePolicies", permission: configuration,
		of: of((*tenant.Tenant).CompliancePolicies), id: func(p wire.CompliancePolicy) string { return p.ID },
		assignments: func(p *wire.CompliancePolicy) any { return p.Assignments },
		clear:       func(p *wire.CompliancePolicy) { p.Assignments = nil },
	}, func(c *call, p *wire.CompliancePolicy) error { return readAssignments(c, &p.Assignments) })
}

// of gives a collection of the state to the generic operations.
func of[T any](f func(*tenant.Tenant) tenant.Collection[T]) func(*tenant.Tenant) resources[T] {
	return func(t *tenant.Tenant) resources[T] { return f(t) }
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

// add adds list, get, create, change, delete and assign of a kind of resource;
// assign is nil for one that is not assigned.
func add[T any](h *Handler, k collection[T], assign func(*call, *T) error) {
	handle := h.handle
	if k.beta {
		handle = h.handleBeta
	}
	handle(http.MethodGet, k.path, k.permission, func(c *call) (answer, error) {
		all := k.all(c.t)
		for i := range all {
			k.trim(c, &all[i])
			if k.listed != nil {
				k.listed(c, &all[i])
			}
		}
		return list(c, all, cmp.Or(k.name, "displayName"), "id", "createdDateTime", "lastModifiedDateTime")
	})
	handle(http.MethodPost, k.path, k.permission, func(c *call) (answer, error) {
		var v T
		c.body = writable(c.body, ofNewOnes)
		if err := c.decode(&v); err != nil {
			return answer{}, err
		}
		if err := k.checker(c)(v); err != nil {
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
		var then func() error
		if k.patch != nil {
			var err error
			if then, err = k.patch(c, c.Params["id"]); err != nil {
				return answer{}, err
			}
		}
		c.body = writable(c.body, ofOldOnes)
		check := k.checker(c)
		v, err := k.of(c.t).Update(c.Context(), c.Params["id"], func(v *T) error {
			if err := k.change(v, c.body); err != nil {
				return err
			}
			return check(*v)
		})
		if err == nil && then != nil {
			if err = then(); err == nil {
				v, err = k.get(c)
			}
		}
		if err != nil {
			return answer{}, err
		}
		k.trim(c, &v)
		return one(c, http.StatusOK, v)
	})
	handle(http.MethodDelete, k.path+"/{id}", k.permission, func(c *call) (answer, error) {
		return noContent(k.of(c.t).Delete(c.Context(), c.Params["id"]))
	})
	if assign == nil {
		return
	}
	handle(http.MethodPost, k.path+"/{id}/assign", k.permission, func(c *call) (answer, error) {
		check := k.checker(c)
		_, err := k.of(c.t).Update(c.Context(), c.Params["id"], func(v *T) error {
			if err := assign(c, v); err != nil {
				return err
			}
			return check(*v)
		})
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

// change applies the body of a PATCH. A resource's type is for ever.
func (k collection[T]) change(v *T, patch []byte) error {
	merge, kind := k.merge, typed(*v)
	if merge == nil {
		merge = func(v *T, patch []byte) error { return wire.Merge(v, patch) }
	}
	if err := merge(v, patch); err != nil {
		return badRequest("body", "Unable to read JSON request payload. "+err.Error())
	}
	if now := typed(*v); now != kind {
		return badRequest("type", "The type of the resource is '"+kind+"' and cannot be changed to '"+now+"'.")
	}
	return nil
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
		if sameID(k.id(v), c.Params["id"]) {
			return v, nil
		}
	}
	return v, err
}

func sameID(a, b string) bool { return strings.EqualFold(a, b) }

// trim leaves the assignments out where they were not asked for.
func (k collection[T]) trim(c *call, v *T) {
	if !c.query.Expands("assignments") {
		k.clear(v)
	}
	if k.also != nil {
		k.also(c, v)
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
