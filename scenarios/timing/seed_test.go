package timing_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/spec"
)

// life takes two PCs through both flows and gives the hash of all that
// happened.
func life(options ...spec.Option) string {
	GinkgoHelper()
	w := spec.NewWorld(options...)
	first, second := w.NewPC(), w.NewPC(spec.Wireless)
	w.Register(first, second)
	w.Provision(first)
	w.Provision(second)
	w.Ship(first, 3*time.Hour)
	w.Ship(second, time.Hour)
	w.Unpack(second, w.User("kim"))
	w.Unpack(first, w.User("alex"))
	return w.Journal.Hash()
}

var _ = Describe("the seed", func() {
	It("decides a run: the same gives the same trace hash", func() {
		Expect(life()).To(Equal(life()))
	})

	It("decides a run: another gives another trace hash", func() {
		Expect(life()).NotTo(Equal(life(spec.Variant("another"))))
	})
})
