package fakeentra_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	wireaik "windtunnel.test/sim/wire/aik"
	wiredrs "windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// FuzzAIKContent is for an attacker who does what everybody can: seal content
// of his own to the authority and sign the message. Only what is inside is odd.
func FuzzAIKContent(f *testing.F) {
	w := newWorld(f)
	p := w.pc(0)
	p.enrollAIK()
	ra := scep.Identity{Key: pki.RSAKey(keyRA)}
	for _, sent := range []*wireaik.Sent{p.request1(nil), p.keyRequest(nil)} {
		ra.Certificate = p.authority.Encryption
		f.Add(contentOf(f, sent.DER, ra), int(scep.PKCSReq))
	}
	first, c := p.challenged()
	f.Add(contentOf(f, p.request2(first, c, make([]byte, tpmattest.SecretSize), p.signer).DER, ra), int(wireaik.AnswerChallenge))
	f.Fuzz(func(t *testing.T, content []byte, kind int) {
		w.t = t
		envelope, err := scep.Seal(content, p.authority.Encryption, vclock.Seed(1).Reader("fuzz"))
		must(t, err)
		m := scep.Message{Attributes: first.Attributes, Content: envelope}
		m.MessageType = scep.MessageType(kind)
		der, err := m.Sign(p.signer)
		must(t, err)
		if status, body := w.post(w.entra.AIK, wireaik.URL(p.host, "PKIOperation"), der); status >= http.StatusInternalServerError {
			t.Fatalf("the service broke: %s", body)
		}
	})
}

// contentOf opens a message's envelope.
func contentOf(t testing.TB, der []byte, ra scep.Identity) []byte {
	m, err := scep.Parse(der)
	must(t, err)
	content, err := scep.Open(m.Content, ra)
	must(t, err)
	return content
}

// FuzzJoin sends a join's parts that a device makes up: certificate request,
// transport key, AIK certificate, attestation and ticket.
func FuzzJoin(f *testing.F) {
	w := newWorld(f)
	p := w.pc(0).ready()
	p.register()
	nonce := p.nonce()
	good := p.attested(p.joinRequest(), nonce)
	ticket := []byte(p.ticket(true))
	f.Add([]byte(good.CertificateRequest.Data), []byte(good.TransportKey), []byte(good.AikCertificate), []byte(good.AttestationData), ticket, true)
	f.Fuzz(func(t *testing.T, csr, transport, aikCert, attestation, ddid []byte, fresh bool) {
		w.t = t
		r := *good
		r.CertificateRequest.Data, r.TransportKey, r.AikCertificate, r.AttestationData, r.Attributes.DeviceTicket = csr, transport, aikCert, attestation, ddid
		use := nonce
		if fresh {
			use = p.nonce()
		}
		if _, refused := p.sendJoin(&r, wiredrs.HeaderNonce, use); refused != nil && refused.Status() >= http.StatusInternalServerError {
			t.Fatal(refused)
		}
	})
}

// FuzzJoinBody sends any body at all.
func FuzzJoinBody(f *testing.F) {
	w := newWorld(f)
	p := w.pc(0).ready()
	body, err := json.Marshal(p.attested(p.joinRequest(), p.nonce()))
	must(f, err)
	f.Add(string(body))
	f.Add("{}")
	f.Fuzz(func(t *testing.T, body string) {
		w.t = t
		r := httptest.NewRequest(http.MethodPost, "https://"+wiredrs.Host+"/EnrollmentServer/device/", strings.NewReader(body))
		if status, answer := w.do(w.entra.DRS, r); status >= http.StatusInternalServerError {
			t.Fatalf("the service broke: %s", answer)
		}
	})
}

// FuzzTicketRequest sends any body to the two doors of the account service.
func FuzzTicketRequest(f *testing.F) {
	w := newWorld(f)
	p := w.pc(0).ready()
	body, err := p.ticketRequest(true).Encode()
	must(f, err)
	f.Add(string(body), true)
	f.Add("<DeviceAddRequest/>", false)
	f.Fuzz(func(t *testing.T, body string, ticket bool) {
		w.t = t
		path := msa.PathDeviceAdd
		if ticket {
			path = msa.PathTicket
		}
		if status, answer := w.post(w.entra.MSA, "https://"+hosts.MSA+path, []byte(body)); status != http.StatusOK {
			t.Fatalf("the service broke: %s", answer)
		}
	})
}

// FuzzTicketProof sends a ticket request that is good but for its proof.
func FuzzTicketProof(f *testing.F) {
	w := newWorld(f)
	p := w.pc(0).ready()
	good := p.ticketRequest(true)
	f.Add(good.Proof.AIKCertificates[0], good.Proof.Statement)
	f.Fuzz(func(t *testing.T, cert, statement []byte) {
		w.t = t
		r := good
		r.Proof = &msa.AttestedProof{AIKCertificates: [][]byte{cert}, Statement: statement}
		_, _ = p.sendTicket(r)
	})
}

// FuzzHealth sends evidence of which parts are made up: the log and the claim's
// values beside an honest quote, or the claim as well.
func FuzzHealth(f *testing.F) {
	w := newWorld(f)
	p := w.pc(0)
	p.enrollAIK()
	good := p.evidence(p.healthChallenge()).Data.TPM
	f.Add([]byte(good.BootLog), []byte(good.AIKCertificate), []byte(good.CurrentClaim), true)
	f.Add([]byte(good.BootLog), []byte(good.AIKCertificate), []byte(good.CurrentClaim), false)
	f.Fuzz(func(t *testing.T, log, cert, claim []byte, quoted bool) {
		w.t, p.chip.t = t, t
		r := p.evidence(p.healthChallenge())
		r.Data.TPM.BootLog, r.Data.TPM.AIKCertificate = log, cert
		if !quoted {
			r.Data.TPM.CurrentClaim = claim
		}
		switch status, answer := p.attest(r); {
		case status >= http.StatusInternalServerError:
			t.Fatalf("the service broke: %s", answer)
		case status == http.StatusOK && !quoted:
			t.Fatalf("it believed a claim over another challenge: %s", answer)
		}
	})
}

// FuzzHealthBody sends any body at all.
func FuzzHealthBody(f *testing.F) {
	w := newWorld(f)
	f.Add(`{"type":"aikcert"}`)
	f.Add(`{"data":"eyJ0eXBlIjoiYWlrY2VydCJ9"}`)
	f.Add(`{"request":"a.b.c"}`)
	f.Fuzz(func(t *testing.T, body string) {
		w.t = t
		if status, answer := w.post(w.entra.Health, attestURL, []byte(body)); status >= http.StatusInternalServerError {
			t.Fatalf("the service broke: %s", answer)
		}
	})
}
