package graph_test

import (
	"testing"

	. "github.com/onsi/gomega"

	wire "windtunnel.test/sim/wire/graph"
)

func TestCleanupRules(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/beta/deviceManagement/managedDeviceCleanupRules"
	var r wire.CleanupRule
	a.call(201, "POST", path, map[string]any{"displayName": "Stale PCs", "deviceInactivityBeforeRetirementInDays": 90}, &r)
	g.Expect(r.Platform).To(Equal(wire.CleanupAll))
	a.call(200, "PATCH", path+"/"+r.ID, map[string]any{"deviceInactivityBeforeRetirementInDays": 270, "deviceCleanupRulePlatformType": "windows"}, &r)
	g.Expect(r.DaysInactive).To(Equal(270))
	a.call(400, "PATCH", path+"/"+r.ID, map[string]any{"deviceInactivityBeforeRetirementInDays": 271}, nil)
	a.call(400, "POST", path, map[string]any{"displayName": "Phones", "deviceInactivityBeforeRetirementInDays": 90, "deviceCleanupRulePlatformType": "symbian"}, nil)
	a.call(400, "GET", "/v1.0/deviceManagement/managedDeviceCleanupRules", nil, nil)
	a.call(501, "POST", path+"/"+r.ID+"/assign", map[string]any{}, nil)
	var all wire.Collection[wire.CleanupRule]
	a.call(200, "GET", path, nil, &all)
	g.Expect(all.Value).To(ConsistOf(r))
	a.call(204, "DELETE", path+"/"+r.ID, nil, nil)
}
