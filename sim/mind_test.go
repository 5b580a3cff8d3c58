package sim

import (
	"testing"

	"github.com/onsi/gomega"
)

func TestMind(t *testing.T) {
	g := gomega.NewWithT(t)
	w := &World{}
	m := w.mind("anna@contoso.com")
	g.Expect(w.mind("anna@contoso.com")).To(gomega.BeIdenticalTo(m))
	g.Expect(w.mind("ben@contoso.com")).NotTo(gomega.BeIdenticalTo(m))
	know := func(refused int) string { return m.known("first", refused) }
	g.Expect([]string{know(0), know(1), know(2)}).To(gomega.HaveEach("first"))

	g.Expect(m.think("prepared")).To(gomega.Equal("prepared"))
	g.Expect([]string{know(0), know(1), know(2)}).To(gomega.Equal([]string{"first", "prepared", "first"}), "while another PC takes it")
	m.learn("prepared")
	g.Expect([]string{know(0), know(1)}).To(gomega.HaveEach("prepared"))

	again := m.think("prepared")
	g.Expect(again).NotTo(gomega.Equal("prepared"))
	g.Expect(m.think("prepared")).NotTo(gomega.Or(gomega.Equal(again), gomega.Equal("prepared")))
	g.Expect(know(0)).To(gomega.Equal("prepared"), "nobody has taken the others")
}
