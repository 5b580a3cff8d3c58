package syncml_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/syncml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name. Where xmllint is installed, it must find the file well-formed.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	g := gomega.NewWithT(t)
	path := filepath.Join("testdata", name)
	if *update {
		g.Expect(os.MkdirAll("testdata", 0o755)).To(gomega.Succeed())
		g.Expect(os.WriteFile(path, append(got, '\n'), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(got) + "\n").To(gomega.Equal(string(want)))
	if tool, err := exec.LookPath("xmllint"); err == nil {
		out, err := exec.Command(tool, "--noout", "--nonet", path).CombinedOutput()
		g.Expect(err).NotTo(gomega.HaveOccurred(), string(out))
	}
}

func initiation() syncml.Initiation {
	return syncml.Initiation{
		SessionID: "1A", Server: "https://r.manage.microsoft.com/devicegatewayproxy/cimhandler.ashx",
		Device: "8f1e0b6c-0000-4000-8000-000000000001", Login: syncml.LoginOthers, BootstrapSync: syncml.BootstrapDevice,
		MaxMsgSize: 524288,
		DevInfo: syncml.DevInfo{
			DevID: "8f1e0b6c-0000-4000-8000-000000000001", Man: "Contoso & Sons", Mod: "Bench <1>", DmV: "1.3", Lang: "en-US",
		},
	}
}

// reply is a message with a command of every kind.
func reply() *syncml.Message {
	first := initiation().Message()
	m := &syncml.Message{
		Header: syncml.Header{
			SessionID: "1A", MsgID: 1, Target: first.Header.Source, Source: first.Header.Target, SourceName: "Intune",
			RespURI: "https://r.manage.microsoft.com/next?a=1&b=2", NoResp: true,
			Cred: &syncml.Cred{Format: "b64", Type: "syncml:auth-md5", Data: "Zm9v"}, MaxMsgSize: 4096, MaxObjSize: 8192,
		},
		Final: true,
	}
	header := syncml.HeaderStatus(first, syncml.AuthenticationAccepted)
	header.Challenge = &syncml.Challenge{Format: "b64", Type: "syncml:auth-md5", NextNonce: "bm9uY2U="}
	exec := syncml.NewExec("./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B1%7D/DownloadInstall", syncml.XML, "<MsiInstallJob id=\"{1}\"/>")
	exec.Correlator = "c1"
	generic := syncml.NewAlert(syncml.AlertGeneric, "com.microsoft:mdm.test", "1")
	generic.Items[0].Meta.Mark = "critical"
	big := syncml.NewSet(syncml.Add, "./A", syncml.B64, "QUJD")
	big.Items[0].Meta.Size, big.Items[0].MoreData = 6, true
	m.Append(header,
		syncml.StatusFor(first, &first.Commands[0], syncml.OK),
		syncml.ResultsFor(first, &first.Commands[1], syncml.Item{Source: "./DevDetail/SwV", Meta: syncml.Meta{Format: syncml.Chr, Type: "text/plain"}, Data: "10.0"}),
		syncml.NewSet(syncml.Add, "./User/Vendor/MSFT/DMClient/Provider/MS%20DM%20Server/FirstSyncStatus", syncml.Node, ""),
		syncml.NewSet(syncml.Replace, "./Vendor/MSFT/X", syncml.Chr, "a\uF000b \"quoted\"\r\n"),
		syncml.NewGet("./DevDetail/SwV"), syncml.NewDelete("./Vendor/MSFT/Y"), exec, generic, big,
		syncml.NewAtomic(syncml.NewSet(syncml.Replace, "./Z", syncml.Int, "0"), syncml.NewAtomic(syncml.NewGet("./Q"))),
		syncml.Command{Verb: syncml.Sequence, NoResp: true, Meta: syncml.Meta{Type: "text/plain"}, Commands: []syncml.Command{syncml.NewGet("./S")}},
	)
	m.Number()
	return m
}

func TestGolden(t *testing.T) {
	user := initiation()
	user.Login, user.AADUserToken, user.BootstrapSync = syncml.LoginUser, "eyJ0.e30.c2ln", syncml.BootstrapUser
	user.OdjSync, user.ServerInitiated, user.RequestPending = true, true, "1"
	for name, m := range map[string]*syncml.Message{
		"package1-device.xml": initiation().Message(),
		"package1-user.xml":   user.Message(),
		"every-command.xml":   reply(),
		"end.xml":             {Header: syncml.Header{SessionID: "1", MsgID: 3}, Final: true},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			data := m.Encode()
			golden(t, name, data)
			back, err := syncml.Decode(data)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(back).To(gomega.Equal(m))
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	m := &syncml.Message{Header: initiation().Message().Header, Final: true}
	first := initiation().Message()
	m.Append(syncml.HeaderStatus(first, syncml.OK))
	for i := range 4 {
		m.Append(syncml.StatusFor(first, &first.Commands[i%len(first.Commands)], syncml.OK))
	}
	for range 5 {
		m.Append(syncml.NewSet(syncml.Replace, "./Vendor/MSFT/DMClient/Provider/MS%20DM%20Server/FirstSyncStatus/TimeOutUntilSyncFailure", syncml.Int, "60"))
	}
	m.Number()
	data := m.Encode()
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Encode()
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := syncml.Decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
