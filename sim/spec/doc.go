// Package spec is the harness for Ginkgo specs: a world for each spec, and
// verbs that read like the page that they are about.
//
// A suite has one file that starts it,
//
//	func TestTechnicianFlow(t *testing.T) { spec.Run(t, "technician flow") }
//
// and specs of this kind:
//
//	It("hands a PC from the technician to its user", func() {
//		w := spec.NewWorld()
//		pc := w.NewRegisteredPC()
//		w.Provision(pc)
//		w.Ship(pc, 48*time.Hour)
//		w.Unpack(pc, w.User("alex"))
//		Expect(w.Products(pc)).To(ContainElement("Notes"))
//	})
//
// Each world has its own clock, services and seed, so specs run in any order
// and in parallel processes. The seed follows from the spec's text;
// WINDTUNNEL_SEED sets another one. Verbs may only be called from the spec: each
// lets the world run until it is through, and fails the spec where it does not
// get there; those called Try... give the reason instead. [World.Do] is for
// what a verb does not say: its function is an actor of the world.
//
// When a spec fails, its report gets the last events of each PC, what is on
// their screens, and the command that runs the same spec with the same seed.
//
// The standard tenant is standard.yaml in this package; options of [NewWorld]
// change a copy of it.
package spec
