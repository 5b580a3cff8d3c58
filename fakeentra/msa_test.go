package fakeentra_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/msa"
	"windtunnel.test/sim/wire/hosts"
	wire "windtunnel.test/sim/wire/msa"
)

func TestDeviceTickets(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0)
	p.addDevice()
	plain, err := p.entra.MSA.VerifyTicket(p.ticket(false), wire.ScopeDeployment, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(plain.TPMValidated).To(BeFalse())
	g.Expect(plain.HardwareID).To(Equal(wire.HardwareID(p.uuid, p.sn)))

	p.enrollAIK()
	proved, err := p.entra.MSA.VerifyTicket(p.ticket(true), wire.ScopeDeployment, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(proved.TPMValidated).To(BeTrue())
	g.Expect(proved.PUID).To(Equal(plain.PUID))
	g.Expect(proved.EKHash).To(HaveLen(64))

	_, err = p.entra.MSA.VerifyTicket(p.ticket(false), wire.ScopeDeployment, p.now.Add(p.entra.MSA.Timing.MSA.DeviceTicketLife))
	g.Expect(err).To(MatchError(wire.ErrExpired))
}

func TestTicketRequestsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *pc, r *wire.TicketRequest)
		status uint32
		check  string
	}{
		"wrong password": {func(_ *pc, r *wire.TicketRequest) { r.Password = "guess" }, wire.StatusBadCredentials, "device account"},
		"unknown device": {func(_ *pc, r *wire.TicketRequest) { r.Username = "02nobody" }, wire.StatusBadCredentials, "device account"},
		"old request":    {func(p *pc, _ *wire.TicketRequest) { p.now = p.now.Add(time.Hour) }, wire.StatusBadRequest, "timestamp"},
		"request of the future": {func(p *pc, r *wire.TicketRequest) {
			p.now = p.now.Add(-time.Hour)
		}, wire.StatusBadRequest, "timestamp"},
		"AIK of nobody": {func(p *pc, r *wire.TicketRequest) { r.Proof.AIKCertificates[0] = p.ekCert }, wire.StatusTPMNotValidated, "AIK certificate"},
		"statement of another AIK": {func(p *pc, r *wire.TicketRequest) {
			digest := r.ProofDigest()
			r.Proof.Statement = p.world.pc(1).chip.quote(digest[:])
		}, wire.StatusTPMNotValidated, "statement signature"},
		"statement for another request": {func(p *pc, r *wire.TicketRequest) { r.Proof.Statement = p.chip.quote([]byte("other")) }, wire.StatusTPMNotValidated, "statement qualifyingData"},
		"no statement at all":           {func(p *pc, r *wire.TicketRequest) { r.Proof.Statement = []byte("none") }, wire.StatusTPMNotValidated, "statement format"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := newWorld(t).pc(0).ready()
			r := p.ticketRequest(true)
			c.change(p, &r)
			_, err := p.sendTicket(r)
			var fault *wire.Fault
			g.Expect(errors.As(err, &fault)).To(BeTrue())
			g.Expect(fault.Status).To(Equal(c.status), fault.Error())
			p.refused("msa", c.check)
		})
	}
}

func TestProofIsGoodOnce(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0).ready()
	r := p.ticketRequest(true)
	_, err := p.sendTicket(r)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = p.sendTicket(r)
	g.Expect(err).To(HaveOccurred())
	p.refused("msa", "message id")
	// The AIK may also vouch for a key instead of signing a quote.
	r.MessageID = "urn:uuid:other"
	digest := r.ProofDigest()
	r.Proof.Statement = p.chip.certify(digest[:])
	_, err = p.sendTicket(r)
	g.Expect(err).NotTo(HaveOccurred())
}

func TestDeviceAccountsThatAreNotMade(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0)
	p.addDevice()
	send := func(r wire.DeviceAddRequest) wire.DeviceAddResponse {
		body, err := wire.Encode(r)
		g.Expect(err).NotTo(HaveOccurred())
		_, answer := p.post(p.entra.MSA, "https://"+hosts.MSA+"/PPSECURE/deviceaddcredential.srf", body)
		out, err := wire.ParseDeviceAddResponse(answer)
		g.Expect(err).NotTo(HaveOccurred())
		return out
	}
	r := wire.DeviceAddRequest{Authentication: wire.Authentication{Membername: "02" + p.sn, Password: "x"}}
	g.Expect(send(r).Error.Code).To(Equal(wire.DeviceAddBadParameter))
	p.refused("msa", "hardware components")
	r.DeviceInfo.Add(wire.ComponentUUID, p.uuid)
	r.DeviceInfo.Add(wire.ComponentSerial, p.sn)
	g.Expect(send(r).Error.Code).To(Equal(wire.DeviceAddExists))
	p.refused("msa", "member name")
	r.Authentication.Password = ""
	g.Expect(send(r).Error.Code).To(Equal(wire.DeviceAddNoCredentials))
	p.refused("msa", "credentials")
}

func TestZeroMSAServiceWorks(t *testing.T) {
	g := NewWithT(t)
	w := &world{t: t}
	var s msa.Service
	status, _ := w.get(&s, "https://"+hosts.MSA+"/")
	g.Expect(status).To(Equal(http.StatusNotImplemented))
	_, body := w.post(&s, "https://"+hosts.MSA+wire.PathTicket, []byte("<x/>"))
	_, err := wire.ParseTicketResponse(body)
	g.Expect(err).To(HaveOccurred())
}
