package directory

import (
	"net/http"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
)

// policyOwn are members of a policy that the service alone sets.
var policyOwn = []string{"id", "createdDateTime", "modifiedDateTime"}

func (s *Service) policies(c *call) error {
	var all []graph.ConditionalAccessPolicy
	for _, p := range s.dir.Policies(c.tenant) {
		all = append(all, p.Resource)
	}
	return list(s, c, "identity/conditionalAccess/policies", all)
}

func (s *Service) policy(c *call) error {
	p, err := s.dir.PolicyByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return one(s, c, "identity/conditionalAccess/policies", p.Resource)
}

func (s *Service) createPolicy(c *call) error {
	var p graph.ConditionalAccessPolicy
	if err := c.decode(&p, policyOwn...); err != nil {
		return err
	}
	if limits := p.Limits(); len(limits) > 0 {
		return &notModelled{strings.Join(limits, ", ")}
	}
	p.ID = s.NewID("policy")
	row, err := s.dir.PutPolicy(c.tenant, p)
	if err != nil {
		return err
	}
	s.Record(c.r.Context(), "entra.policy.created", journal.F("policy", row.Resource.ID), journal.F("state", row.Resource.State))
	service.WriteJSON(c.w, http.StatusCreated, row.Resource)
	return nil
}

func (s *Service) updatePolicy(c *call) error {
	var in graph.ConditionalAccessPolicy
	if err := c.decode(&in, policyOwn...); err != nil {
		return err
	}
	return c.done(s.dir.UpdatePolicy(c.tenant, c.arg("id"), func(p *graph.ConditionalAccessPolicy) (err error) {
		if *p, err = merged(c, *p); err != nil {
			return err
		}
		if limits := p.Limits(); len(limits) > 0 {
			return &notModelled{strings.Join(limits, ", ")}
		}
		return nil
	}))
}

func (s *Service) deletePolicy(c *call) error {
	p, err := s.dir.PolicyByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return c.done(s.dir.DeletePolicy(c.tenant, p.Resource.ID))
}
