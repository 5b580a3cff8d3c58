package fakead

import (
	"bytes"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/vclock"
)

func TestParityIsReadable(t *testing.T) {
	g := NewWithT(t)
	var rows []struct{ Operation, Parity string }
	g.Expect(yaml.Unmarshal(Parity(), &rows)).To(Succeed())
	g.Expect(rows).NotTo(BeEmpty())
}

// A forest over kept state is the one that it was.
func TestForestGoesOn(t *testing.T) {
	g := NewWithT(t)
	clock := vclock.NewWall()
	since := clock.Now()
	open := func(db *store.DB, starts int) *Forest {
		f, err := New(Options{Clock: clock, Seed: 1, Since: since, Starts: starts, DB: db, Domain: "corp.contoso.com"})
		g.Expect(err).NotTo(HaveOccurred())
		return f
	}
	db := store.New()
	f := open(db, 1)
	anna, err := f.AddUser(User{UPN: "anna@corp.contoso.com", Password: "Sommer-2026"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.SetSCP("contoso.com", "00000000-0000-0000-0000-000000000001")).To(Succeed())
	var dump bytes.Buffer
	g.Expect(db.Dump(&dump)).To(Succeed())

	again := open(store.New(), 2)
	g.Expect(again.o.DB.Restore(&dump)).To(Succeed())
	dc := again.Primary()
	same, ok := dc.AccountByUPN("anna@corp.contoso.com")
	g.Expect(ok).To(BeTrue())
	g.Expect(same.SID).To(Equal(anna.SID))
	g.Expect(dc.Keys(same)).To(Equal(f.Primary().Keys(anna)))
	ben, err := again.AddUser(User{UPN: "ben@corp.contoso.com", Password: "Sommer-2026"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ben.SID).NotTo(Equal(anna.SID), "identifiers go on where they were")
	g.Expect(ben.GUID).NotTo(Equal(anna.GUID))
	g.Expect(again.RemoveSCP()).To(Succeed())
	g.Expect(again.RemoveSCP()).To(Succeed())
}
