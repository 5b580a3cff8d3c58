package pki

import (
	"crypto/x509"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestMemoKeepsTheNewest(t *testing.T) {
	g := NewWithT(t)
	var m memo[int, int]
	for i := range 3 * memoGeneration {
		m.set(i, i)
		_, ok := m.get(0)
		g.Expect(ok).To(BeTrue(), "what is asked for stays")
	}
	_, ok := m.get(1)
	g.Expect(ok).To(BeFalse())
	g.Expect(len(m.young) + len(m.old)).To(BeNumerically("<=", 2*memoGeneration))
}

func TestCheckIssued(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	right, err := NewRoot(now, 1, "Right", Options{})
	g.Expect(err).NotTo(HaveOccurred())
	wrong, err := NewRoot(now, 2, "Right", Options{}) // same name, another key
	g.Expect(err).NotTo(HaveOccurred())
	leaf, err := right.Issue(now, &x509.Certificate{NotAfter: now.AddDate(1, 0, 0)}, Key(1, "leaf").Public())
	g.Expect(err).NotTo(HaveOccurred())
	for range 2 {
		g.Expect(CheckIssued(leaf, right.Cert)).To(Succeed())
		g.Expect(CheckIssued(leaf, wrong.Cert)).NotTo(Succeed())
		g.Expect(CheckIssued(leaf, leaf)).NotTo(Succeed())
	}
	again, err := Parse(leaf.Raw)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Raw).To(Equal(leaf.Raw))
	_, err = Parse(leaf.Raw[1:])
	g.Expect(err).To(HaveOccurred())
}

func TestTrusted(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	root, err := NewRoot(now, 1, "Root", Options{})
	g.Expect(err).NotTo(HaveOccurred())
	sub, err := root.Sub(now, "Sub", Options{})
	g.Expect(err).NotTo(HaveOccurred())
	leaf, err := sub.Issue(now, &x509.Certificate{NotAfter: now.AddDate(1, 0, 0)}, Key(1, "leaf").Public())
	g.Expect(err).NotTo(HaveOccurred())
	between, pool := []*x509.Certificate{sub.Cert}, root.Pool()
	for range 2 {
		g.Expect(Trusted(leaf, between, pool, now)).To(Succeed())
		g.Expect(Trusted(leaf, nil, pool, now)).NotTo(Succeed(), "without what lies between")
		g.Expect(Trusted(leaf, between, x509.NewCertPool(), now)).NotTo(Succeed(), "below no root")
		g.Expect(Trusted(leaf, between, pool, now.Add(-time.Second))).NotTo(Succeed(), "too early")
		g.Expect(Trusted(leaf, between, pool, now.AddDate(1, 0, 1))).NotTo(Succeed(), "too late")
	}
}
