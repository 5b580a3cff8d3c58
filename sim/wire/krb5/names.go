package krb5

import (
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/types"
)

// Name is a principal's name without its realm (RFC 4120 5.2.2).
type Name struct {
	Type  int32
	Parts []string
}

// Types of names (RFC 4120 7.5.8, RFC 6806 5).
const (
	NamePrincipal  = 1
	NameService    = 2  // krbtgt/REALM and other instances
	NameHost       = 3  // host/pc-1.corp.contoso.com
	NameEnterprise = 10 // a user principal name in one part
)

// ParseName reads "anna", "PC-1$" or "ldap/dc1.corp.contoso.com"; the realm, if
// there is one after an @, is left out of it.
func ParseName(s string) Name {
	s, _, _ = strings.Cut(s, "@")
	parts := strings.Split(s, "/")
	if len(parts) > 1 {
		return Name{NameService, parts}
	}
	return Name{NamePrincipal, parts}
}

// Enterprise is a user principal name as a name.
func Enterprise(upn string) Name { return Name{NameEnterprise, []string{upn}} }

// TGS is the ticket-granting service of a realm.
func TGS(realm string) Name { return Name{NameService, []string{"krbtgt", realm}} }

// PasswordService is who changes passwords (RFC 3244 2).
func PasswordService() Name { return Name{NamePrincipal, []string{"kadmin", "changepw"}} }

// String is the name with slashes.
func (n Name) String() string { return strings.Join(n.Parts, "/") }

// Zero tells whether there is no name.
func (n Name) Zero() bool { return len(n.Parts) == 0 }

// Equal compares as Active Directory does, without regard to case and type.
func (n Name) Equal(m Name) bool {
	return slices.EqualFunc(n.Parts, m.Parts, strings.EqualFold)
}

func (n Name) wire() types.PrincipalName {
	return types.PrincipalName{NameType: n.Type, NameString: n.Parts}
}

func nameOf(p types.PrincipalName) Name { return Name{p.NameType, p.NameString} }

// UserSalt is what a user's password is salted with: the realm and
// sAMAccountName as it was when the password was set ([MS-KILE] 3.1.1.2).
func UserSalt(realm, sam string) string { return strings.ToUpper(realm) + sam }

// MachineSalt is what a computer's password is salted with: realm, "host", and
// the DNS name that its sAMAccountName gives ([MS-KILE] 3.1.1.2).
func MachineSalt(realm, sam string) string {
	return strings.ToUpper(realm) + "host" + strings.ToLower(strings.TrimSuffix(sam, "$")) + "." + strings.ToLower(realm)
}
