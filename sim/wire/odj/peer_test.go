package odj_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/odj"
)

// TestSambasBlob reads what Samba's "net offlinejoin provision" wrote for a
// computer of a Samba domain, and writes the same again.
func TestSambasBlob(t *testing.T) {
	g := gomega.NewWithT(t)
	file, err := os.ReadFile("testdata/samba-4.17.12.txt")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	blob, err := odj.ParseFile(file)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	w, err := odj.Decode(blob)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(utf16.Encode([]rune(w.MachinePassword))).To(gomega.HaveLen(120))
	password := w.MachinePassword
	w.MachinePassword = ""
	g.Expect(w).To(gomega.Equal(odj.Win7{
		Domain: "corp.contoso.test", MachineName: "AP-SAMBA1",
		DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.test", Forest: "corp.contoso.test",
			GUID: "a3a52a09-ad60-4500-b9ed-25aa2e008b84", SID: "S-1-5-21-2826967539-764261485-2308681020"},
		Controller: odj.ControllerInfo{Name: `\\dc1.corp.contoso.test`, Address: `\\127.0.0.1`, AddressType: odj.AddressInet,
			DomainGUID: "a3a52a09-ad60-4500-b9ed-25aa2e008b84", Domain: "corp.contoso.test", Forest: "corp.contoso.test",
			Flags: 0xe00013fd, Site: "Default-First-Site-Name", ClientSite: "Default-First-Site-Name"},
		Options: odj.OptionsDefault, AccountSID: "S-1-5-21-2826967539-764261485-2308681020-1103",
	}))
	w.MachinePassword = password
	again, err := odj.Encode(w)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.HaveLen(len(blob)))
	for at := 0; at < len(blob); at += 4 {
		ours, theirs := binary.LittleEndian.Uint32(again[at:]), binary.LittleEndian.Uint32(blob[at:])
		if ours != theirs { // pointers are numbered as the writer likes
			g.Expect(ours>>16).To(gomega.BeEquivalentTo(2), "at %#x", at)
			g.Expect(theirs).To(gomega.Or(gomega.BeEquivalentTo(0xffffffff), gomega.BeNumerically("~", 0x20000, 0x100)), "at %#x", at)
		}
	}
}

// TestSambaReadsOurs has Samba's "net offlinejoin requestodj" print our blob field by
// field.
func TestSambaReadsOurs(t *testing.T) {
	g := gomega.NewWithT(t)
	blob, err := odj.Encode(sample())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	dir := t.TempDir()
	file, conf := filepath.Join(dir, "blob.txt"), filepath.Join(dir, "smb.conf")
	g.Expect(os.WriteFile(file, odj.File(blob), 0o600)).To(gomega.Succeed())
	g.Expect(os.WriteFile(conf, []byte("[global]\n workgroup = CORP\n realm = CORP.CONTOSO.COM\n security = ads\n netbios name = "+sample().MachineName+"\n"+
		" private dir = "+dir+"\n lock directory = "+dir+"\n state directory = "+dir+"\n cache directory = "+dir+"\n"), 0o600)).To(gomega.Succeed())
	out, err := exec.Command("net", "-s", conf, "offlinejoin", "requestodj", "loadfile="+file, "-d10").CombinedOutput()
	g.Expect(err).NotTo(gomega.HaveOccurred(), string(out))

	fields := printed(string(out))
	w := sample()
	for name, want := range map[string]string{
		"ulVersion": "0x00000001 (1)", "ulcBlobs": "0x00000002 (2)", "lpDomain": quote(w.Domain), "lpMachineName": quote(w.MachineName),
		"DomainGuid": w.DNSDomain.GUID, "Sid": w.DNSDomain.SID, "dc_unc": quote(w.Controller.Name), "dc_address": quote(w.Controller.Address),
		"dc_address_type": "DS_ADDRESS_TYPE_INET (1)", "domain_guid": w.Controller.DomainGUID, "domain_name": quote(w.Controller.Domain),
		"forest_name": quote(w.Controller.Forest), "dc_site_name": quote(w.Controller.Site), "client_site_name": quote(w.Controller.ClientSite),
		"Options": "0x00000006 (6)", "EncryptionType": "00000000-0000-0000-0000-000000000000", "cParts": "0x00000002 (2)",
		"Rid": "0x00000450 (1104)", "lpSid": quote(w.AccountSID),
	} {
		g.Expect(fields[name]).To(gomega.ContainElement(want), "%s in\n%s", name, out)
	}
	g.Expect(fields["string"]).To(gomega.ContainElements(quote(w.DNSDomain.Name), quote(w.DNSDomain.DNS), quote(w.DNSDomain.Forest)))
	g.Expect(fields["PartType"]).To(gomega.Equal([]string{odj.PartJoin, odj.PartJoin3}))
	g.Expect(fields["ulODJFormat"]).To(gomega.Equal([]string{"ODJ_WIN7_FORMAT (1)", "ODJ_WIN8_FORMAT (2)"}))
	g.Expect(string(out)).To(gomega.ContainSubstring("Successfully requested Offline Domain Join"))
}

// printed are the values of an NDR tree that Samba prints, in its order.
func printed(tree string) map[string][]string {
	out := map[string][]string{}
	_, tree, _ = strings.Cut(tree, "struct ODJ_PROVISION_DATA\n")
	tree, _, _ = strings.Cut(tree, "struct ODJ_PROVISION_DATA\n") // it is printed more than once
	for line := range strings.Lines(tree) {
		name, value, ok := strings.Cut(line, ": ")
		if value = strings.TrimSpace(value); ok && value != "*" {
			name = strings.TrimSpace(name)
			out[name] = append(out[name], value)
		}
	}
	return out
}

// quote is how Samba prints a string; it doubles no backslash.
func quote(s string) string { return "'" + s + "'" }
