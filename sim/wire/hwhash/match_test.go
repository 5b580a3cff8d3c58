package hwhash_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
	"windtunnel.test/sim/wire/hwhash"
)

func Example() {
	h := sample()
	text, err := hwhash.EncodeBase64(h)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(text), text[:4])

	registered, err := hwhash.DecodeBase64(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	h.Disks[0].Serial = "a new disk"
	ok, _ := hwhash.Match(registered, h)
	fmt.Println(ok)
	h.EKModulus = make([]byte, 256)
	fmt.Println(hwhash.Match(registered, h))
	// Output:
	// 4000 T0HH
	// true
	// false the TPM's endorsement key is another one
}

func TestMatch(t *testing.T) {
	cases := map[string]struct {
		change func(registered, presented *hwhash.Hardware)
		ok     bool
	}{
		"same":                   {func(_, _ *hwhash.Hardware) {}, true},
		"later capture":          {func(_, p *hwhash.Hardware) { p.Taken = p.Taken.Add(time.Hour); p.OSVersion.Build++ }, true},
		"new disk and card":      {func(_, p *hwhash.Hardware) { p.Disks = nil; p.NICs = p.NICs[:1]; p.RAM.Total = 32 }, true},
		"new board":              {func(_, p *hwhash.Hardware) { p.SMBIOS.UUID[0]++ }, false},
		"new serial":             {func(_, p *hwhash.Hardware) { p.SMBIOS.Serial = "X" }, false},
		"other model":            {func(_, p *hwhash.Hardware) { p.SMBIOS.Product = "X" }, false},
		"new TPM":                {func(_, p *hwhash.Hardware) { p.EKModulus = []byte{1} }, false},
		"no TPM":                 {func(_, p *hwhash.Hardware) { p.EKModulus = nil }, false},
		"registered without TPM": {func(r, _ *hwhash.Hardware) { r.EKModulus = nil }, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			r, p := sample(), sample()
			c.change(&r, &p)
			ok, why := hwhash.Match(r, p)
			g.Expect(ok).To(gomega.Equal(c.ok), why)
			g.Expect(why == "").To(gomega.Equal(ok))
		})
	}
}

func TestTexts(t *testing.T) {
	g := gomega.NewWithT(t)
	uuid := sample().SMBIOS.UUID
	g.Expect(uuid.String()).To(gomega.Equal("4c4c4544-0042-3510-8052-b4c04f4e3233"))
	g.Expect(uuid[:4]).To(gomega.Equal([]byte{0x44, 0x45, 0x4c, 0x4c}))
	for _, bad := range []string{"", "4c4c4544004235108052b4c04f4e3233", "4c4c4544-0042-3510-8052-b4c04f4e323x"} {
		_, err := hwhash.ParseUUID(bad)
		g.Expect(err).To(gomega.HaveOccurred())
	}
	text := "TPM-Version:2.0 -Level:0-Revision:1.16-VendorID:'IFX '-Firmware:5.63"
	parsed, err := hwhash.ParseTPMText(text)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(parsed.VendorID).To(gomega.Equal("IFX "))
	g.Expect(parsed.String()).To(gomega.Equal(text))
	_, err = hwhash.ParseTPMText("TPM 2.0")
	g.Expect(err).To(gomega.HaveOccurred())
}

// raw makes a hash of given records, with the checksum right.
func raw(records ...hwhash.Record) []byte {
	b := []byte("OA\x00\x00")
	for _, r := range records {
		b = binary.LittleEndian.AppendUint16(b, r.Type)
		b = binary.LittleEndian.AppendUint16(b, uint16(4+len(r.Data)))
		b = append(b, r.Data...)
	}
	return sealed(b)
}

// rawLength makes a hash of one record that states a wrong length.
func rawLength(t, n uint16) []byte {
	b := binary.LittleEndian.AppendUint16([]byte("OA\x00\x00"), t)
	return sealed(append(binary.LittleEndian.AppendUint16(b, n), "data"...))
}

func sealed(b []byte) []byte {
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	sum := sha256.Sum256(b)
	b = append(append(b, 'C', 'S', 36, 0), sum[:]...)
	return append(b, make([]byte, hwhash.Size-len(b))...)
}

func TestRoundTrip(t *testing.T) {
	text := rapid.StringMatching(`[A-Za-z0-9 .,()_äß-]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		h := sample()
		h.SMBIOS.Serial, h.SMBIOS.SKU, h.SMBIOS.Family = text.Draw(t, "serial"), text.Draw(t, "sku"), text.Draw(t, "family")
		h.Taken = time.Unix(946684800+int64(rapid.Uint32().Draw(t, "taken")), 0).UTC()
		h.TimeZone = rapid.Int8().Draw(t, "zone")
		h.RAM.Total = rapid.Uint64().Draw(t, "ram")
		h.Disks = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) hwhash.Disk {
			return hwhash.Disk{SizeGiB: rapid.Uint64().Draw(t, "size"), Bus: hwhash.BusSATA, SeekPenalty: 255, Serial: text.Draw(t, "s"), Model: text.Draw(t, "m"),
				KernelSerial: rapid.SampledFrom([]string{"", "k"}).Draw(t, "k")}
		}), 1, 4).Draw(t, "disks")
		h.Unknown = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) hwhash.Record {
			return hwhash.Record{Type: rapid.Uint16Range(31, 0xffff).Draw(t, "type"), Data: append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "data")...)}
		}), 1, 5).Draw(t, "unknown")
		b, err := hwhash.Encode(h)
		if err != nil {
			t.Fatal(err)
		}
		back, err := hwhash.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := hwhash.Encode(back)
		if err != nil {
			t.Fatal(err)
		}
		g := gomega.NewWithT(t)
		g.Expect(again).To(gomega.Equal(b))
		back.Layout = nil
		g.Expect(back).To(gomega.Equal(h))
	})
}

// FuzzDecode looks for crashes, and for hashes that change when nothing was changed in them.
func FuzzDecode(f *testing.F) {
	b, err := hwhash.Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[4:100])
	f.Add([]byte{})
	f.Add([]byte{13, 0, 4, 0})
	f.Add([]byte{7, 0, 5, 0, '|', 28, 0, 5, 0, 0})
	f.Fuzz(func(t *testing.T, records []byte) {
		if len(records) > hwhash.Size-40 {
			return
		}
		b := sealed(append([]byte("OA\x00\x00"), records...))
		h, err := hwhash.Decode(b)
		if err != nil {
			return
		}
		again, err := hwhash.Encode(h)
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != string(b) {
			t.Fatalf("hash changed:\n%x\n%x", b[:4+len(records)], again)
		}
	})
}
