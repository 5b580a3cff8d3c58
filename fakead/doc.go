// Package fakead will be the Active Directory of a hybrid organisation: DNS,
// CLDAP, LDAP and Kerberos of a forest of domain controllers. None of it is
// modelled yet; parity.yaml says so row by row, and [Absent] is what stands
// under the domain's names until then.
package fakead

import (
	_ "embed"
	"net/http"
)

//go:embed parity.yaml
var parity []byte

// Parity is the package's parity table, as YAML.
func Parity() []byte { return parity }

// Absent answers everything with 501 and a body that says why, never with a
// silent success.
type Absent struct{}

func (Absent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "Active Directory is not modelled yet: "+r.Host, http.StatusNotImplemented)
}
