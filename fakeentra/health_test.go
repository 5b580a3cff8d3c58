package fakeentra_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/health"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/tcglog"
	"windtunnel.test/sim/wire/tpmattest"
)

const attestURL = "https://" + hosts.HealthAttestation + maa.Path + "?api-version=" + maa.APIVersion

// bootLog is what was measured in the one simulator of this process, once.
var bootLog = sync.OnceValue(func() *tcglog.Log {
	dev, err := simulated()
	if err != nil {
		panic(err)
	}
	l := &tcglog.Log{Algorithms: []tcglog.Algorithm{tcglog.SHA256}}
	l.Add(0, tcglog.CRTMVersion, tcglog.UTF16("1.14.2"))
	l.Add(7, tcglog.EFIVariableDriverConfig, tcglog.Variable{Owner: tcglog.GlobalVariable, Name: "SecureBoot", Data: []byte{1}}.Marshal())
	l.Add(12, tcglog.EventTag, tcglog.Tagged{Tag: tcglog.TrustBoundary, Inside: []tcglog.Tagged{
		tcglog.Bool(tcglog.BootDebugging, false), tcglog.Bool(tcglog.CodeIntegrity, true), tcglog.Number(tcglog.BitLockerUnlock, tcglog.UnlockTPM),
	}}.Marshal())
	for _, e := range l.Events {
		_, err := tpm2.PCRExtend{PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(e.PCR), Auth: tpm2.PasswordAuth(nil)},
			Digests: tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{{HashAlg: tpm2.TPMAlgSHA256, Digest: e.Digests[0].Value}}}}.Execute(dev)
		if err != nil {
			panic(err)
		}
	}
	return l
})

// values are the registers as the log has them; only what a TPM starts with
// comes from the TPM's specification.
func values(t testing.TB) [tcglog.PCRs][]byte {
	t.Helper()
	v, err := bootLog().Replay(tcglog.SHA256)
	must(t, err)
	return v
}

// quoteOf has the AIK sign registers.
func (c *chip) quoteOf(qualifying []byte, mask ...byte) (attest, signature []byte) {
	c.t.Helper()
	return c.quoteBank(tpm2.TPMAlgSHA256, qualifying, mask...)
}

func (c *chip) quoteBank(bank tpm2.TPMIAlgHash, qualifying []byte, mask ...byte) (attest, signature []byte) {
	c.t.Helper()
	rsp, err := tpm2.Quote{SignHandle: auth(c.aik), QualifyingData: tpm2.TPM2BData{Buffer: qualifying}, InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
		PCRSelect: tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{{Hash: bank, PCRSelect: mask}}}}.Execute(c.tpm)
	must(c.t, err)
	a, err := tpmattest.ParseAttest(tpm2.Marshal(rsp.Quoted))
	must(c.t, err)
	return a.Bare(), tpm2.Marshal(rsp.Signature)
}

// attestKey is what signs requests in these tests.
func attestKey() *rsa.PrivateKey { return pki.RSAKey(keyForeign) }

// challenge opens an exchange.
func (p *pc) healthChallenge() maa.ToClient {
	p.t.Helper()
	body, err := maa.Encode(maa.ToService{Type: maa.TypeAIKCert})
	must(p.t, err)
	_, reply := p.post(p.entra.Health, attestURL, body)
	answer, err := maa.Decode[maa.ToClient](reply)
	must(p.t, err)
	return answer
}

// evidence is a good request over a challenge.
func (p *pc) evidence(c maa.ToClient) maa.Request {
	p.t.Helper()
	log := bootLog().Marshal()
	qualifying, err := maa.Qualifying(c.Challenge, attestKey().Public())
	must(p.t, err)
	quote, signature := p.chip.quoteOf(qualifying, 0xff, 0xff, 0xff)
	return maa.Request{Type: maa.TypeBasic, Data: maa.Data{
		RelyingParty: "https://intune.example", RelyingData: []byte("nonce"), Challenge: c.Challenge, ServiceContext: c.ServiceContext,
		TPM: maa.TPMData{BootLog: log, AIKCertificate: p.aikCert, AIKPublic: &maa.Key{Key: p.chip.aikPublic.Key},
			CurrentClaim: maa.PlatformClaim{Values: values(p.t), Quote: quote, Signature: signature}.Marshal()},
	}}
}

// attest sends a request and gives status and answer.
func (p *pc) attest(r maa.Request) (int, []byte) {
	p.t.Helper()
	jws, err := maa.SignRequest(r, attestKey())
	must(p.t, err)
	return p.attestRaw(maa.ToService{Request: jws})
}

func (p *pc) attestRaw(m maa.ToService) (int, []byte) {
	p.t.Helper()
	body, err := maa.Encode(m)
	must(p.t, err)
	return p.post(p.entra.Health, attestURL, body)
}

