package peers_test

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf16"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// readable is an event as any XML reader sees it.
type readable struct {
	Provider struct {
		Name string `xml:",attr"`
		Guid string `xml:",attr"`
	} `xml:"System>Provider"`
	ID       int      `xml:"System>EventID"`
	Level    int      `xml:"System>Level"`
	Record   int      `xml:"System>EventRecordID"`
	Channel  string   `xml:"System>Channel"`
	Computer string   `xml:"System>Computer"`
	Data     []string `xml:"EventData>Data"`
	Message  string   `xml:"RenderingInfo>Message"`
}

// reference are the records of the sample, from its XML form.
func reference() []readable {
	GinkgoHelper()
	return readEvents(string(sample("sample.xml")))
}

func sample(name string) []byte {
	GinkgoHelper()
	b, err := os.ReadFile(filepath.Join("..", "..", "sim", "wire", "evtx", "testdata", name))
	Expect(err).NotTo(HaveOccurred())
	return b
}

var declaration = regexp.MustCompile(`<\?xml[^>]*\?>|</?Events>`)

func readEvents(text string) []readable {
	GinkgoHelper()
	var doc struct {
		Event []readable `xml:"Event"`
	}
	Expect(xml.Unmarshal([]byte("<Events>"+declaration.ReplaceAllString(text, "")+"</Events>"), &doc)).To(Succeed())
	return doc.Event
}

var _ = Describe("Windows event log files", func() {
	It("are read by libevtx, record by record", func() {
		t := newTools("none")
		t.write("sample.evtx", sample("sample.evtx"))
		said := t.run("evtxexport", "-f", "xml", "sample.evtx")
		_, said, _ = strings.Cut(said, "\n") // the tool's own name
		Expect(readEvents(said)).To(Equal(reference()))
	})

	It("are read by libevtx as values, not only as text", func() {
		t := newTools("none")
		t.write("sample.evtx", sample("sample.evtx"))
		said := t.run("evtxexport", "sample.evtx")
		Expect(said).NotTo(ContainSubstring("Unable"))
		for _, e := range reference() {
			Expect(said).To(ContainSubstring(fmt.Sprintf("(%d)\n", e.ID)))
		}
		Expect(strings.Count(said, "Event number")).To(Equal(len(reference())))
		Expect(said).To(ContainSubstring("User security identifier\t: S-1-5-18"))
		Expect(said).To(ContainSubstring("Written time\t\t\t: Sep 01, 2026 08:00:00.123456700 UTC"))
	})

	It("are read by python-evtx, which checks the sums of header and chunks", func() {
		t := newTools("none")
		t.write("sample.evtx", sample("sample.evtx"))
		t.write("read.py", []byte(`import Evtx.Evtx
with Evtx.Evtx.Evtx("sample.evtx") as log:
    assert log.get_file_header().verify(), "file header"
    for chunk in log.chunks():
        assert chunk.verify(), "chunk"
    for record in log.records():
        print(record.xml())
`))
		Expect(readEvents(t.run("/usr/bin/python3", "read.py"))).To(Equal(reference()))
	})
})

var _ = Describe("a diagnostics package", func() {
	It("unzips, its XML is well formed and its registry dump can be imported", func() {
		t := newTools("none")
		t.run(windtunnel, "run", "--devices", "1", "--seed", "7", "--out", "result", "--tpm-cache", images)
		summary := t.run("sh", "-c", "zstd -dc result/remains.jsonl.zst")
		serial := regexp.MustCompile(`"serial":"([^"]+)"`).FindStringSubmatch(summary)
		Expect(serial).To(HaveLen(2))
		t.run(windtunnel, "diag", "result", "--device", serial[1], "-o", "a.zip")
		t.run("unzip", "-t", "a.zip")
		t.run("unzip", "-q", "a.zip", "-d", "a")
		t.run("sh", "-c", "xmllint --noout a/*.xml && xmllint --noout --html a/MDMDiagHtmlReport.html")
		for _, log := range []string{"devicemanagement-enterprise-diagnostics-provider-admin", "moderndeployment-diagnostics-provider-autopilot"} {
			said := t.run("evtxexport", "-f", "xml", "a/microsoft-windows-"+log+".evtx")
			_, said, _ = strings.Cut(said, "\n")
			text, err := os.ReadFile(filepath.Join(t.dir, "a", "microsoft-windows-"+log+".xml"))
			Expect(err).NotTo(HaveOccurred())
			Expect(readEvents(said)).To(Equal(readEvents(string(text))))
			Expect(readEvents(said)).NotTo(BeEmpty())
		}
	})
})

