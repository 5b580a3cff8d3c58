package power_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
)

// enrollmentOf is the registry key of a PC's MDM enrolment.
func enrollmentOf(d *device.Disk) string {
	return device.KeyEnrollments + `\` + d.Registry.String(device.KeyEnrollments, "Current")
}

// first is the first key below a key.
func first(d *device.Disk, key string) string {
	GinkgoHelper()
	keys := d.Registry.Subkeys(key)
	Expect(keys).NotTo(BeEmpty(), key)
	return key + `\` + keys[0]
}

const sidecar = device.KeyTracking + `\Device\Setup\Apps\Tracking\Sidecar`

// What the walk relies on: that a state in which Windows cannot be is seen.
var _ = Describe("a state in which Windows cannot be is told apart:", func() {
	var w *spec.World
	var pc *device.PC

	resealed := func() {
		w = spec.NewWorld(rich...)
		pc = w.NewRegisteredPC(spec.For("alex@contoso.com"))
		w.Provision(pc)
		Expect(w.Impossible(pc)).To(BeEmpty())
	}
	unpacked := func() {
		resealed()
		w.Ship(pc, shelf)
		w.Unpack(pc, w.User("alex"))
		Expect(w.Impossible(pc)).To(BeEmpty())
	}
	seen := func(until func(), spoil func(d *device.Disk), text string) {
		GinkgoHelper()
		until()
		spoil(pc.Disk)
		Expect(w.Impossible(pc)).To(ContainElement(ContainSubstring(text)))
	}

	DescribeTable("of a PC that is resealed,", func(spoil func(d *device.Disk), text string) { seen(resealed, spoil, text) },
		Entry("not enrolled", func(d *device.Disk) { d.Registry.Delete(device.KeyEnrollments, "Current") }, "resealed but not enrolled"),
		Entry("enrolled without a certificate", func(d *device.Disk) { d.Certs.Delete(device.StoreMySystem, "mdm") }, "without an MDM certificate"),
		Entry("enrolled without the key", func(d *device.Disk) { d.Keys.Delete("mdm") }, "without its key"),
		Entry("enrolled with another key", func(d *device.Disk) { d.Keys.Put("mdm", d.Keys.Get("mdm")[4:]) }, "about another key"),
		Entry("enrolled without an account", func(d *device.Disk) { d.Registry.Delete(enrollmentOf(d), "EntDMID") }, "without an account"),
		Entry("enrolled twice", func(d *device.Disk) { d.Registry.SetString(device.KeyEnrollments+`\{2}`, "ProviderID", "MS DM Server") }, "2 MDM enrolments"),
		Entry("with a cached profile", func(d *device.Disk) { d.Files.Write(device.FileProfile, []byte("{}")) }, "cached profile"),
		Entry("with the technician's start", func(d *device.Disk) { d.Registry.SetString(device.KeyOOBE, "WhiteGloveStart", "x") }, "WhiteGloveStart"),
		Entry("with its first sync done", func(d *device.Disk) { d.Registry.SetDWORD(enrollmentOf(d)+`\FirstSync`, "IsSyncDone", 1) }, "resealed with IsSyncDone"),
		Entry("with tracking policies", func(d *device.Disk) { d.Registry.SetDWORD(sidecar+`\Win32App_a_1`, "InstallationState", 1) }, "tracking policies"),
		Entry("in a technician flow without a beginning", func(d *device.Disk) { d.Registry.SetString(device.KeyOOBE, "Stage", "technician") }, "which nobody began"),
		Entry("joined by the registry alone", func(d *device.Disk) { d.Registry.SetString(device.KeyJoinInfo+`\ab`, "DeviceId", "x") }, "without a device certificate"),
		Entry("an MSI enforced and not there", func(d *device.Disk) { d.Registry.DeleteTree(device.KeyUninstall + `\Viewer`) }, "status 70"),
		Entry("wlidsvc disabled by nobody", func(d *device.Disk) {
			d.Registry.SetDWORD(device.KeyServices+`\`+device.ServiceWLID, "Start", device.StartDisabled)
		}, "wlidsvc"),
		Entry("the agent's service without the agent", func(d *device.Disk) {
			for _, p := range d.Registry.Subkeys(device.KeyUninstall) {
				if strings.Contains(p, "Management Extension") {
					d.Registry.DeleteTree(device.KeyUninstall + `\` + p)
				}
			}
		}, "without the management extension"),
	)

	DescribeTable("of a PC at its user's desktop,", func(spoil func(d *device.Disk), text string) { seen(unpacked, spoil, text) },
		Entry("joined without a certificate", func(d *device.Disk) { d.Certs.Delete(device.StoreMySystem, "entra-device") }, "joined without a device certificate"),
		Entry("joined without the key", func(d *device.Disk) { d.Keys.Delete("entra-device") }, "without its key"),
		Entry("joined with another key", func(d *device.Disk) { d.Keys.Put("entra-device", d.Keys.Get("mdm")) }, "about another key"),
		Entry("joined without a transport key", func(d *device.Disk) { d.Keys.Delete("entra-transport") }, "transport key"),
		Entry("a certificate without a join", func(d *device.Disk) { d.Registry.DeleteTree(device.KeyJoinInfo) }, "without a join"),
		Entry("not enrolled", func(d *device.Disk) { d.Registry.Delete(device.KeyEnrollments, "Current") }, "not enrolled"),
		Entry("nobody's", func(d *device.Disk) { d.Registry.Delete(device.KeyOOBE, "UserSID") }, "without a user"),
		Entry("without a refresh token", func(d *device.Disk) { d.Registry.DeleteTree(device.KeyIdentityStore + `\PRT`) }, "refresh token"),
		Entry("a tracked app completed and not there", func(d *device.Disk) { d.Registry.DeleteTree(device.KeyUninstall + `\Suite`) }, "completed and not installed"),
		Entry("an app pending and the first sync done", func(d *device.Disk) { d.Registry.SetDWORD(first(d, sidecar), "InstallationState", 2) }, "is in state 2"),
		Entry("a policy pending and the first sync done", func(d *device.Disk) {
			d.Registry.SetDWORD(device.KeyESPInfo+`\ExpectedPolicies\x`, "./Device/Vendor/MSFT/Policy/Config/A/B", 0)
		}, "is pending"),
		Entry("a policy processed and not in force", func(d *device.Disk) {
			d.Registry.SetDWORD(device.KeyESPInfo+`\ExpectedPolicies\x`, "./Device/Vendor/MSFT/Policy/Config/A/B", 1)
		}, "not in force"),
		Entry("a certificate processed and not there", func(d *device.Disk) {
			for _, c := range d.Certs.All(device.StoreMySystem) {
				if c.Name != "mdm" && c.Name != "ime" && c.Name != "entra-device" {
					d.Certs.Delete(c.Store, c.Name)
				}
			}
		}, "its certificate is not there"),
		Entry("the server not finished and the first sync done", func(d *device.Disk) {
			d.Registry.SetDWORD(enrollmentOf(d)+`\FirstSync`, "ServerHasFinishedProvisioning", 0)
		}, "has not finished"),
	)
})
