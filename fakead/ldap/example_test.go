package ldap_test

import (
	"context"
	"fmt"
	"net"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/fakead/ldap"
	wire "windtunnel.test/sim/wire/ldap"
)

// A controller's LDAP alone, on one end of a pipe.
func Example() {
	dir, err := directory.New(directory.Options{Domain: "corp.contoso.com", Seed: 1})
	if err != nil {
		panic(err)
	}
	s := &ldap.Server{Directory: dir.Primary()}
	near, far := net.Pipe()
	go s.ServeStream(context.Background(), far)
	defer near.Close()

	ask := wire.Message{ID: 1, Op: &wire.SearchRequest{Filter: wire.All, Attributes: []string{"defaultNamingContext"}}}
	if _, err := near.Write(ask.Append(nil)); err != nil {
		panic(err)
	}
	m, err := wire.NewReader(near, wire.Limits{}).Read()
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Op.(*wire.Entry).Text("defaultNamingContext"))
	// Output: DC=corp,DC=contoso,DC=com
}
