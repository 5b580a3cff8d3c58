package device

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/odj"
)

var joinBlob = odj.Win7{Domain: "corp.contoso.com", MachineName: "AP-1", MachinePassword: "first", AccountSID: "S-1-5-21-1-2-3-1104",
	DNSDomain:  odj.DomainInfo{Name: "CORP", DNS: "Corp.Contoso.com", Forest: "contoso.com", SID: "S-1-5-21-1-2-3", GUID: "0f2b62c4-6d52-4d7e-9e3c-5a8c35f0a1b2"},
	Controller: odj.ControllerInfo{Name: `\\dc1.corp.contoso.com`, ClientSite: "HQ"}}

// bare is a Windows with nothing but a disk.
func bare() *Windows {
	pc := &PC{Options: Options{Name: "PC-1", Clock: vclock.NewVirtual(vclock.Options{}), Journal: journal.New(vclock.NewVirtual(vclock.Options{}))}, Disk: newDisk(1 << 40)}
	pc.Hardware.Serial = "PC-0000001"
	return &Windows{PC: pc}
}

// cut runs f and takes back its last n writes, as if the power had gone before
// them. It tells whether there were so many.
func cut(w *Windows, n int, f func(w *Windows)) bool {
	view, undo := w.Recorded()
	f(view)
	if n > len(undo.steps) {
		return false
	}
	last := &Undo{steps: undo.steps[len(undo.steps)-n:]}
	last.Back()
	return true
}

// A power cut between any two writes leaves a PC that is no member, or is one
// after its next start; never half of one.
func TestDomainJoinSurvivesEveryPowerCut(t *testing.T) {
	stage := func(w *Windows) { _ = w.StageDomainJoin(joinBlob) }
	start := func(w *Windows) { w.joinStaged() }
	whole := func(g *gomega.WithT, w *Windows, password string) {
		m, ok := w.Domain()
		g.Expect(ok).To(gomega.BeTrue())
		g.Expect(m).To(gomega.Equal(Membership{Domain: "corp.contoso.com", NetBIOS: "CORP", Forest: "contoso.com", Computer: "AP-1", SID: "S-1-5-21-1-2-3-1104",
			DomainSID: "S-1-5-21-1-2-3", DomainGUID: "0f2b62c4-6d52-4d7e-9e3c-5a8c35f0a1b2", Site: "HQ", Controller: "dc1.corp.contoso.com", Password: password}))
		g.Expect(w.ComputerName()).To(gomega.Equal("AP-1"))
		g.Expect(w.Registry().Has(KeyDomainStaged)).To(gomega.BeFalse())
		g.Expect(w.Registry().HasValue(KeyLSASecrets, "NewVal")).To(gomega.BeFalse())
	}
	for n := 0; ; n++ {
		g, w := gomega.NewWithT(t), bare()
		if !cut(w, n, stage) {
			g.Expect(n).To(gomega.BeNumerically(">", 8))
			break
		}
		start(w)
		start(w)
		if n == 0 {
			whole(g, w, "first")
			continue
		}
		_, member := w.Domain()
		g.Expect(member).To(gomega.BeFalse(), "%d writes lost", n)
		g.Expect(w.Registry().Has(KeyLSASecrets) && w.Registry().HasValue(KeyLSASecrets, "NewVal")).To(gomega.BeFalse())
		stage(w)
		start(w)
		start(w)
		whole(g, w, "first")
	}
	for n := 0; ; n++ {
		g, w := gomega.NewWithT(t), bare()
		stage(w)
		if !cut(w, n, start) {
			g.Expect(n).To(gomega.BeNumerically(">", 8))
			break
		}
		start(w)
		start(w)
		whole(g, w, "first")
	}
}

// A second blob replaces the membership at the next start, and not before.
func TestSecondDomainJoin(t *testing.T) {
	g, w := gomega.NewWithT(t), bare()
	g.Expect(w.StageDomainJoin(odj.Win7{MachineName: "AP-1"})).NotTo(gomega.Succeed())
	g.Expect(w.StageDomainJoin(joinBlob)).To(gomega.Succeed())
	w.joinStaged()
	again := joinBlob
	again.MachineName, again.MachinePassword = "AP-2", "second"
	g.Expect(w.StageDomainJoin(again)).To(gomega.Succeed())
	m, _ := w.Domain()
	g.Expect([]string{m.Computer, m.Password, w.ComputerName()}).To(gomega.Equal([]string{"AP-1", "first", "AP-1"}))
	w.joinStaged()
	m, _ = w.Domain()
	g.Expect([]string{m.Computer, m.Password, w.ComputerName()}).To(gomega.Equal([]string{"AP-2", "second", "AP-2"}))
	w.Disk.Wipe(w.Hardware)
	_, ok := w.Domain()
	g.Expect(ok).To(gomega.BeFalse(), "a reset takes it away")
}
