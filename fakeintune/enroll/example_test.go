package enroll_test

import (
	"fmt"
	"net/http/httptest"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/tenant"
)

// The bare GET by which Windows makes sure that an enrolment server is there.
func ExampleService() {
	tenants := tenant.New(tenant.Options{Seed: 1})
	authorities, err := authority.New(tenants)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(enroll.New(enroll.Options{Tenants: tenants, Authorities: authorities}))
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/EnrollmentServer/Discovery.svc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 200 OK
}
