// Package spec is the harness for Ginkgo specs: a world for each spec, and
// verbs that read like the page that they are about.
//
// A suite has one file that starts it,
//
//	func TestTechnicianFlow(t *testing.T) { spec.Run(t, "technician flow") }
//
// and specs that ask for a world:
//
//	var _ = Describe("a hybrid PC", spec.Hybrid(), func() {
//		It("goes from the technician to its user", func(w *spec.World) {
//			technician, user := w.Technician(), w.User("alex")
//			pc := w.NewRegisteredPC()
//			technician.Provision(pc)
//			w.ShipTo(pc, "office", 90*time.Minute)
//			user.Unpack(pc)
//			Expect(pc).To(expect.HaveInstalled("Notes"))
//		}, Label("smoke"), SpecTimeout(time.Minute))
//	})
//
// It, BeforeEach, AfterEach and their like take functions of a *World, alone or
// after a SpecContext; [InWorld] is for tables. All nodes of a spec see the same
// world. [Option]s decorate containers and specs; those further out come first.
// [NewWorld] makes a world by hand, or a second one.
//
// Each world has its own clock, services and seed, so specs run in any order
// and in parallel processes. The seed follows from the spec's text;
// WINDTUNNEL_SEED sets another one. A range of seeds, -seeds 1-500 or
// WINDTUNNEL_SEEDS, runs each spec once with every seed, as "text [seed 7]",
// and tells the smallest that fails: under ginkgo -p in its processes, otherwise
// in as many as there are cores.
//
// Verbs may only be called from the spec: each lets the world run until it is
// through, and fails the spec where it does not get there; those called Try...
// give the reason instead. [World.Do] is for what a verb does not say: its
// function is an actor of the world. [World.Change] does what an entry of a
// scenario file's timeline does. Package expect has the matchers, and Eventually
// and Consistently in virtual time.
//
// When a spec fails, its report gets what was expected, the last events of each
// PC, what is on their screens, the fault rules that fired, and the command that
// runs the same spec with the same seed. With WINDTUNNEL_OUT=DIR it also leaves a
// folder there, for `windtunnel explain` and `windtunnel replay`.
//
// The standard tenant is standard.yaml in this package; options of worlds
// change a copy of it.
package spec