// emptyHive is a registry file with nothing but its root key, for tools that
// import into one ("regf", one bin, an "nk" and an "sk" cell).
func emptyHive() []byte {
	const page, none = 4096, 0xffffffff
	le := binary.LittleEndian
	hive := make([]byte, 2*page)
	copy(hive, "regf")
	for at, v := range map[int]uint32{4: 1, 8: 1, 20: 1, 24: 3, 32: 1, 36: 0x20, 40: page, 44: 1} {
		le.PutUint32(hive[at:], v)
	}
	sum := uint32(0)
	for at := 0; at < 508; at += 4 {
		sum ^= le.Uint32(hive[at:])
	}
	le.PutUint32(hive[508:], sum)
	bin := hive[page:]
	copy(bin, "hbin")
	le.PutUint32(bin[8:], page)
	cell := func(at, size int, content string) []byte {
		le.PutUint32(bin[at:], uint32(-int32(size)))
		copy(bin[at+4:], content)
		return bin[at+4:]
	}
	const root, security, descriptor = 0x20, 0x80, "\x01\x00\x04\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	nk := cell(root, security-root, "nk\x2c\x00")
	for _, at := range []int{16, 28, 32, 40, 48} { // parent, lists, class
		le.PutUint32(nk[at:], none)
	}
	le.PutUint32(nk[44:], security)
	le.PutUint16(nk[72:], 4)
	copy(nk[76:], "ROOT")
	sk := cell(security, 0x38, "sk")
	le.PutUint32(sk[4:], security)
	le.PutUint32(sk[8:], security)
	le.PutUint32(sk[12:], 1)
	le.PutUint32(sk[16:], uint32(len(descriptor)))
	copy(sk[20:], descriptor)
	le.PutUint32(bin[security+0x38:], page-security-0x38)
	return hive
}

var _ = Describe("a registry dump", func() {
	It("is imported by reged and comes out as it was", func() {
		text, err := os.ReadFile(filepath.Join("..", "..", "sim", "device", "diag", "testdata", "registry.reg"))
		Expect(err).NotTo(HaveOccurred())
		ours := strings.ReplaceAll(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n", "\r\n")
		wide := []byte{0xff, 0xfe}
		for _, c := range utf16.Encode([]rune(ours)) {
			wide = binary.LittleEndian.AppendUint16(wide, c)
		}
		t := newTools("none")
		t.write("ours.reg", wide)
		t.write("hive", emptyHive())
		said, _ := t.try("reged", "-C", "-I", "hive", "HKEY_LOCAL_MACHINE", "ours.reg") // its exit code says that it has written
		Expect(said).To(ContainSubstring("operation SUCCEEDED"))
		Expect(said).To(ContainSubstring("15 values total"))
		t.run("reged", "-x", "hive", "HKEY_LOCAL_MACHINE", `\`, "theirs.reg")
		theirs := strings.Split(strings.ReplaceAll(t.run("cat", "theirs.reg"), "\r\n", "\n"), "\n")
		for line := range strings.Lines(strings.ReplaceAll(ours, "\r\n", "\n")) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "[") || strings.Contains(line, "=") && !strings.Contains(line, "hex(") {
				Expect(theirs).To(ContainElement(line))
			}
		}
	})
})
