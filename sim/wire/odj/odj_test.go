package odj_test

import (
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/odj"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a join as the connector makes one.
func sample() odj.Win7 {
	return odj.Win7{
		Domain: "corp.contoso.com", MachineName: "AP-4F7K2Q9M1ZXC", MachinePassword: `aZ3;%x"9\k_(b'`,
		DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com", Forest: "contoso.com",
			GUID: "0f2b62c4-6d52-4d7e-9e3c-5a8c35f0a1b2", SID: "S-1-5-21-1004336348-1177238915-682003330"},
		Controller: odj.ControllerInfo{Name: `\\dc1.corp.contoso.com`, Address: `\\10.0.0.10`, AddressType: odj.AddressInet,
			DomainGUID: "0f2b62c4-6d52-4d7e-9e3c-5a8c35f0a1b2", Domain: "corp.contoso.com", Forest: "contoso.com", Flags: 0xe00013fd, Site: "HQ", ClientSite: "HQ"},
		Options: odj.OptionsDefault, AccountSID: "S-1-5-21-1004336348-1177238915-682003330-1104",
	}
}

func TestGolden(t *testing.T) {
	g := gomega.NewWithT(t)
	blob, err := odj.Encode(sample())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	path := filepath.Join("testdata", "connector.txt")
	if *update {
		g.Expect(os.WriteFile(path, odj.File(blob), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(odj.File(blob)).To(gomega.Equal(want))
	for _, file := range [][]byte{want, append(want, 0, 0)} {
		b, err := odj.ParseFile(file)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(odj.Decode(b)).To(gomega.Equal(sample()))
	}
	g.Expect(odj.ParseText(" " + odj.Text(blob) + "\r\n")).To(gomega.Equal(blob))
	// Readers that know no NDR take the first string from here.
	g.Expect(binary.LittleEndian.Uint32(blob[0xc0:])).To(gomega.BeEquivalentTo(len("corp.contoso.com") + 1))
}

func TestAPackageAloneWillDo(t *testing.T) {
	g := gomega.NewWithT(t)
	blob, err := odj.Encode(sample())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	data, err := odj.DecodeProvisionData(blob)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	data.Blobs = append([]odj.Blob{{Format: 7, Data: []byte("of the future")}}, data.Blobs[1])
	only, err := data.Encode()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(odj.Decode(only)).To(gomega.Equal(sample()))
}

// TestHostile gives wrong lengths in each place, and every truncation.
func TestHostile(t *testing.T) {
	g := gomega.NewWithT(t)
	blob, err := odj.Encode(sample())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for n := range blob {
		_, err := odj.Decode(blob[:n])
		g.Expect(err).To(gomega.HaveOccurred(), "%d bytes", n)
	}
	for at := 8; at+4 <= len(blob); at += 4 {
		for _, v := range []uint32{0xffffffff, 0x7fffffff, 0x80000000, 0x10001} {
			bad := append([]byte{}, blob...)
			binary.LittleEndian.PutUint32(bad[at:], v)
			if w, err := odj.Decode(bad); err == nil {
				_, _ = odj.Encode(w)
			}
		}
	}
	for _, tc := range []struct {
		name string
		at   int
		v    uint32
		want string
	}{
		{"big endian", 0, 0x00080001, "header"}, {"version", 20, 2, "version"}, {"no pointer", 16, 0, "null pointer"}, {"blobs", 24, 65, "65 elements"},
		{"fewer than said", 32, 1, "length"}, {"length of all", 8, 1 << 31, "length"}, {"length of a blob", 40, 0xfffffff0, "length"},
	} {
		bad := append([]byte{}, blob...)
		binary.LittleEndian.PutUint32(bad[tc.at:], tc.v)
		_, err := odj.Decode(bad)
		g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(tc.want)), tc.name)
	}
	_, err = odj.Decode(make([]byte, odj.MaxBlob+1))
	g.Expect(err).To(gomega.HaveOccurred())
	_, err = odj.ParseText(strings.Repeat("A", 2*odj.MaxBlob+4))
	g.Expect(err).To(gomega.HaveOccurred())
	for _, file := range []string{"", "A", "AAAA", "\xff\xfe!\x00"} {
		_, err = odj.ParseFile([]byte(file))
		g.Expect(err).To(gomega.HaveOccurred(), "%q", file)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*odj.Win7){
		"no domain": func(w *odj.Win7) { w.Domain = "" }, "no name": func(w *odj.Win7) { w.MachineName = "" }, "no password": func(w *odj.Win7) { w.MachinePassword = "" },
		"GUID": func(w *odj.Win7) { w.DNSDomain.GUID = "0f2b" }, "SID": func(w *odj.Win7) { w.DNSDomain.SID = "S-2-5" }, "account": func(w *odj.Win7) { w.AccountSID = "S-1-5-x-1" },
		"NUL": func(w *odj.Win7) { w.Controller.Site = "a\x00b" }, "long": func(w *odj.Win7) { w.DNSDomain.Name = strings.Repeat("a", 40000) },
		"not UTF-8": func(w *odj.Win7) { w.Controller.Name = "\xff" },
	} {
		w := sample()
		change(&w)
		if _, err := odj.Encode(w); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~\p{Greek}😀]{0,20}`)
		some := rapid.StringMatching(`[ -~]{1,20}`)
		guid := rapid.SampledFrom([]string{"", "0f2b62c4-6d52-4d7e-9e3c-5a8c35f0a1b2"})
		sid := rapid.SampledFrom([]string{"", "S-1-5-21-1-2-4294967295", "S-1-281474976710655-1", "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"})
		w := odj.Win7{Domain: some.Draw(t, "domain"), MachineName: some.Draw(t, "name"), MachinePassword: some.Draw(t, "password"),
			DNSDomain: odj.DomainInfo{Name: text.Draw(t, "netbios"), DNS: text.Draw(t, "dns"), Forest: text.Draw(t, "forest"), GUID: guid.Draw(t, "guid"), SID: sid.Draw(t, "sid")},
			Controller: odj.ControllerInfo{Name: text.Draw(t, "dc"), Address: text.Draw(t, "address"), AddressType: rapid.Uint32().Draw(t, "type"), DomainGUID: guid.Draw(t, "dguid"),
				Domain: text.Draw(t, "d"), Forest: text.Draw(t, "f"), Flags: rapid.Uint32().Draw(t, "flags"), Site: text.Draw(t, "s"), ClientSite: text.Draw(t, "cs")},
			Options: rapid.Uint32().Draw(t, "options"), AccountSID: sid.Draw(t, "account")}
		blob, err := odj.Encode(w)
		if err != nil {
			t.Fatal(err)
		}
		got, err := odj.Decode(blob)
		if err != nil || got != w {
			t.Fatalf("%v\n%+v\n%+v", err, w, got)
		}
	})
}

func FuzzDecode(f *testing.F) {
	blob, err := odj.Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob)
	f.Add(blob[:64])
	f.Add([]byte{1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc})
	f.Fuzz(func(t *testing.T, b []byte) {
		if data, err := odj.DecodeProvisionData(b); err == nil {
			for _, blob := range data.Blobs {
				_, _ = odj.DecodePackage(blob.Data)
			}
		}
		w, err := odj.Decode(b)
		if err != nil {
			return
		}
		again, err := odj.Encode(w)
		if err != nil {
			return // such as a string that is no text
		}
		if got, err := odj.Decode(again); err != nil || got != w {
			t.Fatalf("%v\n%+v\n%+v", err, w, got)
		}
	})
}

func FuzzParseFile(f *testing.F) {
	f.Add(odj.File([]byte("abc")))
	f.Add([]byte{0xff, 0xfe, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = odj.ParseFile(b)
		_, _ = odj.ParseText(string(b))
	})
}
