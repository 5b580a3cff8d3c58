package ldap_test

import (
	"bytes"
	"fmt"

	"windtunnel.test/sim/wire/ldap"
)

func Example() {
	ask := ldap.Message{ID: 1, Op: &ldap.SearchRequest{
		Base: "DC=corp,DC=contoso,DC=com", Scope: ldap.WholeSubtree, Attributes: []string{"objectGUID"},
		Filter: ldap.AllOf(ldap.Eq("objectClass", "computer"), ldap.Has("userCertificate")),
	}}
	m, err := ldap.NewReader(bytes.NewReader(ask.Append(nil)), ldap.Limits{}).Read()
	if err != nil {
		panic(err)
	}
	search := m.Op.(*ldap.SearchRequest)
	dn, err := ldap.ParseDN("dc=CORP, dc=contoso, dc=com")
	fmt.Println(search.Filter, search.Base, dn.Key(), err)
	// Output: (&(objectClass=computer)(userCertificate=*)) DC=corp,DC=contoso,DC=com dc=corp,dc=contoso,dc=com <nil>
}
