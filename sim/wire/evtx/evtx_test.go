package evtx_test

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/evtx"
)

var update = flag.Bool("update", false, "write the golden files")

const channel = "Microsoft-Windows-ModernDeployment-Diagnostics-Provider/Autopilot"

func records(n int) []evtx.Event {
	list := make([]evtx.Event, n)
	for i := range list {
		list[i] = evtx.Event{
			Provider: "Microsoft-Windows-ModernDeployment-Diagnostics-Provider", ID: uint16(100 + i%90), Level: evtx.Information,
			Time: time.Date(2026, 9, 1, 8, 0, i, 123456700, time.UTC), Record: uint64(i + 1), Channel: channel, Computer: "DESKTOP-1", UserID: "S-1-5-18",
			Process: 4, Thread: 8, Data: []string{"Unknown", "Available <&> \"é\""}, Message: fmt.Sprintf("state %d changed", i),
		}
		if i%3 == 1 {
			list[i].GUID, list[i].Data, list[i].Level, list[i].UserID = "{3da494e4-0fe2-415c-b895-fb5265c5c83b}", nil, evtx.Error, ""
		}
	}
	return list
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what it was", name)
	}
}

// The file is read by libevtx and python-evtx in scenarios/peers.
func TestGolden(t *testing.T) {
	g := gomega.NewWithT(t)
	b, err := evtx.Encode(records(200))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "sample.evtx", b)
	var text bytes.Buffer
	g.Expect(evtx.WriteXML(&text, records(200))).To(gomega.Succeed())
	golden(t, "sample.xml", text.Bytes())
	g.Expect(xml.Unmarshal(text.Bytes(), new(struct{}))).To(gomega.Succeed())
}

// check walks through a file's structure and gives its records' numbers.
func check(t interface{ Fatalf(string, ...any) }, file []byte) []uint64 {
	le := binary.LittleEndian
	if string(file[:8]) != "ElfFile\x00" || le.Uint32(file[124:]) != crc32.ChecksumIEEE(file[:120]) {
		t.Fatalf("file header")
	}
	chunks := int(le.Uint16(file[42:]))
	if len(file) != 4096+chunks<<16 {
		t.Fatalf("%d bytes for %d chunks", len(file), chunks)
	}
	var numbers []uint64
	for n := range chunks {
		c := file[4096+n<<16:][:1<<16]
		sum := crc32.Update(crc32.ChecksumIEEE(c[:120]), crc32.IEEETable, c[128:512])
		free := le.Uint32(c[48:])
		if string(c[:8]) != "ElfChnk\x00" || le.Uint32(c[124:]) != sum || le.Uint32(c[52:]) != crc32.ChecksumIEEE(c[512:free]) {
			t.Fatalf("header of chunk %d", n)
		}
		first, last := le.Uint64(c[8:]), le.Uint64(c[16:])
		for at := uint32(512); at < free; {
			r := c[at:]
			size := le.Uint32(r[4:])
			if le.Uint32(r) != 0x2a2a || size%8 != 0 || le.Uint32(r[size-4:]) != size {
				t.Fatalf("record at %d of chunk %d", at, n)
			}
			numbers = append(numbers, le.Uint64(r[8:]))
			if at+size == free && at != le.Uint32(c[44:]) {
				t.Fatalf("last record of chunk %d", n)
			}
			at += size
		}
		if len(numbers) > 0 && numbers[len(numbers)-1] != last || first > last+1 {
			t.Fatalf("numbers of chunk %d", n)
		}
	}
	if le.Uint64(file[24:]) != uint64(len(numbers))+1 {
		t.Fatalf("next record %d after %d", le.Uint64(file[24:]), len(numbers))
	}
	return numbers
}

func TestEmptyLog(t *testing.T) {
	g := gomega.NewWithT(t)
	b, err := evtx.Encode(nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(check(t, b)).To(gomega.BeEmpty())
}

func TestStructure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.OneOf(rapid.String(), rapid.Map(rapid.IntRange(0, 20000), func(n int) string { return strings.Repeat("ü", n) }))
		list := make([]evtx.Event, rapid.IntRange(0, 60).Draw(t, "records"))
		for i := range list {
			list[i] = evtx.Event{
				Provider: rapid.SampledFrom([]string{"A", "Microsoft-Windows-AAD"}).Draw(t, "provider"), ID: rapid.Uint16().Draw(t, "id"), Level: evtx.Level(rapid.IntRange(0, 9).Draw(t, "level")),
				Time: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "time"), 0), Record: uint64(i + 1), Channel: channel, Computer: texts.Draw(t, "computer"),
				Data: rapid.SliceOfN(texts, 0, 2).Draw(t, "data"), Message: texts.Draw(t, "message"),
			}
		}
		b, err := evtx.Encode(list)
		if err != nil {
			return // that one record is too large is said
		}
		if got := check(t, b); len(got) != len(list) {
			t.Fatalf("%d records of %d", len(got), len(list))
		}
	})
}

func TestRecordTooLarge(t *testing.T) {
	huge := strings.Repeat("x", 8<<10)
	e := evtx.Event{Provider: "A", Channel: "A", Record: 7, Data: []string{huge, huge, huge, huge}}
	if _, err := evtx.Encode([]evtx.Event{e}); err == nil || !strings.Contains(err.Error(), "record 7 of A") {
		t.Fatal(err)
	}
}

func TestLevels(t *testing.T) {
	for _, name := range []string{"Critical", "Error", "Warning", "Information", "Verbose"} {
		if got := evtx.ParseLevel(strings.ToLower(name)).String(); got != name {
			t.Errorf("%s is read as %s", name, got)
		}
	}
}
