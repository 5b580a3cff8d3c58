package syncml_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/syncml"
)

// everything is a message with all that has a token.
func everything() *syncml.Message {
	init := syncml.Initiation{SessionID: "1", Server: "https://r.manage.microsoft.com/x?mode=Maintenance&Platform=WoA", Device: "d", Login: syncml.LoginUser, MaxMsgSize: 4096,
		BootstrapSync: syncml.BootstrapDevice, DevInfo: syncml.DevInfo{DevID: "d", Man: "Contoso & Sons", Mod: "Äro", DmV: "1.3", Lang: "en-US"}}
	m := init.Message()
	m.Header.Cred = syncml.DigestCred("a", "b", []byte("n"))
	large := syncml.NewSet(syncml.Replace, "./Vendor/MSFT/x", syncml.B64, base64.StdEncoding.EncodeToString([]byte(strings.Repeat("y", 300))))
	large.Items[0].MoreData, large.Items[0].Meta.Size = true, 4000
	status := syncml.HeaderStatus(m, syncml.Unauthorized)
	status.Challenge = syncml.NewChallenge(syncml.AuthMD5, []byte("nonce"))
	m.Append(status, syncml.NewAtomic(syncml.NewSet(syncml.Add, "./x", syncml.Node, ""), syncml.NewDelete("./y"), syncml.NewExec("./z", syncml.Chr, "<a>\uF000</a>")), syncml.NewGet("./g"), large)
	m.Number()
	return m
}

// tool runs one of libwbxml's programs on text, and gives what it writes.
func tool(t *testing.T, text []byte, name string, args ...string) []byte {
	t.Helper()
	g := gomega.NewWithT(t)
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	g.Expect(os.WriteFile(in, text, 0o600)).To(gomega.Succeed())
	said, err := exec.Command(name, append(args, "-o", out, in)...).CombinedOutput()
	g.Expect(err).NotTo(gomega.HaveOccurred(), string(said))
	b, err := os.ReadFile(out)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	return b
}

// libwbxml reads both our encodings, and we read both of libwbxml's.
func TestMessagesWithLibWBXML(t *testing.T) {
	g := gomega.NewWithT(t)
	m := everything()
	binary := tool(t, m.Encode(), "xml2wbxml")
	for _, b := range [][]byte{binary, tool(t, m.Encode(), "xml2wbxml", "-n"), tool(t, m.Encode(), "xml2wbxml", "-v", "1.3")} {
		back, err := syncml.DecodeWBXML(b)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(back).To(gomega.Equal(m))
	}
	ours, err := m.EncodeWBXML()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for _, b := range [][]byte{binary, ours} {
		text := tool(t, b, "wbxml2xml", "-m", "0")
		i := bytes.Index(text, []byte("<SyncML")) // after a document type, which Decode refuses
		back, err := syncml.Decode(text[i:])
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(back).To(gomega.Equal(m))
	}
}

func TestWBXMLOfEveryCommand(t *testing.T) {
	g := gomega.NewWithT(t)
	m := reply()
	b, err := m.EncodeWBXML()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(len(b)).To(gomega.BeNumerically("<", len(m.Encode())/2))
	g.Expect(syncml.DecodeWBXML(b)).To(gomega.Equal(m))
	_, err = (&syncml.Message{Commands: []syncml.Command{{Verb: "Invented"}}}).EncodeWBXML()
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestBadWBXML(t *testing.T) {
	g := gomega.NewWithT(t)
	good, err := everything().EncodeWBXML()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for name, b := range map[string][]byte{
		"empty": nil, "XML": everything().Encode(), "cut": good[:len(good)-1], "too long": append(bytes.Clone(good), 0x01),
		"another DTD": append([]byte{0x02, 0x9F, 0x53}, good[3:]...), "another character set": append([]byte{0x02, 0xA4, 0x01, 0x04}, good[4:]...),
		"a table beyond the end": {0x02, 0xA4, 0x01, 0x6A, 0x7F}, "an endless number": {0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		"deep":         append([]byte{0x02, 0xA4, 0x01, 0x6A, 0}, bytes.Repeat([]byte{0x6D}, 5000)...),
		"text outside": {0x02, 0xA4, 0x01, 0x6A, 0, 0x03, 'a', 0}, "attributes": {0x02, 0xA4, 0x01, 0x6A, 0, 0xED, 0x01}, "another page": {0x02, 0xA4, 0x01, 0x6A, 0, 0, 9},
		"one string, many times": append(append([]byte{0x02, 0xA4, 0x01, 0x6A, 0x90, 0x00}, append(bytes.Repeat([]byte("a"), 2047), 0)...), append([]byte{0x6D}, bytes.Repeat([]byte{0x83, 0}, 10000)...)...),
	} {
		_, err := syncml.DecodeWBXML(b)
		g.Expect(err).To(gomega.HaveOccurred(), name)
	}
}

func FuzzWBXML(f *testing.F) {
	good, err := everything().EncodeWBXML()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0x02, 0, 0, 0x6A, 0x02, 'a', 0, 0x6D, 0x83, 0, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := syncml.DecodeWBXML(b)
		if err != nil {
			return
		}
		again, err := m.EncodeWBXML()
		if err != nil {
			return // a verb without a token
		}
		if back, err := syncml.DecodeWBXML(again); err != nil || !bytes.Equal(back.Encode(), m.Encode()) {
			t.Errorf("%v\n%s\n%s", err, m.Encode(), back.Encode())
		}
	})
}
