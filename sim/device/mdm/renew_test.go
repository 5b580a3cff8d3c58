package mdm_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

const day = 24 * time.Hour

// renewer is an enrolment server that renews as well, unless it is told to
// refuse the first attempts.
type renewer struct {
	authority
	refuse   int
	robo     bool
	attempts []time.Duration // since the start
	keys     map[string]bool // that were certified
}

func (a *renewer) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.URL.Path != mde.EnrolPath {
		a.authority.ServeHTTP(w, q)
		return
	}
	body, err := io.ReadAll(q.Body)
	a.OK(err)
	h, m, err := mde.DecodeEnrol(body)
	a.OK(err)
	request := m.Request
	document := func() []byte {
		csr, err := x509.ParseCertificateRequest(request)
		a.OK(err)
		a.Expect(a.keys[string(csr.RawSubjectPublicKeyInfo)]).To(gomega.BeFalse(), "each certificate has a key of its own")
		a.keys[string(csr.RawSubjectPublicKeyInfo)] = true
		now := a.Clock.Now()
		cert, err := a.MDM.Issue(now, &x509.Certificate{NotAfter: now.Add(365 * day)}, csr.PublicKey)
		a.OK(err)
		p := &mde.Provisioning{Client: mde.ClientCertificate{Store: mde.StoreSystem, DER: cert.Raw, ROBOSupport: a.robo, RenewPeriod: 42, RetryInterval: 4},
			App: mde.Application{ProviderID: "MS DM Server", Addr: address}, DM: mde.DMClient{EntDMID: "the-entdmid"}}
		encode := p.Encode
		if m.Renew {
			encode = p.EncodeRenewal
		}
		doc, err := encode(mde.LayoutIntune)
		a.OK(err)
		return doc
	}
	if m.Renew {
		a.attempts = append(a.attempts, a.Clock.Now().Sub(rig.Start))
		var signer *x509.Certificate
		request, signer, err = mde.OpenRenewal(m.Request)
		a.OK(err)
		a.Expect(vnet.PeerCertificates(q)[0].Raw).To(gomega.Equal(signer.Raw))
		a.Expect(m.Context.EmmDeviceID).To(gomega.Equal("the-entdmid"))
		if len(a.attempts) <= a.refuse {
			out, err := mde.EncodeFault(h.Reply(), &mde.Fault{Subcode: mde.Authorization, ErrorType: mde.InMaintenance})
			a.OK(err)
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(out)
			return
		}
	}
	out, err := mde.EncodeEnrolResult(h.Reply(), &mde.EnrolResult{Provisioning: document()})
	a.OK(err)
	_, err = w.Write(out)
	a.OK(err)
}

// live has a PC enrol and go on for so many days.
func (a *renewer) live(t *testing.T, days int, then func(w *device.Windows)) {
	a.keys, a.authority.Rig = map[string]bool{}, rig.New(t)
	a.Net.Serve(hosts.Enrollment, a, vnet.ClientCert(vnet.RequestClientCert))
	// A whole year of sessions shows nothing here.
	a.Timing.MDM.SyncSchedule = timing.Schedule{{Every: 10 * day}}
	serve(a.authority.Rig)
	a.Once(1, func(w *device.Windows) {
		w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
		a.OK(mdm.Enroll(w, mdm.Enrollment{Token: "a.b.c", UPN: "ada@contoso.com", UserDriven: true}))
		a.OK(w.Sleep(time.Duration(days)*day, "life"))
		then(w)
	})
}

func TestCertificateRenewsItself(t *testing.T) {
	a := &renewer{robo: true}
	a.live(t, 2*323+3, func(w *device.Windows) {
		held, ok := w.Disk.Certs.Find(device.StoreMySystem, "mdm")
		a.Expect(ok).To(gomega.BeTrue())
		cert, err := held.Parse()
		a.OK(err)
		a.Expect(cert.NotAfter).To(gomega.BeTemporally(">", rig.Start.Add(1000*day)))
		a.OK(mdm.Sync(w, deviceSession))
		a.Expect(w.Disk.Keys.Get("mdm-renewed")).To(gomega.BeEmpty(), "the key before goes with its certificate")
		mdm.Forget(w)
		a.Expect(w.Disk.Keys.Get("mdm")).To(gomega.BeEmpty())
	})
	a.Expect(a.attempts).To(gomega.HaveLen(2))
	a.Expect(a.attempts[0]).To(gomega.BeNumerically("~", 323*day, time.Hour), "42 days before the end")
	a.Expect(a.Logged("mdm.renewed", "")).To(gomega.HaveLen(2))
	a.Expect(a.Logged("mdm.renewal.failed", "")).To(gomega.BeEmpty())
}

func TestRenewalIsTriedAgain(t *testing.T) {
	a := &renewer{robo: true, refuse: 2}
	a.live(t, 340, func(w *device.Windows) {})
	a.Expect(a.attempts).To(gomega.HaveLen(3))
	for i, at := range a.attempts {
		a.Expect(at).To(gomega.BeNumerically("~", time.Duration(323+4*i)*day, time.Hour))
	}
	a.Expect(a.Logged("mdm.renewal.failed", hresult.EnrollInMaintenance.Hex())).To(gomega.HaveLen(2))
	a.Expect(a.Logged("mdm.renewed", "")).To(gomega.HaveLen(1))
}

// An expired certificate is not renewed, and a server that does not renew is
// not asked.
func TestNoRenewal(t *testing.T) {
	never := &renewer{robo: true, refuse: 1000}
	never.live(t, 400, func(*device.Windows) {})
	never.Expect(never.attempts).To(gomega.HaveLen(11), "every four days of the last 42")
	never.Expect(never.attempts[10]).To(gomega.BeNumerically("<", 365*day))

	quiet := &renewer{}
	quiet.live(t, 340, func(w *device.Windows) {})
	quiet.Expect(quiet.attempts).To(gomega.BeEmpty())
}

// Power goes while the certificate is renewed: the old one is still there, and
// is renewed after the next start.
func TestPowerCutDuringRenewal(t *testing.T) {
	a := &renewer{robo: true}
	a.live(t, 1, func(w *device.Windows) {
		before, _ := w.Disk.Certs.Find(device.StoreMySystem, "mdm")
		key, err := w.NewKey(w.Ctx, "mdm-renewed") // as far as it came
		a.OK(err)
		a.OK(mdm.Renew(w))
		after, _ := w.Disk.Certs.Find(device.StoreMySystem, "mdm")
		a.Expect(after.Container).NotTo(gomega.Equal(before.Container))
		a.Expect(w.Disk.Keys.Get(after.Container)).NotTo(gomega.Equal(key.Blob()), "a fresh key")
	})
}
