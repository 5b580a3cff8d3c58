package mdm

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// canonical is a node of ours in the form in which nodes are compared.
func canonical(uri string) string {
	c, err := csp.Canonical(uri)
	if err != nil {
		return uri // ids are escaped: cannot happen
	}
	return c
}

// node is where a job's state is read.
func (j install) node() string {
	if j.Node != "" {
		return j.Node
	}
	return j.MSI.Status()
}

// jobNode is where the state is read of the job that a node belongs to; "" for a
// node of another kind.
func jobNode(uri string) string {
	if m, _, ok := csp.ParseMSI(uri); ok {
		return m.Status()
	}
	if o, _, ok := csp.ParseOffice(uri); ok {
		return canonical(o.Node(csp.OfficeStatus))
	}
	if m, managed, _, ok := csp.ParseModernApp(uri); ok && managed == "" {
		return canonical(m.Node(csp.ModernStatus))
	}
	return ""
}

func isJob(uri string) bool { return jobNode(uri) != "" }

// jobStatus tells a job's state, of whatever kind, in the terms of an MSI's.
func jobStatus(uri string, code int) csp.MSIStatus {
	if _, _, ok := csp.ParseOffice(uri); ok {
		switch code {
		case 0:
			return csp.MSIEnforced
		case csp.OfficeUnderWay:
			return csp.MSIEnforcing
		}
		return csp.MSIEnforceFailed
	}
	if _, _, _, ok := csp.ParseModernApp(uri); ok {
		switch csp.ModernState(code) {
		case csp.ModernInstalled:
			return csp.MSIEnforced
		case csp.ModernFailed:
			return csp.MSIEnforceFailed
		case csp.ModernInstalling:
			return csp.MSIEnforcing
		}
		return csp.MSIInitialized
	}
	return csp.MSIStatus(code)
}

// storeApp is the job that has Windows fetch a packaged app from the Store,
// which has it from then on (our model: the real Store has it before).
func (s *Service) storeApp(t *tenant.Tenant, app graph.MobileApp, scope csp.Scope) (item, error) {
	body, _, err := delivery.Setup(t, app)
	if err != nil {
		return item{}, fmt.Errorf("fakeintune/mdm: app %q: %w", app.DisplayName, err)
	}
	if s.Content != nil {
		s.Content.Publish(strings.TrimPrefix(hosts.StorePackage(app.ProductKey), "https://"+hosts.Store), body, app.Size)
	}
	a := csp.StoreApp{ID: app.ProductKey, SKU: "0016"}
	if app.LicenseType == "offline" {
		a.Flags = 1
	}
	job, err := a.Encode()
	if err != nil {
		return item{}, fmt.Errorf("fakeintune/mdm: app %q: %w", app.DisplayName, err)
	}
	m := csp.ModernApp{Scope: scope, FamilyName: app.PackageIdentityName}
	return item{owner: app.ID, uri: canonical(m.Node(csp.ModernStatus)), digest: digest(job), job: job, exec: m.Node(csp.ModernStoreInstall)}, nil
}

// officeProducts are the names that the Office Deployment Tool has for Graph's
// (learn.microsoft.com, "List of Product IDs supported by the Office Deployment
// Tool for Click-to-Run").
var officeProducts = map[string]string{
	"o365ProPlusRetail": "O365ProPlusRetail", "o365BusinessRetail": "O365BusinessRetail", "visioProRetail": "VisioProRetail", "projectProRetail": "ProjectProRetail",
}

// officeChannels are those of its names for update channels that are not
// Graph's with a capital.
var officeChannels = map[string]string{
	"": "Current", "none": "Current", "current": "Current", "deferred": "SemiAnnual", "firstReleaseCurrent": "CurrentPreview",
	"firstReleaseDeferred": "SemiAnnualPreview", "monthlyEnterprise": "MonthlyEnterprise",
}

// office is the job that installs Microsoft 365 Apps. They are the device's,
// whoever they are for.
func office(app graph.MobileApp) (item, error) {
	product := csp.OfficeProduct{Languages: []csp.OfficeRef{{ID: "MatchOS"}}}
	if len(app.LocalesToInstall) > 0 {
		product.Languages = nil
	}
	for _, l := range app.LocalesToInstall {
		product.Languages = append(product.Languages, csp.OfficeRef{ID: l})
	}
	for name, out := range app.ExcludedApps {
		if out && name != "" {
			product.Excluded = append(product.Excluded, csp.OfficeRef{ID: strings.ToUpper(name[:1]) + name[1:]})
		}
	}
	slices.SortFunc(product.Excluded, func(a, b csp.OfficeRef) int { return strings.Compare(a.ID, b.ID) })
	add := &csp.OfficeAdd{Edition: "64", Channel: officeChannels[app.UpdateChannel]}
	if app.OfficePlatformArchitecture == "x86" {
		add.Edition = "32"
	}
	ids := app.ProductIDs
	if len(ids) == 0 {
		ids = []string{"o365ProPlusRetail"}
	}
	for _, id := range ids {
		one := product
		if one.ID = officeProducts[id]; one.ID == "" {
			one.ID = id
		}
		add.Products = append(add.Products, one)
	}
	c := csp.OfficeConfiguration{Add: add, Display: csp.OfficeDisplay{Level: "None", AcceptEULA: "TRUE"}}
	if app.UseSharedComputerActivation {
		c.Settings = append(c.Settings, csp.OfficeSetting{Name: "SharedComputerLicensing", Value: "1"})
	}
	job, err := c.Encode()
	if err != nil {
		return item{}, fmt.Errorf("fakeintune/mdm: app %q: %w", app.DisplayName, err)
	}
	o := csp.Office{Scope: csp.Device, ID: app.ID}
	return item{owner: app.ID, uri: canonical(o.Node(csp.OfficeStatus)), digest: digest(job), job: job, exec: o.Node(csp.OfficeInstall)}, nil
}
