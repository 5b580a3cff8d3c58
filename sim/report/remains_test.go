package report_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

func remains(t *testing.T, name, serial string) diag.Source {
	t.Helper()
	var disk device.Disk
	if err := json.Unmarshal([]byte(`{"registry":[],"files":{},"certs":[],"keys":{}}`), &disk); err != nil {
		t.Fatal(err)
	}
	disk.Registry.SetString(device.KeyOOBE, "Stage", serial)
	return diag.Source{Name: name, Serial: serial, Computer: "DESKTOP-" + serial, Taken: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), Disk: &disk}
}

func TestRemainsOfAFolder(t *testing.T) {
	g := gomega.NewWithT(t)
	path := filepath.Join(t.TempDir(), "out")
	d, err := report.Create(path, []byte("name: quickstart\n"), report.Header{Build: "b", Home: "tls"})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	d.Remains(remains(t, "pc-1", "AAA"))
	d.Remains(remains(t, "pc-2", "BBB"))
	d.Saved("BBB", "AutopilotWhiteGloveLogs.zip", []byte("zip"))
	g.Expect(d.Journal().Write(journal.Event{Seq: 1, Time: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), Device: "pc-2", Kind: device.EventLogged,
		Fields: []journal.Field{journal.F("channel", device.LogMDM), journal.F("id", 72), journal.F("level", "Information"), journal.F("message", "enrolled")}})).To(gomega.Succeed())
	g.Expect(d.Finish(summary(), nil)).To(gomega.Succeed())
	saved, err := os.ReadFile(filepath.Join(path, "devices", "BBB", "AutopilotWhiteGloveLogs.zip"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(saved)).To(gomega.Equal("zip"))

	p, err := report.Open(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for _, who := range []string{"BBB", "bbb", "PC-2"} {
		var b bytes.Buffer
		g.Expect(p.Diagnostics(&b, who)).To(gomega.Succeed())
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		g.Expect(err).NotTo(gomega.HaveOccurred())
		_, err = z.Open("microsoft-windows-devicemanagement-enterprise-diagnostics-provider-admin.xml")
		g.Expect(err).NotTo(gomega.HaveOccurred())
	}
	var unknown *report.UnknownPC
	err = p.Diagnostics(new(bytes.Buffer), "CCC")
	g.Expect(err).To(gomega.BeAssignableToTypeOf(unknown))
	g.Expect(err.(*report.UnknownPC).Known).To(gomega.Equal([]string{"AAA", "BBB"}))

	d, err = report.Create(path, []byte("name: quickstart\n"), report.Header{}) // over it: all of that is a run's
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(d.Close()).To(gomega.Succeed())
	p, err = report.Open(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.Diagnostics(new(bytes.Buffer), "AAA")).To(gomega.MatchError(report.ErrNoRemains))
}
