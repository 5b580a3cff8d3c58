package mdm_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/syncml"
	"windtunnel.test/sim/wire/tcglog"
	"windtunnel.test/sim/wire/tpmattest"
)

const trigger = `{"rpID":"https://mdm.example","serviceEndpoint":"https://` + hosts.HealthAttestation + maa.Path + `?api-version=` + maa.APIVersion + `","nonce":"5468697320697320","aadToken":"a token","cv":"vector.0"}`

// attestation is an attestation service that believes everything.
type attestation struct {
	*rig.Rig
	status  int // of the second answer; 0: a report
	request *maa.Request
	headers []http.Header
}

func (a *attestation) handle(w http.ResponseWriter, q *http.Request) {
	a.Expect(q.URL.Path).To(gomega.Equal(maa.Path))
	body, err := io.ReadAll(q.Body)
	a.OK(err)
	m, err := maa.Decode[maa.ToService](body)
	a.OK(err)
	a.headers = append(a.headers, q.Header)
	w.Header().Set(maa.HeaderCorrelation, "exchange "+string(rune('0'+len(a.headers))))
	answer := maa.ToClient{Challenge: []byte("a challenge"), ServiceContext: []byte("a context")}
	if m.Request != "" {
		a.request, err = maa.OpenRequest(m.Request)
		a.OK(err)
		answer = maa.ToClient{Report: "a.b.c"}
		if a.status != 0 {
			w.WriteHeader(a.status)
			_, _ = w.Write(maa.EncodeError(maa.Error{Code: maa.CodeFailed, Message: "event log: no"}))
			return
		}
	}
	reply, err := maa.Encode(answer)
	a.OK(err)
	_, err = w.Write(reply)
	a.OK(err)
}

func get(uris ...string) (list []syncml.Command) {
	for _, uri := range uris {
		list = append(list, syncml.NewGet(uri))
	}
	return list
}

func execute(value string) syncml.Command {
	return syncml.NewExec(csp.HealthTrigger, syncml.Chr, value)
}

// values are what the last session's Gets brought, by node.
func (s *server) values() map[string]string {
	out := map[string]string{}
	for _, c := range s.got[1].Commands {
		if c.Verb == syncml.Results {
			for _, i := range c.Items {
				out[i.Source] = i.Data
			}
		}
	}
	return out
}

// attest has a PC attest its health, and gives what the nodes say then.
func attest(t *testing.T, a *attestation, prepare func(w *device.Windows)) (map[string]string, *device.PC) {
	t.Helper()
	r := rig.New(t)
	a.Rig = r
	s := serve(r)
	r.Serve(hosts.HealthAttestation, a.handle)
	var values map[string]string
	pc := r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		prepare(w)
		r.Expect(s.codes(w, deviceSession, get(csp.HealthStatus, csp.HealthReport)...)).To(gomega.Equal([]int{404, 404}), "nothing was asked yet")
		r.Expect(s.codes(w, deviceSession, execute(trigger))).To(gomega.Equal([]int{202}))
		s.script = nil // the session that Windows opens has nothing to do
		before := len(s.begun)
		r.OK(w.Sleep(2*w.Timing.Network.ConnectTimeout, "test"))
		r.Expect(len(s.begun) - before).To(gomega.Equal(1))
		s.codes(w, deviceSession, get(csp.HealthStatus, csp.HealthErrorMessage, csp.HealthReport, csp.HealthCorrelationIDs, csp.HealthMaxSupportedProtocol)...)
		values = s.values()
		if a.request != nil {
			claim, err := maa.ParseClaim(a.request.Data.TPM.CurrentClaim)
			r.OK(err)
			qualifying, err := maa.Qualifying([]byte("a challenge"), a.request.Data.AttestKey.Key)
			r.OK(err)
			_, err = tpmattest.VerifyQuote(a.request.Data.TPM.AIKPublic.Key, claim.Quote, claim.Signature, qualifying, nil)
			r.OK(err)
			log, err := tcglog.Parse(a.request.Data.TPM.BootLog)
			r.OK(err)
			replayed, err := log.Replay(tcglog.SHA256)
			r.OK(err)
			r.Expect(claim.Values).To(gomega.Equal(replayed))
			mdm, err := w.Key(w.Ctx, "mdm")
			r.OK(err)
			r.Expect(tpmattest.SameKey(a.request.Data.AttestKey.Key, mdm.Public())).To(gomega.BeTrue())
		}
	})
	return values, pc
}

// certified gives a Windows an AIK certificate, which the service here does not
// look at.
func certified(w *device.Windows) {
	w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: "aik", DER: []byte("certificate")})
}

func TestHealthAttestation(t *testing.T) {
	g := gomega.NewWithT(t)
	a := &attestation{}
	values, _ := attest(t, a, certified)
	g.Expect(values).To(gomega.Equal(map[string]string{csp.HealthStatus: "0", csp.HealthErrorMessage: "", csp.HealthReport: "a.b.c",
		csp.HealthCorrelationIDs: "exchange 1;exchange 2", csp.HealthMaxSupportedProtocol: "3"}))
	g.Expect(a.request.Data.RelyingParty).To(gomega.Equal("https://mdm.example"))
	g.Expect(a.request.Data.RelyingData).To(gomega.Equal(maa.Bytes("This is ")))
	g.Expect(a.headers[0].Get("Authorization")).To(gomega.Equal("Bearer a token"))
	g.Expect(a.headers[1].Get(maa.HeaderCorrelation)).To(gomega.Equal("vector.0"))
}

func TestHealthAttestationThatFails(t *testing.T) {
	g := gomega.NewWithT(t)
	values, _ := attest(t, &attestation{status: http.StatusBadRequest}, certified)
	g.Expect(values).To(gomega.HaveKeyWithValue(csp.HealthStatus, "-2145844848"), hresult.FromHTTPStatus(400).Hex())
	g.Expect(values).To(gomega.HaveKeyWithValue(csp.HealthErrorMessage, "event log: no"))
	g.Expect(values).NotTo(gomega.HaveKey(csp.HealthReport))

	// No certificate, and nothing that would get one: the service is not even asked.
	a := &attestation{}
	values, _ = attest(t, a, func(*device.Windows) {})
	g.Expect(values).To(gomega.HaveKeyWithValue(csp.HealthStatus, "-2147023728"), hresult.NotFound.Hex())
	g.Expect(a.headers).To(gomega.BeEmpty())
}

func TestHealthAttestationCommands(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		r.Expect(s.codes(w, deviceSession, execute("{}"), execute("no JSON"), syncml.NewExec(csp.HealthStatus, syncml.Chr, ""), syncml.NewGet(csp.HealthTrigger),
			replace(csp.HealthStatus, "0"))).To(gomega.Equal([]int{500, 500, 405, 404, 405}))
		r.Expect(s.codes(w, deviceSession, get(csp.HealthMaxSupportedProtocol, csp.HealthRoot+"/VerifyHealth")...)).To(gomega.Equal([]int{200, 404}))
	})
}
