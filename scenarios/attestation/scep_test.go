package attestation_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/csp"
	wire "windtunnel.test/sim/wire/scep"
)

// order writes down an enrolment as the ClientCertificateInstall CSP does when a
// server executes it, and lets Windows go on with it as after a restart.
func order(w *spec.World, win *device.Windows, challenge string, where csp.KeyLocation) {
	GinkgoHelper()
	id, r := "spec", win.Registry()
	key := `HKLM\SOFTWARE\Microsoft\SCEP\MS DM Server\` + device.DeviceSID + `\` + id
	for name, value := range map[string]string{
		csp.SCEPServerURL: "https://" + scep.Host(tenantOf(w).Domain) + wire.NDESPath, csp.SCEPChallenge: challenge, csp.SCEPSubjectName: "CN=" + win.Hardware.Serial,
		csp.SCEPAltNames: "3+pc.contoso.test", csp.SCEPEKUMapping: "1.3.6.1.5.5.7.3.2", csp.SCEPKeyUsage: "160", csp.SCEPProtection: csp.Int("", int(where)).Value, csp.SCEPRetryDelay: "1",
	} {
		r.SetString(key, name, value)
	}
	r.SetDWORD(key, csp.SCEPStatus, uint32(csp.SCEPPending))
	win.Service("spec", func(ctx context.Context) { mdm.Schedule(win)(ctx) })
	for state := csp.SCEPPending; state == csp.SCEPPending; {
		Expect(win.Sleep(10*time.Second, "the certificate")).To(Succeed())
		n, _ := r.DWORD(key, csp.SCEPStatus)
		state = csp.SCEPState(n)
	}
}

var _ = Describe("a certificate by SCEP", func() {
	It("gets a device its certificate over SCEP", func() {
		w := spec.NewWorld()
		for _, where := range []csp.KeyLocation{csp.KeyInTPM, csp.KeyInSoftware} {
			pc := w.NewPC()
			w.Boot(pc, func(win *device.Windows) {
				tenant := w.Intune.Tenant()
				challenge, err := w.Intune.SCEP().NewChallenge(win.Ctx, tenant, scep.Challenge{Subject: pc.Hardware.Serial, Names: []string{"pc.contoso.test"}})
				Expect(err).NotTo(HaveOccurred())
				order(w, win, challenge, where)
				held, there := win.Disk.Certs.Find(device.StoreMySystem, "spec")
				Expect(there).To(BeTrue())
				cert, err := held.Parse()
				Expect(err).NotTo(HaveOccurred())
				Expect(cert.Subject.CommonName).To(Equal(pc.Hardware.Serial))
				Expect(cert.DNSNames).To(Equal([]string{"pc.contoso.test"}))
			})
		}
	})

	It("has no certificate for who shows a wrong challenge", func() {
		w := spec.NewWorld()
		pc := w.NewPC()
		w.Boot(pc, func(win *device.Windows) {
			order(w, win, "guessed", csp.KeyInTPM)
			_, there := win.Disk.Certs.Find(device.StoreMySystem, "spec")
			Expect(there).To(BeFalse())
		})
		Expect(w.Texts(pc, "scep.finished", "status")).To(Equal([]string{"failed"}))
	})
})
