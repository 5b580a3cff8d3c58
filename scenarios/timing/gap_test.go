package timing_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
)

// signInAfter pre-provisions a PC and has its user sign in so long after the
// technician flow's last sync fetched the device's token. It tells whether the
// user's first session was the device's, because the token broker still had
// that token.
func signInAfter(gap time.Duration, options ...spec.Option) (asDevice bool) {
	GinkgoHelper()
	w := spec.NewWorld(options...)
	pc := w.NewRegisteredPC()
	w.Provision(pc)
	tokens := w.Events(pc, "token.acquired")
	fetched := tokens[len(tokens)-1]
	Expect(fetched.Text("kind")).To(Equal("device"))

	w.Ship(pc, 10*time.Minute)
	w.PowerOn(pc)
	w.Await(pc, oobe.ScreenLanguage)
	w.Press(pc, oobe.ButtonYes)
	w.Await(pc, oobe.ScreenSignIn)
	w.WaitUntil(fetched.Time.Add(gap))
	w.SignIn(pc, w.User("alex"))
	w.AwaitCategory(pc, "AccountSetup")

	begun := w.Clock.Now().Sub(fetched.Time)
	Expect(begun).To(BeNumerically("<", gap+time.Minute), "the user's session begins within the minute")
	sessions := w.Texts(pc, "mdm.session", "login")
	asDevice = sessions[len(sessions)-1] == "others"
	arrived := w.Policy(pc, w.SID(pc), "Start", "HideRecentJumplists") == "1"
	Expect(arrived).To(Equal(!asDevice), "what is targeted at the user arrives unless the session is the device's")
	return asDevice
}

// How long a stale token is in the way is our model of why Microsoft asks for
// 90 minutes between the two flows: see join.TokenFor.
var _ = Describe("the time between technician flow and user flow", Label("SR-29", "T01", "T26"), func() {
	pinned := spec.Timing(map[string]any{"entra.accessTokenLife": "90m"})

	It("keeps what is targeted at the user away at 89 minutes, with a token that lives for 90", func() {
		Expect(signInAfter(89*time.Minute, pinned)).To(BeTrue())
	})

	It("is over at 91 minutes, with a token that lives for 90", func() {
		Expect(signInAfter(91*time.Minute, pinned)).To(BeFalse())
	})

	It("moves with the life of tokens that the timing profile says", func() {
		longer := spec.Timing(map[string]any{"entra.accessTokenLife": "2h"})
		Expect(signInAfter(119*time.Minute, longer)).To(BeTrue())
		Expect(signInAfter(121*time.Minute, longer)).To(BeFalse())
	})

	// seen counts in how many of so many seeds the session was the device's, with
	// the documented random life of 60 to 90 minutes.
	seen := func(gap time.Duration, seeds int) int {
		n := 0
		for i := range seeds {
			if signInAfter(gap, spec.Variant(fmt.Sprint(i))) {
				n++
			}
		}
		return n
	}

	It("is too short in every seed at 59 minutes", func() { Expect(seen(59*time.Minute, 6)).To(Equal(6)) })

	It("is too short in some seeds at 75 minutes", func() {
		Expect(seen(75*time.Minute, 12)).To(And(BeNumerically(">", 0), BeNumerically("<", 12)))
	})

	It("is long enough in every seed at 91 minutes", func() { Expect(seen(91*time.Minute, 6)).To(BeZero()) })
})
