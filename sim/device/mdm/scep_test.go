package mdm_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/syncml"
)

const ndes = "ndes.contoso.test"

// certifier is a SCEP server of the shortest kind: one RSA key, one challenge.
type certifier struct {
	*rig.Rig
	id      scep.Identity
	ca      *pki.CA
	waits   int // answers that a request gets before its certificate
	refuse  bool
	down    bool
	asked   []scep.MessageType
	request *x509.CertificateRequest
}

func certify(r *rig.Rig) *certifier {
	a := &certifier{Rig: r}
	var err error
	a.ca, err = pki.NewRoot(rig.Start, rig.Seed, "NDES CA", pki.Options{})
	r.OK(err)
	key := pki.PooledRSA(1)
	cert, err := a.ca.Issue(rig.Start, &x509.Certificate{
		Subject: pkix.Name{CommonName: "NDES RA"}, NotAfter: rig.Start.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature,
	}, key.Public())
	r.OK(err)
	a.id = scep.Identity{Certificate: cert, Key: key}
	r.Serve(ndes, a.handle)
	return a
}

func (a *certifier) handle(w http.ResponseWriter, q *http.Request) {
	if a.down {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	a.Expect(q.URL.Path).To(gomega.Equal(scep.PKIClient))
	switch q.URL.Query().Get("operation") {
	case scep.OpGetCACaps:
		_, _ = w.Write(scep.Capabilities{"AES", "POSTPKIOperation", "SHA-256"}.Marshal())
	case scep.OpGetCACert:
		b, err := scep.MarshalCertificates(a.id.Certificate, a.ca.Cert)
		a.OK(err)
		_, _ = w.Write(b)
	default:
		body, err := io.ReadAll(q.Body)
		a.OK(err)
		_, _ = w.Write(a.operate(body))
	}
}

func (a *certifier) operate(body []byte) []byte {
	m, err := scep.Parse(body)
	a.OK(err)
	a.asked = append(a.asked, m.MessageType)
	content, err := scep.Open(m.Content, a.id)
	a.OK(err)
	reply := scep.Message{Attributes: m.Reply(scep.Success, make([]byte, scep.NonceSize))}
	if m.MessageType == scep.PKCSReq {
		a.request, err = x509.ParseCertificateRequest(content)
		a.OK(err)
		a.OK(a.request.CheckSignature())
		text, err := scep.Challenge(a.request)
		a.OK(err)
		if text != "secret" || a.refuse {
			reply.Status, reply.FailInfo = scep.Failure, scep.BadRequest
		}
		a.Expect(m.Signer.PublicKey).To(gomega.Equal(a.request.PublicKey), "a first request is signed with the key that it is about")
	}
	if a.waits > 0 && reply.Status == scep.Success {
		a.waits--
		reply.Status = scep.Pending
	}
	if reply.Status == scep.Success {
		cert, err := a.ca.Issue(a.Clock.Now(), &x509.Certificate{RawSubject: a.request.RawSubject, NotAfter: rig.Start.AddDate(1, 0, 0)}, a.request.PublicKey.(crypto.PublicKey))
		a.OK(err)
		bundle, err := scep.MarshalCertificates(cert, a.ca.Cert)
		a.OK(err)
		reply.Content, err = scep.Seal(bundle, m.Signer, rig.Seed.Reader("scep"))
		a.OK(err)
	}
	der, err := reply.Sign(a.id)
	a.OK(err)
	return der
}

var wifiCert = csp.SCEP{Scope: csp.Device, ID: "ModelName=AC_1"}

// ask is the server's Atomic that begins an enrolment.
func ask(change func(*csp.SCEPRequest)) syncml.Command {
	request := csp.SCEPRequest{
		URLs: []string{"https://" + ndes + scep.NDESPath}, Challenge: "secret", SubjectName: `CN=PC-1, O="Contoso, Ltd", OU=IT`,
		AltNames: []csp.AltName{{Type: csp.AltDNS, Value: "pc-1.contoso.test"}, {Type: csp.AltUPN, Value: "anna@contoso.test"}}, EKU: []string{"1.3.6.1.5.5.7.3.2"},
		KeyUsage: 0xa0, Protection: csp.KeyInTPM, KeyLength: 2048, Hash: "SHA-2", RetryDelay: 1, RetryCount: 2,
	}
	change(&request)
	var commands []syncml.Command
	for _, n := range wifiCert.Nodes(request) {
		commands = append(commands, syncml.NewSet(syncml.Add, n.URI, syncml.Format(n.Format), n.Value))
	}
	return syncml.NewAtomic(append(commands, syncml.NewExec(wifiCert.Node(csp.SCEPEnroll), "", ""))...)
}

func asIs(*csp.SCEPRequest) {}

func (s *server) scepStatus(w *device.Windows) csp.SCEPState {
	text, _ := s.value(w, wifiCert.Node(csp.SCEPStatus))
	for _, state := range []csp.SCEPState{csp.SCEPFinished, csp.SCEPPending, csp.SCEPFailed, csp.SCEPUnknown} {
		if text == csp.Int("", int(state)).Value {
			return state
		}
	}
	return 0
}

// A certificate for a key in the TPM, or in software: subject, names, usages and
// challenge are what the server said, and the session does not wait for it.
func TestSCEP(t *testing.T) {
	for _, where := range []csp.KeyLocation{csp.KeyInTPM, csp.KeyInSoftware} {
		r := rig.New(t)
		s, a := serve(r), certify(r)
		r.Once(1, func(w *device.Windows) {
			r.Enrol(w, address)
			list := csp.JoinList([]string{wifiCert.Node("")})
			codes := s.codes(w, deviceSession, replace(csp.FirstSyncStatus(csp.Device, csp.ExpectedSCEPCerts), list), ask(func(q *csp.SCEPRequest) { q.Protection = where }))
			r.Expect(codes[len(codes)-1]).To(gomega.Equal(202))
			r.Expect(s.listed(w, csp.ExpectedSCEPCerts)).To(gomega.Equal([]uint32{0}))
			r.OK(w.Sleep(time.Minute, "it is there"))
			r.Expect(s.scepStatus(w)).To(gomega.Equal(csp.SCEPFinished))
			r.Expect(s.listed(w, csp.ExpectedSCEPCerts)).To(gomega.Equal([]uint32{1}))
			r.Expect(alerts(s)).To(gomega.Equal([]string{wifiCert.Node(csp.SCEPEnroll) + " = 1"}))
			held, there := w.Disk.Certs.Find(device.StoreMySystem, wifiCert.ID)
			r.Expect(there).To(gomega.BeTrue())
			cert, err := held.Parse()
			r.OK(err)
			r.Expect(cert.Subject.CommonName).To(gomega.Equal("PC-1"))
			r.Expect(cert.Subject.Organization).To(gomega.Equal([]string{"Contoso, Ltd"}))
			_, err = w.Key(w.Ctx, held.Container)
			r.Expect(err == nil).To(gomega.Equal(where == csp.KeyInTPM))
			print, _ := s.value(w, wifiCert.Node(csp.SCEPThumbprint))
			r.Expect(print).To(gomega.Equal(pki.Thumbprint(cert)))
			_, code := s.value(w, wifiCert.Node(csp.SCEPChallenge))
			r.Expect(code).To(gomega.Equal(404), "nobody reads the challenge")
			r.Expect(s.codes(w, deviceSession, syncml.NewDelete(wifiCert.Node("")), syncml.NewDelete(wifiCert.Node("")))).To(gomega.Equal([]int{200, 404}))
			r.Expect(w.Disk.Certs.All(device.StoreMySystem)).To(gomega.HaveLen(1), "that of the enrolment")
		})
		r.Expect(a.request.DNSNames).To(gomega.Equal([]string{"pc-1.contoso.test"}))
		r.Expect(a.request.PublicKey.(*rsa.PublicKey).N.BitLen()).To(gomega.Equal(2048))
		extensions := 0
		for _, e := range a.request.Extensions {
			if id := e.Id.String(); id == "2.5.29.17" || id == "2.5.29.37" || id == "2.5.29.15" {
				extensions++
			}
		}
		r.Expect(extensions).To(gomega.Equal(3))
	}
}

// A request that waits for an administrator is asked after; a server that is
// away is tried again; both as often as RetryCount says.
func TestSCEPRetries(t *testing.T) {
	for name, c := range map[string]struct {
		set    func(*certifier)
		change func(*csp.SCEPRequest)
		want   csp.SCEPState
		code   string
		asked  []scep.MessageType
	}{
		"approved at the second question": {func(a *certifier) { a.waits = 2 }, asIs, csp.SCEPFinished, "0", []scep.MessageType{scep.PKCSReq, scep.CertPoll, scep.CertPoll}},
		"never approved":                  {func(a *certifier) { a.waits = 9 }, asIs, csp.SCEPFailed, "-2147023436", []scep.MessageType{scep.PKCSReq, scep.CertPoll, scep.CertPoll}},
		"refused":                         {func(a *certifier) { a.refuse = true }, asIs, csp.SCEPFailed, "-2147024891", []scep.MessageType{scep.PKCSReq}},
		"down":                            {func(a *certifier) { a.down = true }, asIs, csp.SCEPFailed, "-2145844746", nil},
		"another authority":               {func(*certifier) {}, func(q *csp.SCEPRequest) { q.CAThumbprint = strings.Repeat("0", 40) }, csp.SCEPFailed, "-2146762487", nil},
		"no such name":                    {func(*certifier) {}, func(q *csp.SCEPRequest) { q.SubjectName = "PC-1" }, csp.SCEPFailed, "-2147024809", nil},
		"no Hello":                        {func(*certifier) {}, func(q *csp.SCEPRequest) { q.Protection = csp.KeyInHelloForBusiness }, csp.SCEPFailed, "-2144795647", nil},
		"the second server":               {func(*certifier) {}, func(q *csp.SCEPRequest) { q.URLs = append([]string{"https://away.contoso.test/"}, q.URLs...) }, csp.SCEPFinished, "0", []scep.MessageType{scep.PKCSReq}},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			s, a := serve(r), certify(r)
			c.set(a)
			r.Once(1, func(w *device.Windows) {
				r.Enrol(w, address)
				s.codes(w, deviceSession, ask(c.change))
				r.OK(w.Sleep(10*time.Minute, "the outcome"))
				r.Expect(s.scepStatus(w)).To(gomega.Equal(c.want))
				code, _ := s.value(w, wifiCert.Node(csp.SCEPErrorCode))
				r.Expect(code).To(gomega.Equal(c.code))
			})
			r.Expect(a.asked).To(gomega.Equal(c.asked))
		})
	}
}

