package spec

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/ztd"
)

// chipModel is what is in a PC unless the spec says otherwise.
const chipModel = "infineon-slb9670"

// NewPC makes a PC as it leaves its maker, off, at the bench, not registered
// with anybody. Chips are numbered from 1 in each world: every world has its
// own copies of the same few.
func (w *World) NewPC(parts ...Part) *device.PC {
	GinkgoHelper()
	n := len(w.PCs) + 1
	m := making{make: device.Makes[0], chip: vtpm.ChipID{Model: chipModel, N: n}, installation: device.Installation{Build: "25H2", Edition: "Pro"}, place: "bench"}
	for _, p := range parts {
		p(&m)
	}
	var build scenario.Build
	Expect(build.UnmarshalText([]byte(m.installation.Build))).To(Succeed())
	m.installation.Build = string(build)
	name := fmt.Sprintf("PC-%d", n)
	hardware := m.make.Build(w.Seed.Stream("hardware", name))
	hardware.Virtual = m.virtual
	pc, err := w.AddPC(sim.Story{
		Name: name, Hardware: hardware, Installation: m.installation, Chip: m.chip, RTC: m.rtc,
		Home: m.place,
	})
	Expect(err).NotTo(HaveOccurred())
	w.made[pc] = m
	return pc
}

// NewRegisteredPC makes a PC and registers it.
func (w *World) NewRegisteredPC(parts ...Part) *device.PC {
	GinkgoHelper()
	pc := w.NewPC(parts...)
	w.Register(pc)
	return pc
}

// HashCSV exports PCs' hardware hashes as Get-WindowsAutopilotInfo does.
func (w *World) HashCSV(pcs ...*device.PC) []byte {
	GinkgoHelper()
	var rows []ztd.Row
	for _, pc := range pcs {
		row, err := pc.Row(w.Clock.Now())
		Expect(err).NotTo(HaveOccurred())
		row.GroupTag, row.AssignedUser = w.made[pc].tag, w.made[pc].user
		rows = append(rows, row)
	}
	var file bytes.Buffer
	Expect(ztd.WriteCSV(&file, rows)).To(Succeed())
	return file.Bytes()
}

// Register brings PCs into the tenant the normal way: their hashes are
// exported, imported and synchronised, and each gets its profile.
func (w *World) Register(pcs ...*device.PC) {
	GinkgoHelper()
	file := w.HashCSV(pcs...)
	w.Do(func(ctx context.Context) {
		Expect(w.admin.ImportCSV(ctx, file)).To(Succeed())
		Expect(w.admin.AwaitAssigned(ctx, len(pcs))).To(Succeed())
	})
}

// Person is an account of the tenant and its password.
type Person struct{ UPN, Password string }

// User finds an account of the tenant by the first part of its name: "alex".
func (w *World) User(name string) Person {
	GinkgoHelper()
	for _, u := range w.Tenant.AllUsers() {
		if local, _, _ := strings.Cut(u.UserPrincipalName, "@"); local == name {
			return Person{u.UserPrincipalName, u.Password}
		}
	}
	Fail("the tenant has no user " + name)
	return Person{}
}
