package directory

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/ldap"
)

func TestChangesTakeTheirTime(t *testing.T) {
	r := newRig(t, twoControllers(time.Minute))
	dc1, dc2 := r.Replica("dc1"), r.Replica("DC2.corp.contoso.com")
	r.Expect(r.computer(System, "PC-1", computers)).To(Succeed())
	known := func(at *Replica) bool { _, ok := at.AccountBySAM("PC-1$"); return ok }
	r.Expect(known(dc1)).To(BeTrue())
	r.clock.forward(59 * time.Second)
	r.Expect(known(dc2)).To(BeFalse())
	r.clock.forward(time.Second)
	r.Expect(known(dc2)).To(BeTrue())
	// Equal objects are one object.
	a, _ := dc1.AccountBySAM("PC-1$")
	r.Expect(dc1.rows[a.GUID].obj).To(BeIdenticalTo(dc2.rows[a.GUID].obj))
	// A new password is at the primary at once.
	r.Expect(dc2.SetPassword(ctx, System, a, "other")).To(Succeed())
	r.Expect(dc1.CheckPassword(ctx, a, "other")).NotTo(Succeed(), "the account as it was")
	a, _ = dc1.AccountBySAM("PC-1$")
	r.Expect(dc1.CheckPassword(ctx, a, "other")).To(Succeed())
	r.Expect(r.log).NotTo(BeEmpty())
	r.clock.forward(time.Hour)
	for _, dc := range r.Replicas() {
		known(dc)
	}
	r.Expect(r.log).To(BeEmpty(), "what all have seen is forgotten")
}

// A name taken on two controllers at once: both objects live on, and all agree
// which of them keeps it.
func TestNamesTakenTwice(t *testing.T) {
	r := newRig(t, twoControllers(time.Minute))
	dc1, dc2 := r.Replica("dc1"), r.Replica("dc2")
	ou := []ldap.Attribute{ldap.Text("objectClass", "organizationalUnit")}
	r.Expect(dc1.Add(ctx, System, "OU=X,"+dn, ou)).To(Succeed())
	r.clock.forward(time.Second)
	r.Expect(dc2.Add(ctx, System, "OU=X,"+dn, ou)).To(Succeed())
	r.Expect(r.AddOU("OU=Gone," + dn)).To(Succeed())
	r.Expect(dc1.Delete(ctx, System, "OU=Gone,"+dn, false)).To(Succeed())
	r.Expect(dc2.Add(ctx, System, "CN=PC-1,OU=Gone,"+dn, computerAttributes("PC-1"))).To(Succeed())
	r.clock.forward(time.Minute)
	for _, dc := range r.Replicas() {
		both := r.find(dc, dn, "(ou=X*)", "objectGUID")
		r.Expect(both).To(HaveLen(2))
		slices.SortFunc(both, func(a, b ldap.Entry) int { return len(b.DN) - len(a.DN) })
		r.Expect(both[0].DN).To(MatchRegexp(`^OU=X\\0ACNF:[0-9a-f-]{36},DC=corp,DC=contoso,DC=com$`), "the older one")
		r.Expect(both[1].DN).To(Equal("OU=X," + dn))
		r.Expect(r.find(dc, both[0].DN, "(objectClass=*)")).To(HaveLen(1), "found by its new name")
		lost := r.find(dc, dn, "(sAMAccountName=PC-1$)")
		r.Expect(lost).To(HaveLen(1))
		r.Expect(lost[0].DN).To(Equal("CN=PC-1,CN=LostAndFound," + dn))
		r.Expect(r.find(dc, lost[0].DN, "(objectClass=*)")).To(HaveLen(1))
	}
}

// picture is all that a controller knows, but for its own counters, by object.
func picture(at *Replica) map[string]string {
	defer at.enter()()
	all := map[string]string{}
	for g, row := range at.rows {
		text := fmt.Sprint(row.dn(), row.obj.deleted, row.conflict)
		for _, a := range row.obj.attrs {
			text += fmt.Sprintf(" %s=%q/%v", a.def.name, a.values, a.stamp)
		}
		all[g.String()] = text
	}
	return all
}

// sameAs compares pictures and says where they differ.
func sameAs(t *rapid.T, who string, got, want map[string]string) {
	for g := range want {
		if got[g] != want[g] {
			t.Fatalf("%s has %s\nnot %s", who, got[g], want[g])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s has %d objects, not %d", who, len(got), len(want))
	}
}

// Whatever is done wherever, all controllers end up with the same, no object is
// lost, and a restart finds it.
func TestControllersConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := store.New()
		r := newRig(t, func(o *Options) {
			o.Controllers = []Controller{{Name: "dc1"}, {Name: "dc2", Skew: -7 * time.Second}, {Name: "dc3", Skew: time.Hour}}
			o.Replication, o.DB = time.Minute, db
		})
		count := 0
		names := []string{"A", "B", "C"}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			at := r.Replicas()[rapid.IntRange(0, 2).Draw(t, "controller")]
			ou := "OU=" + rapid.SampledFrom(names).Draw(t, "unit") + "," + dn
			pc := "CN=" + rapid.SampledFrom(names).Draw(t, "computer") + "," + ou
			var err error
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0:
				err = at.Add(ctx, System, ou, []ldap.Attribute{ldap.Text("objectClass", "organizationalUnit")})
			case 1, 2:
				err = at.Add(ctx, System, pc, []ldap.Attribute{ldap.Text("objectClass", "computer")})
			case 3:
				_ = at.Modify(ctx, System, pc, replace("description", rapid.StringN(1, 5, 20).Draw(t, "text")))
				err = errNoCount
			case 4:
				_ = at.Delete(ctx, System, rapid.SampledFrom([]string{ou, pc}).Draw(t, "victim"), rapid.Bool().Draw(t, "tree"))
				err = errNoCount
			case 5:
				_ = at.ModifyDN(ctx, System, ldap.ModifyDNRequest{DN: pc, NewRDN: "CN=" + rapid.SampledFrom(names).Draw(t, "new"), DeleteOldRDN: true,
					Moves: true, NewSuperior: "OU=" + rapid.SampledFrom(names).Draw(t, "to") + "," + dn})
				err = errNoCount
			default:
				r.clock.forward(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
				err = errNoCount
			}
			if err == nil {
				count++
			}
		}
		r.clock.forward(time.Minute)
		want := picture(r.Primary())
		for _, at := range r.Replicas()[1:] {
			sameAs(t, at.Name(), picture(at), want)
		}
		fresh := newRig(t)
		if got, all := len(r.Primary().rows), len(fresh.Primary().rows)+count+6; got != all { // of two controllers more
			t.Fatalf("%d objects, %d were made", got, all)
		}
		again := newRig(t, func(o *Options) { o.Controllers = r.o.Controllers })
		var dump bytes.Buffer
		if err := errors.Join(db.Dump(&dump), again.o.DB.Restore(&dump)); err != nil {
			t.Fatal(err)
		}
		sameAs(t, "a restarted one", picture(again.Primary()), want)
	})
}

var errNoCount = errors.New("made nothing")
