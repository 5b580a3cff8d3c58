package diag_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/journal"
)

var update = flag.Bool("update", false, "write the golden files")

var begin = time.Date(2026, 9, 1, 16, 0, 0, 0, time.UTC)

// installation is a PC with something on its disk.
func installation(t testing.TB) diag.Source {
	t.Helper()
	var disk device.Disk
	if err := json.Unmarshal([]byte(`{"registry":[],"files":{},"certs":[],"keys":{"entra-device":"AQ=="},"free":1}`), &disk); err != nil {
		t.Fatal(err)
	}
	r := disk.Registry
	r.SetString(device.KeyAutopilot, "CloudAssignedTenantDomain", "contoso.com")
	r.SetDWORD(device.KeyAutopilot, "IsAutopilotDisabled", 0)
	r.SetString(device.KeySettings, "DevicePreparationCategory.Status", `{"categoryState":"failed","path":"C:\\x"}`)
	r.SetString(device.KeySettings, "", "default")
	r.SetString(device.KeySettings, "Lines", "one\r\ntwo é")
	r.SetStrings(`HKLM\SYSTEM\CurrentControlSet\Control\Lsa`, "Security Packages", []string{"kerberos", "msv1_0", "schannel", "wdigest", "tspkg", "cloudAP"})
	r.SetString(device.KeyIdentityStore+`\PRT`, "Token", "geheim")
	r.SetString(device.KeyEnrollments, "Current", "0A")
	r.SetString(device.KeyEnrollments+`\0A`, "ProviderID", "MS DM Server")
	r.SetString(device.KeyEnrollments+`\0A`, "UPN", "alex@contoso.com")
	r.SetString(device.KeyEnrollments+`\0A`, "EnrollmentServiceURL", "https://enrollment.manage.microsoft.com/a?b&c")
	r.SetDWORD(device.KeyEnrollments+`\0A`, "EnrollmentType", 6)
	r.SetString(device.KeyEnrollments+`\0A`, "AAUTHSECRET", "geheim")
	r.SetString(device.KeyPolicyManager+`\device\Browser`, "HomePages", "<contoso>")
	r.SetDWORD(device.KeyESPInfo+`\ExpectedPolicies\2026-09-01T16:00:00Z`, "./Device/Vendor/MSFT/Policy/Config/Browser/HomePages", 1)
	r.SetDWORD(device.KeyMSI+`\`+device.DeviceSID+`\MSI\{A}`, "Status", 70)
	r.SetString(device.KeyUninstall+`\{A}`, "DisplayName", "Notes")
	disk.Files.Write(device.FileProfile, []byte(`{"PolicyDownloadDate":"2026-09-01T16:00:00Z"}`))
	return diag.Source{
		Name: "pc-1", Serial: "CD123456", Computer: "CONTOSO-1", Hardware: device.Hardware{Manufacturer: "Contoso Devices", Model: "Aero 14"},
		Installation: device.Installation{Build: "26100.4652", Edition: "Pro"}, Taken: begin.Add(time.Hour), Hash: "T0EAAA==",
		TPM: &diag.TPM{Family: "2.0", VendorID: "IFX", Vendor: "Infineon", Firmware: "7.85", Revision: "1.38", Certified: true}, BootLog: []byte{1, 2}, Disk: &disk,
		Events: func(yield func(journal.Event) bool) {
			for _, e := range events() {
				if !yield(e) {
					return
				}
			}
		},
	}
}

func events() []journal.Event {
	at := func(s int, kind string, fields ...journal.Field) journal.Event {
		return journal.Event{Time: begin.Add(time.Duration(s) * time.Second), Device: "pc-1", Kind: kind, Fields: fields}
	}
	log := func(s int, channel string, id int, level, message string, more ...journal.Field) journal.Event {
		return at(s, device.EventLogged, append([]journal.Field{journal.F("channel", channel), journal.F("id", id), journal.F("level", level), journal.F("message", message)}, more...)...)
	}
	line := func(s int, file, component, message string, bias int) journal.Event {
		return at(s, device.EventLine, journal.F("file", file), journal.F("component", component), journal.F("message", message), journal.F("bias", bias))
	}
	return []journal.Event{
		log(0, device.LogAutopilot, 100, "Warning", "of an earlier life"),
		line(0, device.LogIME, "IntuneManagementExtension", "of an earlier life", 420),
		at(1, device.EventWiped),
		log(2, device.LogAutopilot, 153, "Information", "state changed", journal.F("properties", []string{"Unknown", "Available"}), journal.F("clock", begin.Add(-time.Hour)), journal.F("computer", "DESKTOP-1")),
		log(3, device.LogAutopilot, 161, "Information", "profile found <Standard> & more"),
		log(4, device.LogMDM, 72, "Information", "MDM enroll: succeeded"),
		log(5, device.LogRegistration, 304, "Error", "join failed"),
		log(6, "Vendor-Tool/Log", 1, "Verbose", "another"),
		line(7, device.LogIME, "IntuneManagementExtension", "[Win32App] In EspPhase: DeviceSetup", 420),
		line(8, device.LogIME, "Win32App", `Get policies = [{"Id":"1"}]`, -120),
	}
}

// open gives the files of the package.
func open(t *testing.T, s diag.Source) map[string][]byte {
	t.Helper()
	var b bytes.Buffer
	if err := diag.Collect(&b, s); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func fromUTF16(t *testing.T, b []byte) string {
	t.Helper()
	if len(b) < 2 || b[0] != 0xff || b[1] != 0xfe {
		t.Fatal("no byte order mark")
	}
	var units []uint16
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
	}
	return string(utf16.Decode(units))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gomega.NewWithT(t).Expect(strings.ReplaceAll(got, "\r\n", "\n")).To(gomega.Equal(strings.ReplaceAll(string(want), "\r\n", "\n")))
}

func TestPackage(t *testing.T) {
	g := gomega.NewWithT(t)
	files := open(t, installation(t))
	g.Expect(files).To(gomega.HaveKey("microsoft-windows-devicemanagement-enterprise-diagnostics-provider-admin.evtx"))
	g.Expect(files).To(gomega.HaveKey("microsoft-windows-user device registration-admin.evtx"))
	g.Expect(files).To(gomega.HaveKey("microsoft-windows-moderndeployment-diagnostics-provider-autopilot.evtx"))
	g.Expect(files).To(gomega.HaveKey("vendor-tool-log.evtx"))
	g.Expect(string(files[diag.Profile])).To(gomega.ContainSubstring("PolicyDownloadDate"))
	g.Expect(string(files["DeviceHash_CONTOSO-1.csv"])).To(gomega.ContainSubstring("CD123456,,T0EAAA=="))
	g.Expect(files[diag.BootLogName]).To(gomega.Equal([]byte{1, 2}))
	golden(t, "footprint.txt", string(files[diag.Footprint]))
	golden(t, "dsregcmd.txt", string(files[diag.Join]))
	golden(t, "tpmtool.txt", string(files[diag.TPMInfo]))
	golden(t, "metadata.json", string(files[diag.Metadata]))
	golden(t, "report.xml", string(files[diag.ReportXML]))
	g.Expect(xml.Unmarshal(files[diag.ReportXML], new(struct{}))).To(gomega.Succeed())
	g.Expect(string(files[diag.ReportHTML])).To(gomega.ContainSubstring("&lt;contoso&gt;"))
}

func TestRegistryDump(t *testing.T) {
	dump := fromUTF16(t, open(t, installation(t))[diag.RegistryDump])
	golden(t, "registry.reg", dump)
	gomega.NewWithT(t).Expect(dump).NotTo(gomega.ContainSubstring("geheim"), "tokens and secrets stay out")
}

func TestEventLogs(t *testing.T) {
	files := open(t, installation(t))
	golden(t, "autopilot.xml", string(files["microsoft-windows-moderndeployment-diagnostics-provider-autopilot.xml"]))
	golden(t, "autopilot.jsonl", string(files["microsoft-windows-moderndeployment-diagnostics-provider-autopilot.jsonl"]))
}

// cmtrace is what the public parsers look for in a line.
var cmtrace = regexp.MustCompile(`^<!\[LOG\[(?s:(.*?))\]LOG\]!><time="(\d{2}:\d{2}:\d{2}\.\d{7})" date="(\d{1,2}-\d{1,2}-\d{4})" component="([^"]*)" context="([^"]*)" type="(\d)" thread="(\d+)" file="([^"]*)">$`)