// An enrolment goes on after the loss of power, with the same key, and the same
// transaction where the server has the request already.
func TestSCEPSurvivesPowerLoss(t *testing.T) {
	for _, waits := range []int{0, 1} {
		r := rig.New(t)
		s, a := serve(r), certify(r)
		a.waits = waits
		a.down = waits == 0
		pc := r.PC(1, func(w *device.Windows) error {
			w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
			if w.Boot == 1 {
				r.Enrol(w, address)
				w.InstallService(mdm.ServiceSchedule)
				s.codes(w, deviceSession, ask(asIs))
				s.script = nil
				return w.Sleep(time.Hour, "wait for the power to go")
			}
			a.down = false
			w.StartServices()
			r.OK(w.Sleep(2*time.Minute, "it goes on"))
			r.Expect(s.scepStatus(w)).To(gomega.Equal(csp.SCEPFinished))
			return device.ErrShutdown
		})
		r.Actor(func(ctx context.Context) {
			r.OK(pc.PowerOn(ctx))
			for len(r.Logged("scep.failed", "")) == 0 {
				r.OK(r.Clock.Sleep(ctx, time.Second, "watch"))
			}
			pc.CutPower()
			r.OK(pc.AwaitOff(ctx))
			r.OK(pc.PowerOn(ctx))
			r.OK(pc.AwaitOff(ctx))
		})
		r.Drive()
		if waits == 1 {
			r.Expect(a.asked).To(gomega.Equal([]scep.MessageType{scep.PKCSReq, scep.CertPoll}))
		}
	}
}
