package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// enrollmentConfiguration is deviceEnrollmentConfiguration: a status page or a
// restriction, by its type.
type enrollmentConfiguration struct {
	page        *wire.EnrollmentStatusPage
	restriction *wire.EnrollmentRestriction
}

func (c enrollmentConfiguration) MarshalJSON() ([]byte, error) {
	if c.restriction != nil {
		return json.Marshal(c.restriction)
	}
	return json.Marshal(c.page)
}

// UnmarshalJSON reads a new resource, of the type that it says.
func (c *enrollmentConfiguration) UnmarshalJSON(b []byte) error {
	var head struct {
		ODataType string `json:"@odata.type"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return err
	}
	if made, ok := wire.New(head.ODataType); ok {
		if r, isRestriction := made.(*wire.EnrollmentRestriction); isRestriction {
			c.restriction = r
			return json.Unmarshal(b, r)
		}
	}
	c.page = &wire.EnrollmentStatusPage{}
	return json.Unmarshal(b, c.page)
}

func (c enrollmentConfiguration) id() string {
	if c.restriction != nil {
		return c.restriction.ID
	}
	return c.page.ID
}

func (c *enrollmentConfiguration) assignments() *[]wire.Assignment {
	if c.restriction != nil {
		return &c.restriction.Assignments
	}
	return &c.page.Assignments
}

// merge applies the body of a PATCH.
func (c *enrollmentConfiguration) merge(patch []byte) error {
	if c.restriction != nil {
		return wire.Merge(c.restriction, patch)
	}
	return wire.Merge(c.page, patch)
}

func pageOf(p wire.EnrollmentStatusPage) enrollmentConfiguration {
	return enrollmentConfiguration{page: &p}
}

func restrictionOf(r wire.EnrollmentRestriction) enrollmentConfiguration {
	return enrollmentConfiguration{restriction: &r}
}

// enrollmentConfigurations is both kinds as one collection.
type enrollmentConfigurations struct{ t *tenant.Tenant }

func (e enrollmentConfigurations) List() []enrollmentConfiguration {
	var out []enrollmentConfiguration
	for p := range e.t.StatusPages().All() {
		out = append(out, pageOf(p))
	}
	for r := range e.t.Restrictions().All() {
		out = append(out, restrictionOf(r))
	}
	return out
}

func (e enrollmentConfigurations) Get(id string) (enrollmentConfiguration, error) {
	if r, err := e.t.Restrictions().Get(id); err == nil {
		return restrictionOf(r), nil
	}
	p, err := e.t.StatusPages().Get(id)
	return pageOf(p), err
}

func (e enrollmentConfigurations) Add(ctx context.Context, v enrollmentConfiguration) (enrollmentConfiguration, error) {
	if v.restriction != nil {
		r, err := e.t.Restrictions().Add(ctx, *v.restriction)
		return restrictionOf(r), err
	}
	p, err := e.t.StatusPages().Add(ctx, *v.page)
	return pageOf(p), err
}

// Update changes a configuration; one of the tenant's defaults comes into being
// by that.
func (e enrollmentConfigurations) Update(ctx context.Context, id string, change func(*enrollmentConfiguration) error) (enrollmentConfiguration, error) {
	made := false
	for _, d := range e.defaults() {
		if _, err := e.Get(id); sameID(d.id(), id) && errors.Is(err, tenant.ErrNotFound) {
			_, err := e.Add(ctx, d)
			if made = err == nil; err != nil && !errors.Is(err, tenant.ErrExists) { // somebody else was as quick
				return d, err
			}
		}
	}
	v, err := e.update(ctx, id, change)
	if err != nil && made {
		return v, errors.Join(err, e.remove(ctx, id)) // as if nothing had been asked
	}
	return v, err
}

func (e enrollmentConfigurations) update(ctx context.Context, id string, change func(*enrollmentConfiguration) error) (enrollmentConfiguration, error) {
	if _, err := e.t.Restrictions().Get(id); err == nil {
		r, err := e.t.Restrictions().Update(ctx, id, func(r *wire.EnrollmentRestriction) error {
			c := enrollmentConfiguration{restriction: r}
			return change(&c)
		})
		return restrictionOf(r), err
	}
	p, err := e.t.StatusPages().Update(ctx, id, func(p *wire.EnrollmentStatusPage) error {
		c := enrollmentConfiguration{page: p}
		return change(&c)
	})
	return pageOf(p), err
}

func (e enrollmentConfigurations) Delete(ctx context.Context, id string) error {
	if slices.ContainsFunc(e.defaults(), func(d enrollmentConfiguration) bool { return sameID(d.id(), id) }) {
		return badRequest("default", "The default enrollment configuration cannot be deleted.")
	}
	return e.remove(ctx, id)
}

func (e enrollmentConfigurations) remove(ctx context.Context, id string) error {
	if err := e.t.Restrictions().Delete(ctx, id); !errors.Is(err, tenant.ErrNotFound) {
		return err
	}
	return e.t.StatusPages().Delete(ctx, id)
}

func (e enrollmentConfigurations) defaults() []enrollmentConfiguration {
	out := []enrollmentConfiguration{pageOf(e.t.DefaultStatusPage())}
	for _, r := range e.t.DefaultRestrictions() {
		out = append(out, restrictionOf(r))
	}
	return out
}

// addEnrollmentConfigurations: status pages, device limits, platform
// restrictions (learn.microsoft.com/graph, deviceEnrollmentConfiguration).
func (h *Handler) addEnrollmentConfigurations() {
	const path = "deviceManagement/deviceEnrollmentConfigurations"
	add(h, collection[enrollmentConfiguration]{
		path: path, permission: serviceConfig,
		of:          func(t *tenant.Tenant) resources[enrollmentConfiguration] { return enrollmentConfigurations{t} },
		id:          enrollmentConfiguration.id,
		more:        func(t *tenant.Tenant) []enrollmentConfiguration { return enrollmentConfigurations{t}.defaults() },
		assignments: func(v *enrollmentConfiguration) any { return *v.assignments() },
		clear:       func(v *enrollmentConfiguration) { *v.assignments() = nil },
		merge:       (*enrollmentConfiguration).merge,
		mistakes:    ofPages,
	}, func(c *call, v *enrollmentConfiguration) error { return readAssignments(c, v.assignments()) })
	h.handle(http.MethodPost, path+"/{id}/setPriority", serviceConfig, setPriority)
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
	err := c.t.SetRestrictionPriority(c.Context(), c.Params["id"], req.Priority)
	if errors.Is(err, tenant.ErrNotFound) {
		err = c.t.SetPagePriority(c.Context(), c.Params["id"], req.Priority)
	}
	if err != nil {
		return answer{}, err
	}
	return done()
}
