package fakeintune_test

import (
	"context"
	"fmt"

	"windtunnel.test/fakeintune"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

func Example() {
	intune, err := fakeintune.New(fakeintune.Options{TenantID: "11111111-1111-4111-8111-111111111111", Domain: "contoso.example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = intune.Tenant().Load(context.Background(), tenant.Resources{
		Profiles: []graph.DeploymentProfile{{ODataType: graph.TypeEntraProfile, DisplayName: "Sales", PreprovisioningAllowed: true,
			Assignments: []graph.Assignment{graph.NewAssignment("", graph.AllDevices())}}},
	})
	fmt.Println(err)
	for _, p := range intune.Tenant().Profiles().List() {
		fmt.Println(p.DisplayName, p.OutOfBoxExperienceSetting.UserType)
	}
	// http.Handle("ztd.dds.microsoft.com/", intune.ZTD())

	// Output:
	// <nil>
	// Sales administrator
}
