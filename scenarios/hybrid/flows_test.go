package hybrid_test

import (
	"crypto/x509"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/ldap"
)

// screens are those that a PC showed since it was powered on so many times ago,
// without the firmware's and those that nobody touched for a while.
func screens(w *spec.World, pc *device.PC, starts int) []string {
	var list [][]string
	for _, e := range w.Events(pc, "device.power.on", "screen.shown") {
		switch {
		case e.Kind == "device.power.on":
			list = append(list, nil)
		case e.Text("screen") != "firmware" && e.Text("screen") != oobe.ScreenLock:
			list[len(list)-1] = append(list[len(list)-1], e.Text("screen"))
		}
	}
	return slices.Compact(slices.Concat(list[max(0, len(list)-starts):]...))
}

// newPC registers a PC with a build of Windows that joins domains as it should:
// older ones miss that they have joined (KB5065426).
func newPC(w *spec.World, parts ...spec.Part) *device.PC {
	GinkgoHelper()
	return w.NewRegisteredPC(append([]spec.Part{spec.Build("26100.7171")}, parts...)...)
}

// toOffice hands a pre-provisioned PC to alex in the office.
func toOffice(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	w.ShipTo(pc, "office", 2*day)
	w.Unpack(pc, w.User("alex"))
}

var _ = inEachHome("a PC of the domain", func(newWorld maker) {
	It("is pre-provisioned without the domain in reach and without a restart, and joins it in the office", Label("SR-02", "SR-10"), func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		staged, ok := pc.DomainStaged()
		Expect(ok).To(BeTrue())
		Expect(staged.Domain).To(Equal(domainName))
		_, member := pc.Domain()
		Expect(member).To(BeFalse(), "from the next start on")
		order := w.Order(pc, "device.domain.staged", "device.power.on", "device.reboot", "device.resealed", "domain.controller", "device.domain.joined")
		Expect(order[slices.Index(order, "device.domain.staged"):]).To(Equal([]string{"device.domain.staged", "device.resealed"}))

		toOffice(w, pc)
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenDesktop))
		m, member := pc.Domain()
		Expect(member).To(BeTrue())
		Expect(m.Computer).To(Equal(staged.Computer))
		Expect(w.Products(pc)).To(ContainElements("Agent", "Notes"))
	})

	It("asks its user for the domain's credentials, and for Entra's within the session, not before", Label("SR-32"), func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", 2*day)
		w.Unpack(pc, w.User("alex"))
		Expect(screens(w, pc, 2)).To(Equal([]string{
			oobe.ScreenLanguage, oobe.ScreenDomain, // then the restart
			oobe.ScreenESP, oobe.ScreenLogon, oobe.ScreenESP, oobe.ScreenWorkAccount, oobe.ScreenESP, oobe.ScreenSignOut, oobe.ScreenLogon, oobe.ScreenDesktop,
		}))
		Expect(w.Texts(pc, "logon.kerberos", "controller")).To(ContainElement("dc1." + domainName))
	})

	It("is set up by its user alone, who signs in to Entra ID first", Label("SR-32"), func() {
		w := newWorld()
		pc := newPC(w, spec.At("office"))
		w.Unpack(pc, w.User("alex"))
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenDesktop))
		_, member := pc.Domain()
		Expect(member).To(BeTrue())
		shown := screens(w, pc, 2)
		Expect(shown[:3]).To(Equal([]string{oobe.ScreenLanguage, oobe.ScreenSignIn, oobe.ScreenDomain}))
	})

	It("is one object in the domain and one of its own in Entra ID, with the same id", Label("SR-19"), func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		before, ok := w.Computer(pc)
		Expect(ok).To(BeTrue(), "the connector made it")
		Expect(before.DN).To(HaveSuffix(unit))
		Expect(before.Bytes("userCertificate")).To(BeNil())
		Expect(joinedObjects(w)).To(BeEmpty())

		toOffice(w, pc)
		e, ok := w.Computer(pc)
		Expect(ok).To(BeTrue())
		Expect(e.Text("dNSHostName")).To(HaveSuffix("." + domainName))
		id, err := ldap.GUIDFromBytes(e.Bytes("objectGUID"))
		Expect(err).NotTo(HaveOccurred())
		own, err := x509.ParseCertificate(e.Bytes("userCertificate"))
		Expect(err).NotTo(HaveOccurred())
		Expect(own.Subject.CommonName).To(Equal(id.String()))
		Expect(joinedObjects(w)).To(ConsistOf(id.String()))
		Expect(w.EntraDevices()).To(HaveLen(2), "and the one of the registration with Autopilot")
	})
})

// joinedObjects are the ids of Entra ID's devices that came from the domain.
func joinedObjects(w *spec.World) (ids []string) {
	GinkgoHelper()
	for _, d := range w.EntraDevices() {
		if d.TrustType == "ServerAd" {
			ids = append(ids, d.DeviceID)
		}
	}
	return ids
}