func TestHealthReport(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.pc(0)
	p.enrollAIK()
	status, body := p.attest(p.evidence(p.healthChallenge()))
	g.Expect(status).To(Equal(http.StatusOK), string(body))
	answer, err := maa.Decode[maa.ToClient](body)
	g.Expect(err).NotTo(HaveOccurred())
	report, err := w.entra.Health.Verify(answer.Report, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.SecureBoot && report.BitLocker && report.CodeIntegrity && report.BootDebuggingDisabled && report.AIKValidated).To(BeTrue())
	g.Expect(report.ELAM || report.VBS || report.NotSafeMode).To(BeFalse(), "the log is silent about them")
	g.Expect(report.BitLockerValue).To(Equal(tcglog.UnlockTPM))
	g.Expect(report.Nonce).To(Equal(maa.Bytes("nonce")))
	g.Expect(report.TPMVersion).To(Equal(2))
	g.Expect([]byte(report.PCR0)).To(Equal(values(t)[0]))
	g.Expect(tpmattest.SameKey(report.Confirmation.Key.Key, attestKey().Public())).To(BeTrue())
	g.Expect(report.Expires - report.IssuedAt).To(Equal(int64((96 * time.Hour).Seconds())))

	_, err = w.entra.Health.Verify(answer.Report, w.now.Add(97*time.Hour))
	g.Expect(err).To(MatchError(maa.ErrExpired))
	_, err = newWorld(t).entra.Health.Verify(answer.Report[:len(answer.Report)-4]+"AAAA", w.now)
	g.Expect(err).To(HaveOccurred())
}

