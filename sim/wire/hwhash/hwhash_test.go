package hwhash_test

import (
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/hwhash"
)

var update = flag.Bool("update", false, "write the golden files")

const golden = "testdata/notebook.b64"

func TestGolden(t *testing.T) {
	g := gomega.NewWithT(t)
	text, err := hwhash.EncodeBase64(sample())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(text).To(gomega.HaveLen(hwhash.Base64Size))
	if *update {
		g.Expect(os.WriteFile(golden, []byte(text+"\n"), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(golden)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(text).To(gomega.Equal(strings.TrimSpace(string(want))))

	back, err := hwhash.DecodeBase64(text)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back.Layout).To(gomega.HaveLen(32))
	back.Layout = nil
	g.Expect(back).To(gomega.Equal(sample()))
}

// A real hash begins with these bytes (published in many guides); they show the order of the version quads, the record
// of the time and where the topology begins.
func TestBeginningLikeRealHash(t *testing.T) {
	g := gomega.NewWithT(t)
	h := sample()
	h.ToolVersion = hwhash.Version{Major: 10, Build: 19041, Revision: 1865}
	h.OSVersion = hwhash.Version{Major: 10, Build: 19041, Revision: 1181}
	b, err := hwhash.Encode(h)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(b[4:24]).To(gomega.Equal([]byte{1, 0, 0x1c, 0, 0, 0, 10, 0, 0x49, 7, 0x61, 0x4a, 0, 0, 10, 0, 0x9d, 4, 0x61, 0x4a}))
	g.Expect(b[29:40]).To(gomega.Equal([]byte{2, 9, 5, 2, 0, 0x10, 0, 9, 0, 1, 0}))
}

func TestUnknownRecordsAndOrderAreKept(t *testing.T) {
	g := gomega.NewWithT(t)
	records := []hwhash.Record{{Type: 99, Data: []byte("x")}, {Type: 16, Data: []byte("Maker\x00")}, {Type: 38, Data: nil},
		{Type: 3, Data: []byte("no end")}, {Type: 2, Data: append([]byte{9, 0, 1, 0, 4, 0, 8, 0, 1, 0, 7, 7}, "more"...)}}
	b := raw(records...)
	h, err := hwhash.Decode(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(h.Unknown).To(gomega.HaveLen(2))
	g.Expect(h.CPU.Maker).To(gomega.Equal("no end"))
	g.Expect(h.CPU.Cores).To(gomega.Equal(uint16(4)))
	again, err := hwhash.Encode(h)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.Equal(b))

	h.CPU.Maker = "Other"
	changed, err := hwhash.Encode(h)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	other, err := hwhash.Decode(changed)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(other.CPU.Maker).To(gomega.Equal("Other"))
	g.Expect(other.Unknown).To(gomega.Equal(h.Unknown))
}

func TestAddedPartsFollowTheLayout(t *testing.T) {
	g := gomega.NewWithT(t)
	b, err := hwhash.Encode(sample())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	h, err := hwhash.Decode(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	h.NICs = append(h.NICs, hwhash.NIC{Medium: hwhash.MediumBluetooth})
	h.EKModulus, h.OfflineID = nil, nil
	b, err = hwhash.Encode(h)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	h, err = hwhash.Decode(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(h.NICs).To(gomega.HaveLen(3))
	g.Expect(h.EKModulus).To(gomega.BeNil())
	g.Expect(h.OfflineID).To(gomega.BeNil())
}

func TestEncodeRefusesWhatDoesNotFit(t *testing.T) {
	g := gomega.NewWithT(t)
	h := sample()
	h.SMBIOS.Product = strings.Repeat("x", 2900)
	_, err := hwhash.Encode(h)
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("over the")))
}

func TestDecodeErrorsNameTheByte(t *testing.T) {
	good, err := hwhash.Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	total := int(binary.LittleEndian.Uint16(good[2:]))
	cases := map[string]struct {
		spoil  func(b []byte) []byte
		offset int
	}{
		"too short":           {func(b []byte) []byte { return b[:100] }, 100},
		"empty":               {func([]byte) []byte { return nil }, 0},
		"magic":               {func(b []byte) []byte { b[1] = 'B'; return b }, 0},
		"total":               {func(b []byte) []byte { b[2], b[3] = 0xff, 0xff; return b }, 2},
		"checksum":            {func(b []byte) []byte { b[200]++; return b }, total + 4},
		"checksum mark":       {func(b []byte) []byte { b[total] = 'X'; return b }, total},
		"checksum length":     {func(b []byte) []byte { b[total+2]++; return b }, total + 2},
		"padding":             {func(b []byte) []byte { b[2999] = 1; return b }, 2999},
		"length of record":    {func([]byte) []byte { return rawLength(3, 900) }, 6},
		"length under header": {func([]byte) []byte { return rawLength(3, 2) }, 6},
		"record cut off":      {func([]byte) []byte { return raw(hwhash.Record{Type: 2, Data: []byte{9}}) }, 4},
		"second of a kind":    {func([]byte) []byte { return raw(hwhash.Record{Type: 13}, hwhash.Record{Type: 13}) }, 8},
		"uuid":                {func([]byte) []byte { return raw(hwhash.Record{Type: 12, Data: []byte{1}}) }, 4},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := hwhash.Decode(c.spoil(append([]byte{}, good...)))
			var f *hwhash.FormatError
			g.Expect(errors.As(err, &f)).To(gomega.BeTrue(), "%v", err)
			g.Expect(f.Offset).To(gomega.Equal(c.offset), f.What)
		})
	}
}

func TestBase64Problems(t *testing.T) {
	text, err := hwhash.EncodeBase64(sample())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, say string }{
		"unpadded":  {"T0FFQQ", "pad with '='"},
		"url":       {"T0F-" + text[4:], "URL-safe"},
		"character": {text[:10] + "!" + text[11:], "position 11"},
		"space":     {text[:10] + " " + text[11:], "position 11"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := hwhash.DecodeBase64(c.text)
			g.Expect(err).To(gomega.MatchError(hwhash.ErrNotBase64))
			g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.say)))
		})
	}
	g := gomega.NewWithT(t)
	_, err = hwhash.DecodeBase64("T0FFQQ==")
	var f *hwhash.FormatError
	g.Expect(errors.As(err, &f)).To(gomega.BeTrue())
}
