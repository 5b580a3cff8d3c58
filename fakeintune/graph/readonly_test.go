package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	wire "windtunnel.test/sim/wire/graph"
)

// Members that only the service sets do not come from bodies, whatever their
// letter case.
func TestReadOnlyMembers(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/v1.0/deviceManagement/deviceConfigurations"
	var c wire.DeviceConfiguration
	a.call(201, "POST", path, []byte(`{"@odata.type":"#microsoft.graph.windows10CustomConfiguration","displayName":"x","id":"../../evil/x","version":77,
		"createdDateTime":"1999-01-01T00:00:00Z","LastModifiedDateTime":"1999-01-01T00:00:00Z"}`), &c)
	g.Expect(c.ID).To(HaveLen(36))
	g.Expect(c.Version).To(Equal(1))
	g.Expect([]time.Time{c.CreatedDateTime.Time, c.LastModifiedDateTime.Time}).To(HaveEach(BeTemporally("==", a.Clock.Now())))
	id := c.ID
	a.call(200, "PATCH", path+"/"+id, []byte(`{"@odata.type":"#microsoft.graph.windows10CustomConfiguration","Version":1000,"ID":"other","createdDateTime":"1999-01-01T00:00:00Z","description":"new",
		"assignments":[{"target":{"@odata.type":"#microsoft.graph.allDevicesAssignmentTarget"}}]}`), &c)
	g.Expect(c.ID + c.Description).To(Equal(id + "new"))
	g.Expect(c.Version).To(Equal(2))
	g.Expect(c.CreatedDateTime.Time).To(BeTemporally("==", a.Clock.Now()))
	var assigned wire.Collection[wire.Assignment]
	a.call(200, "GET", path+"/"+id+"/assignments", nil, &assigned)
	g.Expect(assigned.Value).To(BeEmpty(), "assign has an action of its own")

	rec := a.call(400, "PATCH", path+"/"+id, []byte(`{"@odata.type":"#microsoft.graph.windows81TrustedRootCertificate"}`), nil)
	g.Expect(rec.Body.String()).To(ContainSubstring("cannot be changed"))
	a.call(200, "GET", path+"/"+id, nil, &c)
	g.Expect(c.ODataType + c.Description).To(Equal("#microsoft.graph.windows10CustomConfigurationnew"))

	const apps = "/v1.0/deviceAppManagement/mobileApps"
	var app wire.MobileApp
	a.call(201, "POST", apps, win32("x", map[string]any{"publishingState": "processing", "committedContentVersion": "9"}), &app)
	g.Expect(app.PublishingState + app.CommittedContentVersion).To(Equal("published"))
	a.call(404, "PATCH", apps+"/"+app.ID, []byte(`{"committedContentVersion":"9"}`), nil)
	a.call(400, "POST", "/beta/deviceManagement/deviceEnrollmentConfigurations", []byte(`{"@odata.type":"#microsoft.graph.deviceEnrollmentLimitConfiguration","displayName":"x","limit":3,"priority":-5}`), nil)
	a.call(400, "POST", "/beta/deviceManagement/deviceEnrollmentConfigurations", map[string]any{"@odata.type": wire.TypeESP, "displayName": "x", "priority": -1}, nil)
}

// Nobody makes his page everybody's, and what is refused of a default leaves it
// as it was: not even written down.
func TestDefaultsAreKept(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.call(201, "POST", configurations, map[string]any{"@odata.type": wire.TypeESP, "displayName": "Mine",
		"deviceEnrollmentConfigurationType": "defaultWindows10EnrollmentCompletionPageConfiguration"}, nil)
	g.Expect(a.Tenant.DefaultStatusPage().DisplayName).To(Equal("All users and all devices"))
	for _, d := range a.Tenant.DefaultRestrictions() {
		a.call(400, "PATCH", configurations+"/"+d.ID, []byte(`{"displayName":""}`), nil)
	}
	a.call(400, "PATCH", configurations+"/"+a.Tenant.DefaultStatusPage().ID, []byte(`{"installProgressTimeoutInMinutes":-1}`), nil)
	g.Expect(a.Tenant.Restrictions().List()).To(BeEmpty())
	g.Expect(a.Tenant.StatusPages().List()).To(HaveLen(1))
}

// Addresses and numbers that no client means well with: an answer of the
// protocol, never a failure of the service.
func TestHostileAddresses(t *testing.T) {
	a := newAdmin(t)
	a.register("lab")
	for query, want := range map[string]int{
		"$top=1000000000000": 200, "$top=99999999999999999999": 400, "$top=-1": 400, "$top=0": 400, "$top=1e3": 400, "$skip=9223372036854775807": 200, "$skip=-1": 400,
		"$skiptoken=9223372036854775807": 200, "$skiptoken=%00": 400, "$skiptoken=d3QxOjk5OTk5OTk5OTk5OTk5OTk5OTk5": 400, "$skiptoken=d3QxOi0x": 400,
		"$filter=serialNumber+eq+'x''+or+''1''+eq+''1'": 200, "$filter=serialNumber+eq+'x'+or+'1'+eq+'1'": 400, "$filter=userPrincipalName+eq+'x'": 400,
		"$filter=" + strings.Repeat("(", 5000): 400, "$filter=" + strings.Repeat("not+", 5000) + "a": 400, "$filter=serialNumber+eq+null": 200,
		"$filter=serialNumber+eq+'x'" + strings.Repeat("+or+serialNumber+eq+'x'", 5000): 400, "$filter=serialNumber+eq+'x'" + strings.Repeat("+or+serialNumber+eq+'x'", 200): 200,
		"$orderby=serialNumber+up": 400, "$search=%22a%22": 400, "$apply=x": 400, "$expand=managedDevice": 400, "$count=perhaps": 400,
	} {
		var list wire.Collection[wire.AutopilotDevice]
		out := any(&list)
		if want != 200 {
			out = nil
		}
		a.call(want, "GET", identities+"?"+query, nil, out)
		if strings.Contains(query, "''") {
			NewWithT(t).Expect(list.Value).To(BeEmpty(), "quotes stay inside the text")
		}
	}
	for address, want := range map[string]int{
		identities + "('a''b')": 404, identities + "/%C3%A9%E2%80%A8%00": 404, identities + "/" + strings.Repeat("x", 100000): 404,
		identities + "('a%2Fb')": 501, identities + "/..%2F..": 501, identities + "/../managedDevices": 501, identities + "('": 501,
	} {
		a.call(want, "GET", address, nil, nil)
	}
}

// A page is the same whether its collection was cut before or after.
func TestPagesOfLargeCollections(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	all := a.register("a", "b", "c", "d", "e")
	seen := map[string]bool{}
	for skip := range 7 {
		for _, order := range []string{"", "&$orderby=id"} {
			var list wire.Collection[wire.AutopilotDevice]
			a.call(200, "GET", identities+fmt.Sprintf("?$count=true&$top=2&$skip=%d%s", skip, order), nil, &list)
			g.Expect(*list.Count).To(Equal(5))
			g.Expect(list.Value).To(HaveLen(max(0, min(2, 5-skip))))
			g.Expect(list.NextLink != "").To(Equal(skip+2 < 5), "from %d", skip)
			for _, d := range list.Value {
				seen[d.ID] = true
			}
		}
	}
	g.Expect(seen).To(HaveLen(len(all)))
}
