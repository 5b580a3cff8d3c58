package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
)

// certificates puts ids in place of the names of profiles that others need.
func (c *checker) certificates(path string, d *graph.DeviceConfiguration) {
	if d.SCEPCertificate != nil {
		c.reference(path+".rootCertificate", d.RootCertificate)
	}
	if d.WiFi != nil {
		c.reference(path+".identityCertificateForClientAuthentication", d.IdentityCertificateForEAP)
	}
	if d.VPN != nil {
		c.reference(path+".identityCertificate", d.IdentityCertificate)
	}
}

func (c *checker) reference(path string, r *graph.ConfigurationReference) {
	if r == nil {
		return
	}
	name, names := r.ID, []string{}
	if name == "" {
		name = r.DisplayName
	}
	for _, d := range c.s.Tenant.Configurations {
		if strings.EqualFold(d.ID, name) || strings.EqualFold(d.DisplayName, name) {
			r.ID, r.DisplayName = d.ID, d.DisplayName
			return
		}
		names = append(names, d.DisplayName)
	}
	if !c.dropped[strings.ToLower(name)] {
		c.wrong(path, "the tenant has no configuration %q%s", name, near(name, names))
	}
}

func (c *checker) scripts() {
	for i, p := range c.s.Tenant.Catalogue {
		at := c.origin("tenant.configurationPolicies", i)
		c.assignments(at, p.Assignments)
		c.mistakes(at, p.Mistakes())
		for k, id := range p.Definitions() {
			if _, known := csp.NodeOfSetting(id); !known {
				c.notModelled = append(c.notModelled, fmt.Sprintf("%s.settings[%d] (%s)", at, k, id))
			}
		}
	}
	for i := range c.s.Tenant.Scripts {
		s, at := &c.s.Tenant.Scripts[i], c.origin("tenant.deviceManagementScripts", i)
		c.assignments(at, s.Assignments)
		c.mistakes(at, s.DeviceManagementScript.Mistakes())
		problems := s.Windtunnel.Problems()
		for _, member := range slices.Sorted(maps.Keys(problems)) {
			c.wrong(at+".windtunnel."+member, "%s", problems[member])
		}
	}
}
