package ldap_test

import (
	"testing"

	"github.com/onsi/gomega"

	wire "windtunnel.test/sim/wire/ldap"
)

// administered sends requests on one connection, after a bind as the administrator, and gives their answers.
func (r *rig) administered(requests ...wire.Message) []wire.Op {
	name, secret := r.dir.Administrator()
	b := (&wire.Message{ID: 1, Op: &wire.BindRequest{Version: 3, Name: name, Password: []byte(secret)}}).Append(nil)
	for i := range requests {
		requests[i].ID = i + 2
		b = requests[i].Append(b)
	}
	b = (&wire.Message{ID: 100, Op: &wire.UnbindRequest{}}).Append(b)
	var ops []wire.Op
	for _, m := range r.raw(b)[1:] {
		ops = append(ops, m.Op)
	}
	return ops
}

func TestPermissiveModify(t *testing.T) {
	r := newRig(t)
	change := func(op wire.ChangeOp, values ...string) wire.Op {
		return &wire.ModifyRequest{DN: "CN=anna," + users, Changes: []wire.Change{{Op: op, Attribute: wire.Text("servicePrincipalName", values...)}}}
	}
	permissive := []wire.Control{{Type: wire.ControlPermissive, Critical: true}}
	got := r.administered(
		wire.Message{Op: change(wire.AddValues, "a/x")},
		wire.Message{Op: change(wire.AddValues, "a/x")},
		wire.Message{Op: change(wire.AddValues, "a/x"), Controls: permissive},
		wire.Message{Op: change(wire.AddValues, "a/x", "b/x"), Controls: permissive},
		wire.Message{Op: change(wire.DeleteValues, "c/x")},
		wire.Message{Op: change(wire.DeleteValues, "c/x"), Controls: permissive},
		wire.Message{Op: change(wire.DeleteValues, "a/x", "c/x"), Controls: permissive},
		wire.Message{Op: &wire.CompareRequest{DN: "CN=anna," + users, Attribute: "servicePrincipalName", Value: []byte("b/x")}},
		wire.Message{Op: &wire.CompareRequest{DN: "CN=anna," + users, Attribute: "servicePrincipalName", Value: []byte("a/x")}},
	)
	var codes []wire.ResultCode
	for _, op := range got {
		switch op := op.(type) {
		case *wire.ModifyResponse:
			codes = append(codes, op.Code)
		case *wire.CompareResponse:
			codes = append(codes, op.Code)
		}
	}
	r.Expect(codes).To(gomega.Equal([]wire.ResultCode{
		wire.Success, wire.AttributeOrValueExists, wire.Success, wire.Success, wire.NoSuchAttribute, wire.Success, wire.Success,
		wire.CompareTrue, wire.CompareFalse,
	}))
}

func TestContinuationReferences(t *testing.T) {
	r := newRig(t)
	whole := search(domainDN, wire.WholeSubtree, "(sAMAccountName=anna)", "1.1")
	count := func(controls ...wire.Control) (n int) {
		for _, op := range r.administered(wire.Message{Op: &whole, Controls: controls}) {
			if ref, ok := op.(*wire.SearchReference); ok {
				n++
				r.Expect(ref.URLs).To(gomega.Equal([]string{"ldap://corp.contoso.com/CN=Configuration," + domainDN}))
			}
		}
		return n
	}
	r.Expect(count()).To(gomega.Equal(1))
	r.Expect(count(wire.Control{Type: wire.ControlDomainScope, Critical: true})).To(gomega.BeZero())
	r.Expect(count(wire.Control{Type: wire.ControlSearchOption, Value: []byte{0x30, 3, 2, 1, 1}, HasValue: true})).To(gomega.BeZero())
	whole.Base = users
	r.Expect(count()).To(gomega.BeZero())
}

func TestPingOverTCP(t *testing.T) {
	r := newRig(t)
	ask := wire.NetlogonRequest{DNSDomain: domain, NTVersion: wire.NTVersion5EX}
	ping := &wire.SearchRequest{Filter: ask.Filter(), Attributes: []string{"NetLogon"}}
	got := r.administered(wire.Message{Op: ping})
	a, err := wire.ParseNetlogonResponse(got[0].(*wire.Entry).Bytes("netlogon"))
	r.Expect(err).NotTo(gomega.HaveOccurred())
	r.Expect(a.Host).To(gomega.Equal(host))
}
