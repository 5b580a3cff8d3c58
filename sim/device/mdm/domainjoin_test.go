package mdm_test

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/odj"
	"windtunnel.test/sim/wire/syncml"
)

// A blob is written down, and in force from the next start of Windows; what is
// none is refused and changes nothing.
func TestOfflineDomainJoin(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	join := odj.Win7{Domain: "corp.contoso.com", MachineName: "AP-4F7K2", MachinePassword: "not for the journal", AccountSID: "S-1-5-21-1-2-3-1104",
		DNSDomain:  odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com", Forest: "corp.contoso.com", SID: "S-1-5-21-1-2-3"},
		Controller: odj.ControllerInfo{Name: `\\DC1.corp.contoso.com`, ClientSite: "HQ"}}
	blob, err := odj.Encode(join)
	r.Expect(err).NotTo(gomega.HaveOccurred())
	send := func(value string) syncml.Command { return syncml.NewExec(csp.ODJBlob, syncml.B64, value) }
	boots := 0
	pc := r.PC(1, func(w *device.Windows) error {
		boots++
		m, member := w.Domain()
		if boots == 1 {
			r.Enrol(w, address)
			mdm.SetODJState(w, device.ODJWaiting)
			r.Expect(s.codes(w, deviceSession, send("!"), send("AAAA"), send(odj.Text(blob[:80])), replace(csp.ODJBlob, odj.Text(blob)), syncml.NewGet(csp.ODJBlob))).
				To(gomega.Equal([]int{400, 500, 500, 405, 405}))
			r.Expect(mdm.ODJState(w)).To(gomega.Equal(device.ODJWaiting))
			_, staged := w.DomainStaged()
			r.Expect(staged).To(gomega.BeFalse())
			r.Expect(s.codes(w, deviceSession, send(odj.Text(blob)), send(odj.Text(blob)))).To(gomega.Equal([]int{200, 200}))
			r.Expect(mdm.ODJState(w)).To(gomega.Equal(device.ODJProcessed))
			r.Expect(w.Registry().Has(device.KeyODJApplied)).To(gomega.BeTrue())
			_, now := w.Domain()
			r.Expect(member || now).To(gomega.BeFalse(), "before the restart")
			return device.ErrReboot
		}
		r.Expect(member).To(gomega.BeTrue())
		r.Expect(m).To(gomega.Equal(device.Membership{Domain: "corp.contoso.com", NetBIOS: "CORP", Forest: "corp.contoso.com", Computer: "AP-4F7K2",
			SID: "S-1-5-21-1-2-3-1104", DomainSID: "S-1-5-21-1-2-3", Site: "HQ", Controller: "dc1.corp.contoso.com", Password: "not for the journal"}))
		r.Expect(w.ComputerName()).To(gomega.Equal("AP-4F7K2"))
		return device.ErrShutdown
	})
	r.Boot(pc)
	r.Expect(boots).To(gomega.Equal(2))
	for _, id := range []string{"id=107", "id=110", "id=111"} {
		r.Expect(r.Logged("eventlog", id)).NotTo(gomega.BeEmpty(), id)
	}
	for _, e := range r.Memory.Timeline("PC-1") {
		r.Expect(e.String()).NotTo(gomega.ContainSubstring(join.MachinePassword))
	}
}
