package fakead_test

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"

	"windtunnel.test/fakead"
)

// A forest on real sockets, for any client.
func Example() {
	forest, err := fakead.New(fakead.Options{Domain: "corp.contoso.com"})
	if err != nil {
		panic(err)
	}
	listeners, err := forest.Listen(fakead.ListenOptions{Ephemeral: true})
	if err != nil {
		panic(err)
	}
	defer listeners.Close()
	conn, err := ldap.DialURL("ldap://" + listeners.Addr("dc1", "tcp", 389))
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	root, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"dnsHostName"}, nil))
	if err != nil {
		panic(err)
	}
	fmt.Println(root.Entries[0].GetAttributeValue("dnsHostName"))
	// Output: dc1.corp.contoso.com
}
