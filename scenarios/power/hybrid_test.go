package power_test

import (
	"errors"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
)

// domainPC is a PC that will be a domain's, of a build that hears of its join.
func domainPC(w *spec.World) *device.PC {
	GinkgoHelper()
	return w.NewRegisteredPC(spec.Build("26100.7171"), spec.For("alex@contoso.com"))
}

// domainLife is both flows of a domain's PC whose power is cut once: at a bench
// without a controller, and in the office.
func domainLife(w *spec.World) (cut string, err error) {
	pc := domainPC(w)
	if err = technicianFlow(w, pc); err == nil {
		err = possible(w, pc)
	}
	if err == nil {
		w.ShipTo(pc, "office", shelf)
		err = w.TryUnpack(pc, w.User("alex"))
	}
	if err == nil {
		w.Wait(settling)
		err = reached(pc)
	}
	return place(w, pc), errors.Join(end(w, pc, err), possible(w, pc), oneComputer(w))
}

// reached is an error of all that a domain's PC lacks at its user's desktop.
func reached(pc *device.PC) (err error) {
	if _, member := pc.Domain(); !member {
		err = errors.Join(err, errors.New("at the desktop and no member of the domain"))
	}
	if len(pc.Disk.Registry.Subkeys(device.KeyJoinInfo)) == 0 {
		err = errors.Join(err, errors.New("at the desktop and not registered with Entra ID"))
	}
	if pc.Disk.Registry.String(device.KeyIdentityStore+`\PRT`, "Token") == "" {
		err = errors.Join(err, errors.New("at the desktop without a primary refresh token"))
	}
	return err
}

// oneComputer is an error where the one PC of a world is more than one computer
// of its domain.
func oneComputer(w *spec.World) error {
	var names []string
	w.InDomain(func(a *sim.DomainAdministrator) error {
		all, err := a.Computers("cn")
		for _, e := range all {
			names = append(names, e.Text("cn"))
		}
		return err
	})
	if len(names) > 1 {
		return fmt.Errorf("one PC is the computers %s", strings.Join(names, ", "))
	}
	return nil
}

// domainLengths are the numbers of events of both flows where nothing is cut.
func domainLengths() (technician, both int) {
	GinkgoHelper()
	w := spec.NewWorld(spec.Hybrid())
	pc := domainPC(w)
	Expect(technicianFlow(w, pc)).To(Succeed())
	Expect(possible(w, pc)).To(Succeed())
	technician = happened(pc)
	w.ShipTo(pc, "office", shelf)
	w.Unpack(pc, w.User("alex"))
	both = happened(pc)
	w.Wait(settling)
	Expect(reached(pc)).To(Succeed())
	Expect(possible(w, pc)).To(Succeed())
	return technician, both
}

var _ = Describe("a domain's PC whose power is cut once, and that is switched on again,", func() {
	It("ends as Windows can end, as one computer of the domain, at whichever event of its technician flow that was", func() {
		technician, _ := domainLengths()
		walk(1, technician, []spec.Option{spec.Hybrid()}, domainLife)
	})

	It("ends as Windows can end, as one computer of the domain, at whichever event of its user flow that was", func() {
		technician, both := domainLengths()
		walk(technician+1, both, []spec.Option{spec.Hybrid()}, domainLife)
	})
})

// What the walk relies on: that a state in which Windows cannot be is seen.
var _ = Describe("a state in which a domain's PC cannot be is told apart:", func() {
	var w *spec.World
	var pc *device.PC

	resealed := func() {
		w = spec.NewWorld(spec.Hybrid())
		pc = domainPC(w)
		w.Provision(pc)
		Expect(w.Impossible(pc)).To(BeEmpty())
	}
	unpacked := func() {
		resealed()
		w.ShipTo(pc, "office", shelf)
		w.Unpack(pc, w.User("alex"))
		Expect(w.Impossible(pc)).To(BeEmpty())
	}
	seen := func(until func(), spoil func(d *device.Disk), text string) {
		GinkgoHelper()
		until()
		spoil(pc.Disk)
		Expect(w.Impossible(pc)).To(ContainElement(ContainSubstring(text)))
	}
	deleted := func(*device.Disk) {
		w.InDomain(func(a *sim.DomainAdministrator) error { return a.DeleteComputer(pc) })
	}

	DescribeTable("of a PC that is resealed,", func(spoil func(d *device.Disk), text string) { seen(resealed, spoil, text) },
		Entry("without its blob", func(d *device.Disk) { d.Registry.SetDWORD(device.KeyODJ, "State", uint32(device.ODJWaiting)) }, "without its offline domain join"),
		Entry("without what the blob brought", func(d *device.Disk) { d.Registry.DeleteTree(device.KeyDomainStaged) }, "and no membership"),
		Entry("without the machine's password", func(d *device.Disk) { d.Registry.Delete(device.KeyLSASecrets, "NewVal") }, "waits for a start, without"),
		Entry("joined to Entra ID", func(d *device.Disk) { d.Registry.SetString(device.KeyJoinInfo+`\ab`, "DeviceId", "x") }, "resealed for a domain and joined"),
		Entry("with a computer object that nobody knows", func(d *device.Disk) { d.Registry.SetString(device.KeyDomainStaged, "Computer", "OTHER") }, "0 computer objects"),
		Entry("without a computer object", deleted, "0 computer objects"),
	)

	DescribeTable("of a PC at its user's desktop,", func(spoil func(d *device.Disk), text string) { seen(unpacked, spoil, text) },
		Entry("of no domain", func(d *device.Disk) { d.Registry.DeleteTree(device.KeyDomain) }, "no member"),
		Entry("without the machine's password", func(d *device.Disk) { d.Registry.Delete(device.KeyLSASecrets, "CurrVal") }, "member of a domain without"),
		Entry("by another name", func(d *device.Disk) { d.Registry.SetString(device.KeyOOBE, "ComputerName", "DESKTOP-1") }, "DESKTOP-1 is a member"),
		Entry("registered as another computer", func(d *device.Disk) {
			d.Registry.SetString(first(d, device.KeyJoinInfo), "DeviceId", "6f1d0000-0000-4000-8000-000000000000")
		}, "and its computer object is"),
		Entry("registered, and unknown to Entra ID", func(*device.Disk) {
			for _, d := range w.EntraDevices() {
				if d.TrustType == "ServerAd" {
					w.Graph("DELETE", "/v1.0/devices/"+d.ID, nil, nil)
				}
			}
		}, "which has 0 devices"),
	)
})