func TestAgentLogHasLocalTime(t *testing.T) {
	g := gomega.NewWithT(t)
	lines := strings.Split(strings.TrimSpace(string(open(t, installation(t))["IntuneManagementExtension.log"])), "\r\n")
	g.Expect(lines).To(gomega.HaveLen(2), "what was before the disk was emptied is gone")
	first, second := cmtrace.FindStringSubmatch(lines[0]), cmtrace.FindStringSubmatch(lines[1])
	g.Expect(first).To(gomega.HaveLen(9), lines[0])
	g.Expect(first[1:5]).To(gomega.Equal([]string{"[Win32App] In EspPhase: DeviceSetup", "09:00:07.0000000", "9-1-2026", "IntuneManagementExtension"}))
	g.Expect(second[2]).To(gomega.Equal("18:00:08.0000000"), "one file can have two zones in it")
}

func TestNobodyKeptTheLogs(t *testing.T) {
	g := gomega.NewWithT(t)
	s := installation(t)
	s.Events = nil
	files := open(t, s)
	g.Expect(files).NotTo(gomega.HaveKey("IntuneManagementExtension.log"))
	g.Expect(string(files[diag.Metadata])).To(gomega.ContainSubstring(`"logsSinceUtc": null`))
	g.Expect(files["microsoft-windows-aad-operational.evtx"]).To(gomega.HaveLen(4096 + 65536))
}

func TestSourceComesBackFromJSON(t *testing.T) {
	g := gomega.NewWithT(t)
	s := installation(t)
	b, err := json.Marshal(s)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	var back diag.Source
	g.Expect(json.Unmarshal(b, &back)).To(gomega.Succeed())
	back.Events = s.Events
	g.Expect(open(t, back)).To(gomega.Equal(open(t, s)))
}

func BenchmarkCollect(b *testing.B) {
	s := installation(b)
	r := s.Disk.Registry
	for i := range 300 {
		key := device.KeyPolicyManager + `\device\Area` + string(rune('A'+i%26)) + `\` + time.Duration(i).String()
		for j := range 4 {
			r.SetString(key, "Value"+string(rune('A'+j)), strings.Repeat("x", 60))
		}
	}
	all := events()
	s.Events = func(yield func(journal.Event) bool) {
		for range 200 { // 2,000 records and lines
			for _, e := range all[3:] {
				if !yield(e) {
					return
				}
			}
		}
	}
	for b.Loop() {
		if err := diag.Collect(io.Discard, s); err != nil {
			b.Fatal(err)
		}
	}
}