func TestHealthRefusals(t *testing.T) {
	w := newWorld(t)
	p, other := w.pc(0), w.pc(1)
	p.enrollAIK()
	other.enrollAIK()
	for _, tc := range []struct {
		name, check string
		change      func(*maa.Request)
	}{
		{"a challenge of somebody else", "service context", func(r *maa.Request) { r.Data.Challenge = []byte("made up") }},
		{"a certificate that nobody gave", "AIK certificate", func(r *maa.Request) { r.Data.TPM.AIKCertificate = []byte("no certificate") }},
		{"another TPM's certificate", "AIK certificate", func(r *maa.Request) { r.Data.TPM.AIKCertificate = other.aikCert }},
		{"another TPM's name on this quote", "quote signature", func(r *maa.Request) {
			r.Data.TPM.AIKCertificate, r.Data.TPM.AIKPublic = other.aikCert, &maa.Key{Key: other.chip.aikPublic.Key}
		}},
		{"a claim of another form", "claim", func(r *maa.Request) { r.Data.TPM.CurrentClaim = []byte("PAD2") }},
		{"an old quote", "quote qualifyingData", func(r *maa.Request) {
			quote, signature := p.chip.quoteOf([]byte("an older challenge"), 0xff, 0xff, 0xff)
			r.Data.TPM.CurrentClaim = maa.PlatformClaim{Values: values(t), Quote: quote, Signature: signature}.Marshal()
		}},
		{"a quote for another requester", "quote qualifyingData", func(r *maa.Request) {
			qualifying, err := maa.Qualifying(r.Data.Challenge, other.chip.aikPublic.Key)
			must(t, err)
			quote, signature := p.chip.quoteOf(qualifying, 0xff, 0xff, 0xff)
			r.Data.TPM.CurrentClaim = maa.PlatformClaim{Values: values(t), Quote: quote, Signature: signature}.Marshal()
		}},
		{"a quote without register 12", "quote registers", func(r *maa.Request) {
			qualifying, err := maa.Qualifying(r.Data.Challenge, attestKey().Public())
			must(t, err)
			quote, signature := p.chip.quoteOf(qualifying, 0xff, 0xef, 0xff)
			r.Data.TPM.CurrentClaim = maa.PlatformClaim{Values: values(t), Quote: quote, Signature: signature}.Marshal()
		}},
		{"a quote of no register", "quote registers", func(r *maa.Request) {
			qualifying, err := maa.Qualifying(r.Data.Challenge, attestKey().Public())
			must(t, err)
			quote, signature := p.chip.quoteOf(qualifying, 0, 0, 0)
			r.Data.TPM.CurrentClaim = maa.PlatformClaim{Values: values(t), Quote: quote, Signature: signature}.Marshal()
		}},
		{"a quote of another bank", "quote registers", func(r *maa.Request) {
			qualifying, err := maa.Qualifying(r.Data.Challenge, attestKey().Public())
			must(t, err)
			quote, signature := p.chip.quoteBank(tpm2.TPMAlgSHA1, qualifying, 0xff, 0xff, 0xff)
			r.Data.TPM.CurrentClaim = maa.PlatformClaim{Values: values(t), Quote: quote, Signature: signature}.Marshal()
		}},
		{"values that were not quoted", "quote PCR digest", func(r *maa.Request) {
			claim, err := maa.ParseClaim(r.Data.TPM.CurrentClaim)
			must(t, err)
			claim.Values[7] = make([]byte, 32)
			r.Data.TPM.CurrentClaim = claim.Marshal()
		}},
		{"no log", "event log", func(r *maa.Request) { r.Data.TPM.BootLog = nil }},
		{"words of the log changed", "event digest", func(r *maa.Request) {
			r.Data.TPM.BootLog = bytes.Replace(r.Data.TPM.BootLog, []byte("S\x00e\x00c\x00u\x00r\x00e"), []byte("s\x00e\x00c\x00u\x00r\x00e"), 1)
		}},
		{"words and digest changed", "event log replay", func(r *maa.Request) {
			log, err := tcglog.Parse(r.Data.TPM.BootLog)
			must(t, err)
			log.Events = log.Events[:1]
			log.Add(7, tcglog.EFIVariableDriverConfig, tcglog.Variable{Owner: tcglog.GlobalVariable, Name: "SecureBoot", Data: []byte{0}}.Marshal())
			r.Data.TPM.BootLog = log.Marshal()
		}},
		{"an event more", "event log replay", func(r *maa.Request) {
			log, err := tcglog.Parse(r.Data.TPM.BootLog)
			must(t, err)
			log.Add(13, tcglog.EventTag, tcglog.Bool(tcglog.VSMRequired, true).Marshal())
			r.Data.TPM.BootLog = log.Marshal()
		}},
		{"an event left out", "event log replay", func(r *maa.Request) {
			log, err := tcglog.Parse(r.Data.TPM.BootLog)
			must(t, err)
			log.Events = log.Events[:2]
			r.Data.TPM.BootLog = log.Marshal()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			r := p.evidence(p.healthChallenge())
			tc.change(&r)
			status, body := p.attest(r)
			g.Expect(status).To(Equal(http.StatusBadRequest))
			g.Expect(maa.DecodeError(body).Message).To(HavePrefix(tc.check + ": "))
			w.refused("health", tc.check)
		})
	}
	t.Run("a challenge used twice", func(t *testing.T) {
		g := NewWithT(t)
		r := p.evidence(p.healthChallenge())
		status, _ := p.attest(r)
		g.Expect(status).To(Equal(http.StatusOK))
		status, _ = p.attest(r)
		g.Expect(status).To(Equal(http.StatusBadRequest))
		w.refused("health", "challenge unknown or used")
	})
	t.Run("a challenge that is too old", func(t *testing.T) {
		g := NewWithT(t)
		r := p.evidence(p.healthChallenge())
		w.now = w.now.Add(6 * time.Minute)
		status, _ := p.attest(r)
		g.Expect(status).To(Equal(http.StatusBadRequest))
		w.refused("health", "challenge expired")
	})
	t.Run("a request signed by another key", func(t *testing.T) {
		g := NewWithT(t)
		r := p.evidence(p.healthChallenge())
		jws, err := maa.SignRequest(r, attestKey())
		must(t, err)
		parts := bytes.Split([]byte(jws), []byte("."))
		r.Data.RelyingData, r.Data.AttestKey = []byte("another nonce"), &maa.Key{Key: attestKey().Public()}
		payload, err := json.Marshal(r)
		must(t, err)
		parts[1] = []byte(base64.RawURLEncoding.EncodeToString(payload))
		status, _ := p.attestRaw(maa.ToService{Request: string(bytes.Join(parts, []byte(".")))})
		g.Expect(status).To(Equal(http.StatusBadRequest))
		w.refused("health", "attest key")
	})
	t.Run("messages of no form", func(t *testing.T) {
		g := NewWithT(t)
		for _, m := range []maa.ToService{{}, {Type: "sgx"}, {Request: "a.b.c"}} {
			status, _ := p.attestRaw(m)
			g.Expect(status).To(Equal(http.StatusBadRequest))
		}
		status, _ := w.post(w.entra.Health, "https://"+hosts.HealthAttestation+maa.Path+"?api-version=2018-09-01-preview", []byte("{}"))
		g.Expect(status).To(Equal(http.StatusBadRequest))
		w.refused("health", "api-version")
		status, _ = w.post(w.entra.Health, "https://"+hosts.HealthAttestation+"/attest/SgxEnclave", nil)
		g.Expect(status).To(Equal(http.StatusNotImplemented))
	})
}

func TestHealthKeys(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	var meta maa.Metadata
	_, body := w.get(w.entra.Health, health.Issuer+"/.well-known/openid-configuration")
	g.Expect(json.Unmarshal(body, &meta)).To(Succeed())
	g.Expect(meta.Issuer).To(Equal(health.Issuer))
	_, body = w.get(w.entra.Health, meta.KeysURI)
	var keys jose.JSONWebKeySet
	g.Expect(json.Unmarshal(body, &keys)).To(Succeed())
	g.Expect(keys.Keys).To(HaveLen(1))
	g.Expect(keys.Keys[0].KeyID).To(Equal(w.entra.Health.Keys().Keys[0].KeyID))
}
