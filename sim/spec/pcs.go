package spec

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/ztd"
)

// chipModel is what is in a PC unless the spec says otherwise.
const chipModel = "infineon-slb9670"

// Windows on a PC unless the spec says otherwise: the release as its makers install
// it and, for a domain, that with the updates since: the first build of 25H2 does
// not hear that a domain join was applied (known issue H23).
const (
	usualBuild  = "25H2"
	domainBuild = "26200.8200"
)

// NewPC makes a PC as it leaves its maker, off, at the bench, not registered
// with anybody. Chips are numbered from 1 in each world: every world has its
// own copies of the same few.
func (w *World) NewPC(parts ...Part) *device.PC {
	ginkgo.GinkgoHelper()
	n := len(w.PCs) + 1
	m := making{make: device.Makes[0], chip: vtpm.ChipID{Model: chipModel, N: n}, installation: device.Installation{Build: usualBuild, Edition: "Pro"}, place: "bench"}
	if w.scenario.Domain != nil {
		m.installation.Build = domainBuild
	}
	for _, p := range parts {
		p(&m)
	}
	var build scenario.Build
	gomega.Expect(build.UnmarshalText([]byte(m.installation.Build))).To(gomega.Succeed())
	m.installation.Build = string(build)
	name := fmt.Sprintf("PC-%d", n)
	pc, err := w.AddPC(sim.Story{
		Name: name, Hardware: m.make.Build(w.Seed.Stream("hardware", name)), Installation: m.installation, Protection: m.protection, Chip: m.chip, TPMState: m.state, RTC: m.rtc,
		Home: m.place,
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	w.made[pc] = m
	return pc
}

// NewRegisteredPC makes a PC and registers it.
func (w *World) NewRegisteredPC(parts ...Part) *device.PC {
	ginkgo.GinkgoHelper()
	pc := w.NewPC(parts...)
	w.Register(pc)
	return pc
}

// HashCSV exports PCs' hardware hashes as Get-WindowsAutopilotInfo does.
func (w *World) HashCSV(pcs ...*device.PC) []byte {
	ginkgo.GinkgoHelper()
	var rows []ztd.Row
	for _, pc := range pcs {
		row, err := pc.Row(w.Clock.Now())
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		row.AssignedUser = w.made[pc].user
		rows = append(rows, row)
	}
	var file bytes.Buffer
	gomega.Expect(ztd.WriteCSV(&file, rows)).To(gomega.Succeed())
	return file.Bytes()
}

// Register brings PCs into the tenant the normal way: their hashes are
// exported, imported and synchronised, and each gets its profile.
func (w *World) Register(pcs ...*device.PC) {
	ginkgo.GinkgoHelper()
	file := w.HashCSV(pcs...)
	for _, pc := range pcs {
		w.registered[pc] = true
	}
	gomega.Expect(w.try(func(ctx context.Context) error {
		if err := w.admin.ImportCSV(ctx, file); err != nil {
			return err
		}
		return w.admin.AwaitAssigned(ctx, len(w.registered))
	})).To(gomega.Succeed())
}

// User finds whose account of the tenant begins with a name: "alex".
func (w *World) User(name string) Person {
	ginkgo.GinkgoHelper()
	for _, u := range w.Tenant.AllUsers() {
		if local, _, _ := strings.Cut(u.UserPrincipalName, "@"); local == name {
			return Person{u.UserPrincipalName, u.Password, w}
		}
	}
	ginkgo.Fail("the tenant has no user " + name)
	return Person{}
}

// Boot starts a PC with a program in Windows' place and waits until it is off
// again. The program may use all that Windows has: disk, TPM, network, and
// Windows' own honest parts.
func (w *World) Boot(pc *device.PC, program func(win *device.Windows)) {
	ginkgo.GinkgoHelper()
	honest := pc.Program
	pc.Program = func(win *device.Windows) error {
		program(win)
		return device.ErrShutdown
	}
	w.Do(func(ctx context.Context) {
		gomega.Expect(pc.PowerOn(ctx)).To(gomega.Succeed())
		gomega.Expect(pc.AwaitOff(ctx)).To(gomega.Succeed())
	})
	pc.Program = honest
}
