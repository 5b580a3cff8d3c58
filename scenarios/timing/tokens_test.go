package timing_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/enrollee"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/oauth"
)

// send brings messages of a bare client, without Windows, to a world's cloud.
func send(w *spec.World) enrollee.Send {
	byHost := map[string]http.Handler{}
	for _, h := range w.Entra.Hosts() {
		byHost[h.Name] = h.Handler
	}
	return enrollee.Handlers(byHost)
}

// join has a user join another device.
func join(w *spec.World, who spec.Person, name string) (*enrollee.Device, error) {
	GinkgoHelper()
	d := &enrollee.Device{Name: name, UPN: who.UPN, Password: who.Password}
	_, answer, err := send(w)(d.SignIn())
	Expect(err).NotTo(HaveOccurred())
	token, err := enrollee.AccessToken(answer)
	Expect(err).NotTo(HaveOccurred())
	m, err := d.Join(token)
	Expect(err).NotTo(HaveOccurred())
	status, answer, err := send(w)(m)
	Expect(err).NotTo(HaveOccurred())
	if status != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d: %s", status, answer)
	}
	return d, d.Joined(answer)
}

// signedIn is a device with its user's primary refresh token.
func signedIn(w *spec.World) *enrollee.Device {
	GinkgoHelper()
	d, err := join(w, w.User("alex"), "PC-1")
	Expect(err).NotTo(HaveOccurred())
	Expect(d.TakePRT(send(w))).To(Succeed())
	return d
}

var _ = Describe("a primary refresh token", Label("T27"), func() {
	// after asks for a token so long after the sign-in.
	after := func(age time.Duration, options ...spec.Option) error {
		GinkgoHelper()
		w := spec.NewWorld(options...)
		d := signedIn(w)
		w.WaitUntil(w.Clock.Now().Add(age))
		_, err := d.TokenByPRT(send(w), oauth.ResourceMDM, w.Clock.Now())
		return err
	}

	It("that is not renewed is good for 14 days, and not a minute longer", func() {
		Expect(after(14*day24 - time.Minute)).To(Succeed())
		Expect(after(14*day24 + time.Minute)).To(MatchError(ContainSubstring("AADSTS")))
	})

	It("has its life from the timing profile", func() {
		Expect(after(14*day24+time.Minute, spec.Timing(map[string]any{"entra.prtLife": "15d"}))).To(Succeed())
	})
})

var _ = Describe("a device's certificate of Entra ID", Label("T28"), func() {
	// end is when a certificate ends that is given now.
	end := func(d *enrollee.Device) time.Time {
		GinkgoHelper()
		cert, err := x509.ParseCertificate(d.Certificate)
		Expect(err).NotTo(HaveOccurred())
		return cert.NotAfter
	}

	It("is good for ten years", func() {
		w := spec.NewWorld()
		Expect(end(signedIn(w))).To(BeTemporally("~", w.Clock.Now().AddDate(10, 0, 0), time.Hour))
	})

	It("has its life from the timing profile, and proves the device no longer than that", func() {
		w := spec.NewWorld(spec.Timing(map[string]any{"entra.deviceCertificateLife": "2 years"}))
		begun := w.Clock.Now()
		d := signedIn(w)
		Expect(end(d)).To(BeTemporally("~", begun.AddDate(2, 0, 0), time.Hour))
		w.WaitUntil(end(d).Add(-time.Minute))
		Expect(d.TakePRT(send(w))).To(Succeed())
		w.WaitUntil(end(d).Add(time.Minute))
		Expect(d.TakePRT(send(w))).NotTo(Succeed())
	})
})

var _ = Describe("one user's devices", Label("T41"), func() {
	// joined is how many devices a user gets to join, of 60.
	joined := func(options ...spec.Option) (n int) {
		GinkgoHelper()
		w := spec.NewWorld(options...)
		for n < 60 {
			if _, err := join(w, w.User("alex"), fmt.Sprintf("PC-%d", n)); err != nil {
				return n
			}
			n++
		}
		return n
	}

	It("are 50 in Entra ID, and not 51", func() { Expect(joined()).To(Equal(50)) })

	It("are as many as the timing profile says", func() {
		Expect(joined(spec.Timing(map[string]any{"entra.devicesPerUser": 3}))).To(Equal(3))
	})
})
