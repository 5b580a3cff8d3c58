package fakeentra_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
)

func Example() {
	entra := fakeentra.New(fakeentra.Options{Options: service.Options{Seed: 1}})
	_, err := entra.Directory.LoadOrganization(graph.Organization{
		ID: "3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab", DisplayName: "Contoso",
		VerifiedDomains: []graph.VerifiedDomain{{Name: "contoso.com", IsDefault: true}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	entra.DRS.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, drs.DiscoverURL("contoso.com"), nil))
	var d drs.Discovery
	if err := json.Unmarshal(answer.Body.Bytes(), &d); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.TenantInfo.DisplayName, d.TenantInfo.TenantID)
	for _, h := range entra.Hosts() {
		fmt.Println(h.Name)
	}
	// Output:
	// Contoso 3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab
	// *.microsoftaik.azure.net
	// login.live.com
	// enterpriseregistration.windows.net
	// login.microsoftonline.com
	// login.windows.net
	// device.login.microsoftonline.com
	// login.microsoft.com
	// sts.windows.net
	// intunemaape1.eus.attest.azure.net
	// graph.windows.net
	// adminwebservice.microsoftonline.com
}
