package directory

import (
	"context"
	"time"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ldap"
)

var ctx = context.Background()

// rig is a forest on a clock that the test moves.
type rig struct {
	*gomega.WithT
	*Directory
	clock *hand
}

// hand is a clock set by hand; the directory only reads its clock.
type hand struct {
	vclock.Clock
	now time.Time
}

func (h *hand) Now() time.Time          { return h.now }
func (h *hand) forward(d time.Duration) { h.now = h.now.Add(d) }

const dn = "DC=corp,DC=contoso,DC=com"

func newRig(t types.GomegaTestingT, change ...func(*Options)) *rig {
	t.Helper()
	clock := &hand{Clock: vclock.NewWall(), now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)}
	o := Options{Domain: "corp.contoso.com", Clock: clock, Seed: 1}
	for _, f := range change {
		f(&o)
	}
	d, err := New(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &rig{gomega.NewWithT(t), d, clock}
}

func twoControllers(lag time.Duration) func(*Options) {
	return func(o *Options) {
		o.Controllers, o.Replication = []Controller{{Name: "dc1"}, {Name: "dc2"}}, lag
	}
}

func (r *rig) user(name string) Identity {
	a, err := r.AddUser(User{UPN: name + "@corp.contoso.com", Password: "Sommer-2026"})
	r.Expect(err).NotTo(gomega.HaveOccurred())
	id := r.Primary().Identify(a)
	id.Confidential = true
	return id
}

func (r *rig) computer(by Identity, name, container string) error {
	return r.Primary().Add(ctx, by, "CN="+name+","+container, computerAttributes(name))
}

func computerAttributes(name string) []ldap.Attribute {
	host := name + ".corp.contoso.com"
	return []ldap.Attribute{
		ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", name+"$"), ldap.Text("userAccountControl", "4096"),
		ldap.Text("dNSHostName", host), ldap.Text("servicePrincipalName", "HOST/"+name, "HOST/"+host),
		ldap.Binary("unicodePwd", quoted("secret-"+name)),
	}
}

func quoted(password string) []byte { return []byte(encodePassword(`"` + password + `"`)) }

func (r *rig) identity(sam string) Identity {
	a, ok := r.Primary().AccountBySAM(sam)
	r.Expect(ok).To(gomega.BeTrue(), sam)
	id := r.Primary().Identify(a)
	id.Confidential = true
	return id
}

func (r *rig) find(at *Replica, base, filter string, attributes ...string) []ldap.Entry {
	f, err := ldap.ParseFilter(filter)
	r.Expect(err).NotTo(gomega.HaveOccurred())
	res, err := at.Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: base, Scope: ldap.WholeSubtree, Filter: f, Attributes: attributes}})
	r.Expect(err).NotTo(gomega.HaveOccurred())
	var out []ldap.Entry
	for e, ok := res.Next(); ok; e, ok = res.Next() {
		out = append(out, e)
	}
	return out
}

func replace(attribute string, values ...string) []ldap.Change {
	return []ldap.Change{{Op: ldap.ReplaceValues, Attribute: ldap.Text(attribute, values...)}}
}

// refusal matches an error by result code and the Windows error in its text.
func refusal(code ldap.ResultCode, win string) gomega.OmegaMatcher {
	return gomega.And(
		gomega.WithTransform(ldap.CodeOf, gomega.Equal(code)),
		gomega.WithTransform(func(err error) string { return err.Error() }, gomega.ContainSubstring(win)),
	)
}
