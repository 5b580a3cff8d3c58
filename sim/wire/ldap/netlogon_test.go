package ldap

import (
	"bytes"
	"encoding/hex"
	"flag"
	"net/netip"
	"os"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write golden files")

var dc1 = NetlogonResponse{
	Opcode: NetlogonResponseEX, Flags: DSPDC | DSLDAP | DSKDC | DSClosest, DomainGUID: GUID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	Forest: "contoso.com", Domain: "corp.contoso.com", Host: "dc1.corp.contoso.com", NetBIOSDomain: "CORP", NetBIOSComputer: "DC1",
	Site: "Default-First-Site-Name", ClientSite: "Default-First-Site-Name", NTVersion: NTVersion1 | NTVersion5EX,
}

func TestNetlogonGolden(t *testing.T) {
	g := gomega.NewWithT(t)
	got := hex.Dump(dc1.Append(nil))
	const file = "testdata/netlogon.txt"
	if *update {
		g.Expect(os.WriteFile(file, []byte(got), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(file)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(string(want)))
}

func TestNetlogonResponsesRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`([a-z][a-z0-9-]{0,12}(\.[a-z][a-z0-9-]{0,12}){0,4})?`)
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		draw := func() string { return name.Draw(t, "name") }
		r := &NetlogonResponse{
			Opcode: NetlogonUnknownEX, Flags: rapid.Uint32().Draw(t, "flags"), Forest: draw(), Domain: draw(), Host: draw(), NetBIOSDomain: draw(),
			NetBIOSComputer: draw(), User: draw(), Site: draw(), ClientSite: draw(), NTVersion: NTVersion1 | NTVersion5EX,
		}
		if rapid.Bool().Draw(t, "address") {
			r.NTVersion |= NTVersion5EXWithIP
			r.Address = netip.MustParseAddr("10.1.2.3")
		}
		if rapid.Bool().Draw(t, "closest") {
			r.NTVersion |= NTVersionWithClosestSite
			r.NextClosestSite = draw()
		}
		again, err := ParseNetlogonResponse(r.Append(nil))
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(again).To(gomega.Equal(r))
	})
}

func TestNetlogonRequests(t *testing.T) {
	g := gomega.NewWithT(t)
	r := NetlogonRequest{
		DNSDomain: "corp.contoso.com", Host: "PC-1", User: "PC-1$", AAC: 0x80, DomainSID: NewSID(5, 21, 1, 2, 3), DomainGUID: GUID{7},
		NTVersion: NTVersion5EX,
	}
	again, err := ParseNetlogonRequest(r.Filter())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.Equal(r))
	g.Expect(r.Filter().String()).To(gomega.HavePrefix("(&(DnsDomain=corp.contoso.com)(Host=PC-1)(User=PC-1$)"))

	one, err := ParseNetlogonRequest(MustFilter(`(NtVer=\06\00\00\00)`))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(one).To(gomega.Equal(NetlogonRequest{NTVersion: 6}))
	for _, bad := range []string{"(NtVer=*)", "(NtVer=6)", "(|(NtVer=1))", "(&(!(Host=x)))", "(DomainSid=x)", "(DomainGuid=x)"} {
		_, err := ParseNetlogonRequest(MustFilter(bad))
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
	_, err = ParseNetlogonRequest(nil)
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestMalformedNetlogonResponses(t *testing.T) {
	good := dc1.Append(nil)
	changed := func(at int, b ...byte) []byte {
		out := bytes.Clone(good)
		copy(out[at:], b)
		return out
	}
	for name, b := range map[string][]byte{
		"empty": nil, "short": good[:20], "cut": good[:len(good)-9], "old form": changed(0, 19), "points at itself": changed(24, 0xc0, 24),
		"points forward": changed(24, 0xc0, 60), "endless": append(append(bytes.Clone(good[:24]), 1, 'a', 0xc0, 24), good[len(good)-8:]...),
		"long label": changed(24, 0x7f), "left over": append(append(bytes.Clone(good[:len(good)-8]), 1, 2, 3), good[len(good)-8:]...),
		"address ends early": changed(len(good)-8, byte(NTVersion5EXWithIP)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseNetlogonResponse(b)
			gomega.NewWithT(t).Expect(err).To(gomega.BeAssignableToTypeOf(&SyntaxError{}))
		})
	}
}

func TestIdentityForms(t *testing.T) {
	g := gomega.NewWithT(t)
	guid, err := ParseGUID("{62A0ff2e-97b9-4513-943f-0d221bd30080}")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(guid[:4]).To(gomega.Equal([]byte{0x2e, 0xff, 0xa0, 0x62}))
	g.Expect(guid.String()).To(gomega.Equal("62a0ff2e-97b9-4513-943f-0d221bd30080"))
	for _, bad := range []string{"", "62a0ff2e97b94513943f0d221bd30080", "62a0ff2e-97b9-4513-943f-0d221bd3008x", "62a0ff2-e97b9-4513-943f-0d221bd30080"} {
		_, err := ParseGUID(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
	sid, err := ParseSID("S-1-5-21-1004336348-1177238915-682003330-512")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(sid.String()).To(gomega.Equal("S-1-5-21-1004336348-1177238915-682003330-512"))
	g.Expect(sid.RID()).To(gomega.Equal(uint32(512)))
	g.Expect(sid.Domain().With(512)).To(gomega.Equal(sid))
	g.Expect(SIDFromBytes(sid.Bytes())).To(gomega.Equal(sid))
	g.Expect(SID("").String() + SID("").Domain().String()).To(gomega.BeEmpty())
	for _, bad := range []string{"", "S-1", "S-2-5-1", "S-1-x", "S-1-5-4294967296", "S-1-5-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1"} {
		_, err := ParseSID(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
	_, err = SIDFromBytes([]byte{1, 2, 0})
	g.Expect(err).To(gomega.HaveOccurred())
	_, err = GUIDFromBytes([]byte{1})
	g.Expect(err).To(gomega.HaveOccurred())
}

func FuzzNetlogonResponse(f *testing.F) {
	f.Add(dc1.Append(nil))
	with := dc1
	with.NTVersion |= NTVersion5EXWithIP | NTVersionWithClosestSite
	f.Add(with.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseNetlogonResponse(b)
		if err == nil {
			_ = r.Append(nil)
		}
	})
}

func FuzzNetlogonRequest(f *testing.F) {
	ask := NetlogonRequest{DNSDomain: "corp.contoso.com", NTVersion: 6, DomainSID: NewSID(5, 21, 1)}
	f.Add(ask.Filter().append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := cursor{b}
		filter, err := c.filter(&filterBudget{8, 64}, 0)
		if err != nil {
			return
		}
		if r, err := ParseNetlogonRequest(filter); err == nil {
			_ = r.Filter().String()
		}
	})
}
