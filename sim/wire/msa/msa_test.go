package msa_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
	"windtunnel.test/sim/wire/msa"
)

var update = flag.Bool("update", false, "write the golden files")

var at = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

func golden(t *testing.T, name string, b []byte, err error) {
	t.Helper()
	g := gomega.NewWithT(t)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	if *update {
		g.Expect(os.WriteFile("testdata/"+name, append(b, '\n'), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile("testdata/" + name)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(b) + "\n").To(gomega.Equal(string(want)))
}

func addRequest() msa.DeviceAddRequest {
	r := msa.DeviceAddRequest{
		ClientInfo:     msa.ClientInfo{Name: "IDCRL", Version: "1.0", BinaryVersion: "55"},
		Authentication: msa.Authentication{Membername: "02abcdefghijklmnop", Password: "secret & <more>"},
		DeviceInfo:     msa.DeviceInfo{ID: "DeviceInfo", TPM: &msa.TPMInfo{RSAKeyValue: msa.RSAKeyValue{Modulus: "AQAB", Exponent: "AQAB"}, StorageKeyBlob: "AAAA"}},
	}
	r.DeviceInfo.Add(msa.ComponentModel, "Latitude 5450")
	r.DeviceInfo.Add(msa.ComponentSerial, "B5R4N23")
	r.DeviceInfo.Add(msa.ComponentUUID, "4c4c4544-0042-3510-8052-b4c04f4e3233")
	return r
}

func ticketRequest() msa.TicketRequest {
	return msa.TicketRequest{MessageID: "urn:uuid:7d4a1c8e-0000-4000-8000-000000000001", Created: at, Expires: at.Add(5 * time.Minute),
		Username: "02abcdefghijklmnop", Password: "secret & <more>", Scopes: []msa.Scope{{Address: msa.ScopeSTS}, {Address: msa.ScopeDeployment, Policy: msa.PolicySSL}}}
}

func Example() {
	puid := msa.DevicePUID(0x0fc8cb93cc)
	b, err := msa.Encode(msa.Added(puid, "hw"))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := msa.ParseDeviceAddResponse(b)
	fmt.Println(answer.Success, answer.PUID, answer.GlobalDeviceID, err)
	// Output:
	// true 0018000FC8CB93CC g:6755467234350028 <nil>
}

func TestDeviceAdd(t *testing.T) {
	g := gomega.NewWithT(t)
	b, err := msa.Encode(addRequest())
	golden(t, "deviceadd.request.xml", b, err)
	r, err := msa.ParseDeviceAddRequest(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Authentication).To(gomega.Equal(addRequest().Authentication))
	g.Expect(r.DeviceInfo).To(gomega.Equal(addRequest().DeviceInfo))
	id, ok := r.DeviceInfo.HardwareID()
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(id).To(gomega.Equal(msa.HardwareID("4C4C4544-0042-3510-8052-B4C04F4E3233", "b5r4n23 ")))
	_, ok = msa.DeviceInfo{}.HardwareID()
	g.Expect(ok).To(gomega.BeFalse())

	puid := msa.DevicePUID(0x0fc8cb93cc)
	b, err = msa.Encode(msa.Added(puid, id))
	golden(t, "deviceadd.response.xml", b, err)
	b, err = msa.Encode(msa.NotAdded(msa.DeviceAddExists))
	golden(t, "deviceadd.refused.xml", b, err)
	refused, err := msa.ParseDeviceAddResponse(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(refused.Success).To(gomega.BeFalse())
	g.Expect(refused.Error.Code).To(gomega.Equal(msa.DeviceAddExists))

	for _, bad := range []string{"", "<a/>", "<DeviceAddRequest/>", "<DeviceAddRequest><Authentication><Membername>x</Membername></Authentication></DeviceAddRequest>"} {
		_, err := msa.ParseDeviceAddRequest([]byte(bad))
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func TestPUID(t *testing.T) {
	g := gomega.NewWithT(t)
	p, err := msa.ParsePUID("0018000FC8CB93CC")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.IsDevice()).To(gomega.BeTrue())
	g.Expect(p).To(gomega.Equal(msa.DevicePUID(uint64(p) | 0xffff<<48)))
	g.Expect(msa.PUID(0x0003 << 48).IsDevice()).To(gomega.BeFalse())
	for _, bad := range []string{"", "18", "0018000FC8CB93CG"} {
		_, err := msa.ParsePUID(bad)
		g.Expect(err).To(gomega.HaveOccurred())
	}
}

func TestTicketRequest(t *testing.T) {
	g := gomega.NewWithT(t)
	r := ticketRequest()
	b, err := r.Encode()
	golden(t, "ticket.request.xml", b, err)
	back, err := msa.ParseTicketRequest(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(r))

	r.Scopes = r.Scopes[1:]
	r.Proof = &msa.AttestedProof{AIKCertificates: [][]byte{{1, 2}, {3}}, Statement: []byte("KADS")}
	b, err = r.Encode()
	golden(t, "ticket.attested.xml", b, err)
	back, err = msa.ParseTicketRequest(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(r))
	g.Expect(back.ProofDigest()).To(gomega.Equal(r.ProofDigest()))
	back.Username += "x"
	g.Expect(back.ProofDigest()).NotTo(gomega.Equal(r.ProofDigest()))
}

// Clients choose their own prefixes; the parser must not depend on ours.
func TestTicketRequestWithOtherPrefixes(t *testing.T) {
	g := gomega.NewWithT(t)
	r, err := msa.ParseTicketRequest([]byte(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
 xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" xmlns:wst="http://schemas.xmlsoap.org/ws/2005/02/trust"
 xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy" xmlns:wsa="http://www.w3.org/2005/08/addressing">
<s:Header><wsa:MessageID>m</wsa:MessageID><wsse:Security><wsse:UsernameToken wsu:Id="devicesoftware"><wsse:Username>02x</wsse:Username><wsse:Password>p</wsse:Password></wsse:UsernameToken>
<wsu:Timestamp wsu:Id="T"><wsu:Created>2026-09-01T08:00:00Z</wsu:Created><wsu:Expires>2026-09-01T08:05:00Z</wsu:Expires></wsu:Timestamp></wsse:Security></s:Header>
<s:Body><wst:RequestSecurityToken Id="RST0"><wst:RequestType>http://schemas.xmlsoap.org/ws/2005/02/trust/Issue</wst:RequestType>
<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>http://Passport.NET/tb</wsa:Address></wsa:EndpointReference></wsp:AppliesTo></wst:RequestSecurityToken></s:Body></s:Envelope>`))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r).To(gomega.Equal(msa.TicketRequest{MessageID: "m", Username: "02x", Password: "p", Created: at, Expires: at.Add(5 * time.Minute), Scopes: []msa.Scope{{Address: msa.ScopeSTS}}}))
}

func TestTicketRequestProblems(t *testing.T) {
	for name, change := range map[string]func(*msa.TicketRequest){
		"no user":        func(r *msa.TicketRequest) { r.Username = "" },
		"no scope":       func(r *msa.TicketRequest) { r.Scopes = nil },
		"half a proof":   func(r *msa.TicketRequest) { r.Proof = &msa.AttestedProof{Statement: []byte("x")} },
		"no certificate": func(r *msa.TicketRequest) { r.Proof = &msa.AttestedProof{} },
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			r := ticketRequest()
			change(&r)
			b, err := r.Encode()
			g.Expect(err).NotTo(gomega.HaveOccurred())
			_, err = msa.ParseTicketRequest(b)
			g.Expect(err).To(gomega.HaveOccurred())
		})
	}
}

func TestTicketResponse(t *testing.T) {
	g := gomega.NewWithT(t)
	r := msa.TicketResponse{PUID: msa.DevicePUID(7), ServerTime: at, Tickets: []msa.IssuedTicket{{Scope: msa.ScopeDeployment, Value: "aaa.bbb.ccc", Created: at, Expires: at.Add(time.Hour)}}}
	b, err := r.Encode()
	golden(t, "ticket.response.xml", b, err)
	back, err := msa.ParseTicketResponse(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(r))
	ticket, ok := back.For("DDS.microsoft.com")
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(ticket.Value).To(gomega.Equal("aaa.bbb.ccc"))
	_, ok = back.For("other")
	g.Expect(ok).To(gomega.BeFalse())

	f := msa.NewFault(msa.StatusBadCredentials, "the password is another one", at)
	b, err = f.Encode()
	golden(t, "ticket.fault.xml", b, err)
	_, err = msa.ParseTicketResponse(b)
	g.Expect(err).To(gomega.Equal(f))
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("0x80048821")))
	_, err = msa.ParseTicketResponse([]byte("<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>"))
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestTicketRequestRoundTrip(t *testing.T) {
	word := rapid.StringMatching(`[ -~äß€]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		r := ticketRequest()
		r.Username, r.Password, r.MessageID = word.Draw(t, "user"), word.Draw(t, "password"), word.Draw(t, "id")
		r.Created = time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "created"), 0).UTC()
		if rapid.Bool().Draw(t, "proof") {
			b := rapid.SliceOfN(rapid.Byte(), 1, 40)
			r.Proof = &msa.AttestedProof{AIKCertificates: rapid.SliceOfN(b, 1, 3).Draw(t, "chain"), Statement: b.Draw(t, "statement")}
		}
		b, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := msa.ParseTicketRequest(b)
		if err != nil {
			t.Fatal(err)
		}
		gomega.NewWithT(t).Expect(back).To(gomega.Equal(r))
	})
}
