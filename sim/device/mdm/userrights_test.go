package mdm_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/odj"
)

// Accounts of a domain that a PC is joining are asked of a controller; without
// one the policy fails, and with it what waits for it.
func TestUserRights(t *testing.T) {
	r := rig.New(t)
	forest, err := fakead.New(fakead.Options{Clock: r.Clock, Journal: journal.New(r.Clock, r.Memory), Timing: r.Timing, Seed: rig.Seed, Domain: "corp.contoso.com",
		NetBIOS: "CORP", Controllers: []fakead.Controller{{Name: "dc1"}}, Since: rig.Start.AddDate(-1, 0, 0)})
	r.OK(err)
	r.OK(forest.Attach(r.Net))
	office, err := r.Net.AddSite(vnet.SiteConfig{Name: "office", Wired: true, Latency: time.Millisecond, SeesDC: true})
	r.OK(err)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		node := config("UserRights", "DenyLocalLogOn")
		result := func() int {
			v, _ := w.Registry().DWORD(device.KeyESPInfo+`\Processed`, node)
			return int(v)
		}
		set := func(accounts ...string) []int {
			return s.codes(w, deviceSession, replace(node, csp.JoinList(accounts)))
		}
		r.Expect(set("CORP\\Contractors")).To(gomega.Equal([]int{200}), "of no domain of its own")
		r.OK(w.StageDomainJoin(odj.Win7{Domain: "corp.contoso.com", MachineName: "PC-1",
			DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com", SID: "S-1-5-21-1-2-3"}}))
		r.Expect(set("*S-1-5-32-546", "NT AUTHORITY\\Local account")).To(gomega.Equal([]int{200}))
		for _, account := range []string{"CORP\\Contractors", "corp.contoso.com\\Contractors", "*S-1-5-21-1-2-3-1104"} {
			r.Expect(set("*S-1-5-32-546", account)).To(gomega.Equal([]int{500}), account)
			r.Expect(result()).To(gomega.BeEquivalentTo(hresult.TrustedRelationship))
		}
		w.NIC.Move(office)
		w.NIC.Up()
		r.Expect(set("CORP\\Contractors")).To(gomega.Equal([]int{200}))
		r.Expect(result()).To(gomega.Equal(1))
	})
	r.Expect(r.Logged("eventlog", "0x800706FD")).To(gomega.HaveLen(3))
}
