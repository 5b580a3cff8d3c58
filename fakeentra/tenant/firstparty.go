package tenant

import (
	"slices"
	"strings"

	"windtunnel.test/sim/wire/oauth"
)

// Client ids of Microsoft's own applications
// (learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in).
const (
	AppGraph         = "00000003-0000-0000-c000-000000000000"
	AppAADGraph      = "00000002-0000-0000-c000-000000000000"
	AppIntune        = "0000000a-0000-0000-c000-000000000000"
	AppIntuneEnroll  = "d4ebce55-015a-49b5-a083-c84d1797ae8c"
	AppRegistration  = "01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9"
	AppAzureCLI      = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	AppAzurePS       = "1950a258-227b-4e31-a9cf-717495945fc2"
	AppGraphPS       = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
	AppGraphExplorer = "de8bc8b5-d9f9-48b1-a8ae-b748da725064"
	AppCompanyPortal = "9ba1a5c7-f17a-4de9-a1f1-6178c8d51223"
	AppIntunePS      = "d1ddf0e4-d672-4dae-b554-9d5bdfd93547"
	AppBulkEnroll    = "b90d5b8f-5503-4153-b545-b31cecfaece2"
	AppEntraConnect  = "cb1056e2-e479-49de-ae31-7812af012ed8"
)

// firstPartyApp is an application that stands in every tenant.
type firstPartyApp struct {
	id, name    string
	identifiers []string
	redirects   []string
	client      bool // signs users in, without a credential of its own
}

const nativeClient = "https://login.microsoftonline.com/common/oauth2/nativeclient"

var firstParties = []firstPartyApp{
	{id: AppGraph, name: "Microsoft Graph", identifiers: []string{oauth.ResourceGraph, "https://graph.microsoft.com/"}},
	{id: AppAADGraph, name: "Windows Azure Active Directory", identifiers: []string{oauth.ResourceAADGraph}},
	{id: AppIntune, name: "Microsoft Intune", identifiers: []string{oauth.ResourceIntune, "https://api.manage.microsoft.com/"}},
	{id: AppIntuneEnroll, name: "Microsoft Intune Enrollment", identifiers: []string{oauth.ResourceMDM}},
	{id: AppRegistration, name: "Device Registration Service", identifiers: []string{oauth.ResourceDRS}},
	{id: oauth.ClientBroker, name: "Microsoft Authentication Broker", client: true,
		redirects: []string{oauth.RedirectDRS, oauth.RedirectMDM, "ms-appx-web://Microsoft.AAD.BrokerPlugin/" + oauth.ClientBroker, nativeClient}},
	{id: oauth.ClientPRT, name: "Microsoft AAD Broker Plugin", client: true, redirects: []string{nativeClient}},
	{id: AppAzureCLI, name: "Microsoft Azure CLI", client: true, redirects: []string{"http://localhost", nativeClient}},
	{id: AppAzurePS, name: "Microsoft Azure PowerShell", client: true, redirects: []string{"http://localhost", "urn:ietf:wg:oauth:2.0:oob", nativeClient}},
	{id: AppGraphPS, name: "Microsoft Graph Command Line Tools", client: true, redirects: []string{"http://localhost", nativeClient}},
	{id: AppGraphExplorer, name: "Graph Explorer", client: true, redirects: []string{"https://developer.microsoft.com/graph/graph-explorer"}},
	{id: AppCompanyPortal, name: "Microsoft Intune Company Portal", client: true, redirects: []string{"ms-appx-web://Microsoft.AAD.BrokerPlugin/" + AppCompanyPortal, nativeClient}},
	{id: AppIntunePS, name: "Microsoft Intune PowerShell", client: true, redirects: []string{"urn:ietf:wg:oauth:2.0:oob", nativeClient}},
	{id: AppBulkEnroll, name: "Microsoft.AAD.BulkEnrollment", client: true, redirects: []string{nativeClient}},
	{id: AppEntraConnect, name: "Microsoft Azure Active Directory Connect", client: true, redirects: []string{nativeClient}},
}

// MicrosoftTenant owns Microsoft's own applications.
const MicrosoftTenant = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

func firstParty(tenantID, clientID string) (App, bool) {
	i := slices.IndexFunc(firstParties, func(a firstPartyApp) bool { return strings.EqualFold(a.id, clientID) })
	if i < 0 {
		return App{}, false
	}
	f := firstParties[i]
	a := App{TenantID: tenantID, ClientID: f.id, Name: f.name, Public: f.client, FirstParty: true, Identifiers: f.identifiers, Roles: []string{}}
	for _, uri := range f.redirects {
		a.Redirects = append(a.Redirects, Redirect{RedirectPublic, uri})
	}
	return a, true
}

// Principals are all applications that stand in a tenant: Microsoft's own, then
// the tenant's.
func (d *Directory) Principals(tenantID string) []App {
	var all []App
	own := d.Apps(tenantID)
	for _, f := range firstParties {
		if !slices.ContainsFunc(own, func(a App) bool { return a.ClientID == f.id }) {
			a, _ := firstParty(strings.ToLower(tenantID), f.id)
			all = append(all, a)
		}
	}
	return append(all, own...)
}

// ResourceApp is the application behind a resource identifier: its client id,
// one of its identifiers, or api:// and its client id.
func (d *Directory) ResourceApp(tenantID, resource string) (App, bool) {
	for _, a := range d.Principals(tenantID) {
		if strings.EqualFold(a.ClientID, resource) || strings.EqualFold("api://"+a.ClientID, resource) ||
			slices.ContainsFunc(a.Identifiers, func(id string) bool { return oauth.SameAudience(id, resource) }) {
			return a, true
		}
	}
	return App{}, false
}
