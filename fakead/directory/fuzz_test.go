package directory

import (
	"testing"

	"windtunnel.test/sim/wire/ldap"
)

// FuzzOperations lets anybody's texts into every operation: refusals, no
// crashes, and what was there stays there.
func FuzzOperations(f *testing.F) {
	f.Add("CN=PC-1,"+computers, "(&(objectClass=*)(!(cn=x*)))", "description", []byte("x"))
	f.Add("<GUID=00000000-0000-0000-0000-000000000000>", "(objectSid>=S-1-5)", "unicodePwd", []byte("\"\x00x\x00\"\x00"))
	f.Add("<WKGUID=AA312825768811D1ADED00C04FD8D5CD,"+dn+">", "(memberOf:1.2.840.113556.1.4.1941:=CN=Users,"+dn+")", "member", []byte(dn))
	f.Add("CN=x\\0ACNF:y,"+dn, "(userAccountControl:1.2.840.113556.1.4.803:=-1)", "userAccountControl", []byte("-9223372036854775808"))
	f.Add("<SID=01020304>", "(whenCreated<=20261231000000Z)", "servicePrincipalName", []byte("/:/"))
	r := newRig(f)
	if err := r.computer(System, "PC-1", computers); err != nil {
		f.Fatal(err)
	}
	anna := r.user("anna")
	dc := r.Primary()
	f.Fuzz(func(t *testing.T, name, filter, attribute string, value []byte) {
		if tree, err := ldap.ParseFilter(filter); err == nil {
			res, err := dc.Search(ctx, anna, Query{SearchRequest: ldap.SearchRequest{Base: name, Scope: ldap.WholeSubtree, Filter: tree, Attributes: []string{attribute}}})
			for more := err == nil; more; {
				_, more = res.Next()
			}
		}
		values := ldap.Attribute{Type: attribute, Values: [][]byte{value}}
		for op := ldap.AddValues; op <= ldap.ReplaceValues; op++ {
			_ = dc.Modify(ctx, anna, name, []ldap.Change{{Op: op, Attribute: values}})
		}
		_ = dc.Add(ctx, anna, name, []ldap.Attribute{ldap.Text("objectClass", "computer"), values})
		_ = dc.ModifyDN(ctx, anna, ldap.ModifyDNRequest{DN: name, NewRDN: string(value), NewSuperior: name, DeleteOldRDN: true, Moves: true})
		_ = dc.Delete(ctx, anna, name, true)
		_, _ = dc.Compare(ctx, anna, name, attribute, value)
		_, _ = dc.Authenticate(ctx, name, string(value))
		dc.AccountBySPN(name)
		if _, ok := dc.AccountBySAM("PC-1$"); !ok {
			t.Fatal("somebody without rights removed a computer")
		}
	})
}
