package directory_test

import (
	"context"
	"fmt"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/wire/ldap"
)

// A user may add computers until the quota is used up, to the container that
// is for it and to no other.
func Example() {
	none := 0
	d, err := directory.New(directory.Options{Domain: "corp.contoso.com", MachineAccountQuota: &none})
	if err != nil {
		panic(err)
	}
	anna, err := d.AddUser(directory.User{UPN: "anna@corp.contoso.com", Password: "Sommer-2026"})
	if err != nil {
		panic(err)
	}
	dc, ctx := d.Primary(), context.Background()
	computer := []ldap.Attribute{ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", "PC-1$"), ldap.Text("userAccountControl", "4096")}
	for _, container := range []string{"CN=Computers,", "OU=Domain Controllers,"} {
		err := dc.Add(ctx, dc.Identify(anna), "CN=PC-1,"+container+d.DN(), computer)
		fmt.Println(ldap.CodeOf(err), err.(*ldap.Error).Message[:8])
	}
	// Output:
	// unwillingToPerform 0000216D
	// insufficientAccessRights 00000005
}
