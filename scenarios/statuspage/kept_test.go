package statuspage_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
)

// issued counts the certificates that a PC was issued to Item.
func issued(w *spec.World, pc *device.PC) (n int) {
	for _, subject := range w.Texts(pc, "certificate.installed", "subject") {
		if subject == "CN=Item" {
			n++
		}
	}
	return n
}

var _ = Describe("what Reseal leaves on the PC", func() {
	It("is not issued again: the user flow's page finds the technician's certificate there", func() {
		r := row{item: scepProfile("machine"), to: thePC}
		w := spec.NewWorld(r.options(true)...)
		pc := r.pc(w)
		w.Provision(pc)
		Expect(issued(w, pc)).To(Equal(1))
		w.Ship(pc, shelf)
		w.Unpack(pc, w.User("alex"))
		Expect(issued(w, pc)).To(Equal(1))
		Expect(r.waited(pc, "")).To(BeTrue(), "the page counts it all the same")
	})

	It("is issued again where it was taken away", func() {
		r := row{item: scepProfile("machine"), to: thePC}
		w := spec.NewWorld(r.options(true)...)
		pc := r.pc(w)
		w.Provision(pc)
		for _, key := range pc.Disk.Registry.Subkeys(scepEnrolments) {
			pc.Disk.Registry.DeleteTree(scepEnrolments + `\` + key)
		}
		w.Ship(pc, shelf)
		w.Unpack(pc, w.User("alex"))
		Expect(issued(w, pc)).To(Equal(2))
		Expect(strings.Count(pc.Screen().String(), "failed")).To(BeZero())
	})
})

// scepEnrolments is where Windows keeps what it knows of SCEP certificates.
const scepEnrolments = `HKLM\SOFTWARE\Microsoft\SCEP\MS DM Server`
