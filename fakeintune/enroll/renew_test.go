package enroll_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/scep"
)

// enrolled is a device with its certificate; its key is the pool's third.
func (w *world) enrolled() scep.Identity {
	w.T.Helper()
	p, fault := w.Enrol(w.h, w.userToken(), w.user())
	if fault != nil {
		w.T.Fatal(fault)
	}
	return w.identity(p, 3)
}

func (w *world) identity(p *mde.Provisioning, key int) scep.Identity {
	cert, err := x509.ParseCertificate(p.Client.DER)
	if err != nil {
		w.T.Fatal(err)
	}
	return scep.Identity{Certificate: cert, Key: pki.RSAKey(key)}
}

// renewal is a request for a new certificate of the pool's sixth key.
func (w *world) renewal(old scep.Identity) mde.Enrol {
	der, err := mde.SignRenewal(w.CSR(pki.RSAKey(6)), old)
	if err != nil {
		w.T.Fatal(err)
	}
	return mde.Enrol{Renew: true, Request: der, Context: mde.Context{DeviceType: mde.DeviceType}}
}

// renew asks for it over a connection with the old certificate.
func (w *world) renew(old scep.Identity, change func(*mde.Enrol)) (*mde.Provisioning, *mde.Fault) {
	m := w.renewal(old)
	if change != nil {
		change(&m)
	}
	return w.renewWith(old.Certificate, m)
}

func (w *world) renewWith(cert *x509.Certificate, m mde.Enrol) (*mde.Provisioning, *mde.Fault) {
	rec := w.With(cert, w.h, http.MethodPost, enrolURL, soap, w.request(nil, m))
	_, result, err := mde.DecodeEnrolResult(rec.Body.Bytes())
	var fault *mde.Fault
	if errors.As(err, &fault) {
		return nil, fault
	}
	if err != nil {
		w.T.Fatal(err)
	}
	p, err := mde.DecodeProvisioning(result.Provisioning)
	if err != nil {
		w.T.Fatal(err)
	}
	return p, nil
}

const untilRenewal = (365 - 41) * 24 * time.Hour

func TestRenewal(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	old := w.enrolled()
	before := w.Tenant.Devices()[0]
	w.Pass(untilRenewal)
	p, fault := w.renew(old, nil)
	g.Expect(fault).To(BeNil())
	g.Expect(p.App.ProviderID).To(Equal("MS DM Server"))
	g.Expect(p.Client.RenewPeriod).To(Equal(42))
	renewed := w.identity(p, 6)
	g.Expect(renewed.Certificate.NotAfter).To(BeTemporally("==", w.Clock.Now().Add(365*24*time.Hour).Truncate(time.Second)))

	after := w.Tenant.Devices()[0]
	g.Expect(w.Tenant.Devices()).To(HaveLen(1))
	g.Expect(after.ID).To(Equal(before.ID), "the record stays")
	g.Expect(after.EnrolledDateTime).To(Equal(before.EnrolledDateTime))
	g.Expect(after.Thumbprint).To(Equal(pki.Thumbprint(renewed.Certificate)))

	// The answer got lost: the device tries again with what it has.
	p, fault = w.renew(old, nil)
	g.Expect(fault).To(BeNil())
	renewed = w.identity(p, 6)
	// The new certificate arrived: the old one has had its day.
	_, fault = w.renew(renewed, nil)
	g.Expect(fault.Code()).To(Equal(hresult.EnrollNotEligibleToRenew))
	_, fault = w.renew(old, nil)
	g.Expect(fault.Code()).To(Equal(hresult.EnrollAuthentication))
	g.Expect(w.Refusals()).To(Equal([]string{"renewal period 0x80180016", "client certificate device 0x80180002"}))
}

func TestRenewalRefusals(t *testing.T) {
	for _, tc := range []struct {
		name  string
		later time.Duration
		do    func(w *world, old scep.Identity) *mde.Fault
		code  hresult.Code
		check string
	}{
		{"too early", untilRenewal - 2*24*time.Hour, nil, hresult.EnrollNotEligibleToRenew, "renewal period"},
		{"too late", 366 * 24 * time.Hour, nil, hresult.EnrollAuthentication, "client certificate validity"},
		{"no certificate in TLS", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			_, f := w.renewWith(nil, w.renewal(old))
			return f
		}, hresult.EnrollAuthentication, "client certificate missing"},
		{"of another authority", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			ca, _ := pki.NewRoot(w.Clock.Now(), 9, "Microsoft Intune MDM Device CA", pki.Options{})
			forged, _ := ca.Issue(w.Clock.Now(), &x509.Certificate{Subject: old.Certificate.Subject, NotAfter: w.Clock.Now().Add(time.Hour)}, old.Key.Public())
			_, f := w.renew(scep.Identity{Certificate: forged, Key: old.Key}, nil)
			return f
		}, hresult.EnrollAuthentication, "client certificate issuer"},
		{"of a device that was deleted", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			w.Do(func(ctx context.Context) {
				if err := w.Tenant.DeleteDevice(ctx, w.Tenant.Devices()[0].ID); err != nil {
					w.T.Error(err)
				}
			})
			_, f := w.renew(old, nil)
			return f
		}, hresult.EnrollAuthentication, "client certificate device"},
		{"signed by another device", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			other := w.otherDevice()
			_, f := w.renewWith(old.Certificate, w.renewal(other))
			return f
		}, hresult.EnrollAuthentication, "renewal signer"},
		{"for another device", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			_, f := w.renew(old, func(m *mde.Enrol) { m.Context.EmmDeviceID = "someone" })
			return f
		}, hresult.EnrollNotEligibleToRenew, "renewal device"},
		{"of a user who left", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			u := w.Directory.Users[ada]
			u.Enabled = false
			w.Directory.Users[ada] = u
			_, f := w.renew(old, nil)
			return f
		}, hresult.EnrollNotEligibleToRenew, "renewal user"},
		{"no PKCS#7", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			_, f := w.renew(old, func(m *mde.Enrol) { m.Request = w.CSR(pki.RSAKey(6)) })
			return f
		}, hresult.EnrollCertificateRequest, "renewal request"},
		{"no request inside", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			_, f := w.renew(old, func(m *mde.Enrol) { m.Request, _ = mde.SignRenewal([]byte("x"), old) })
			return f
		}, hresult.EnrollCertificateRequest, "certificate request"},
		{"short key", untilRenewal, func(w *world, old scep.Identity) *mde.Fault {
			_, f := w.renew(old, func(m *mde.Enrol) { m.Request, _ = mde.SignRenewal(w.CSR(pki.RSAKeyBits(1, 1024)), old) })
			return f
		}, hresult.EnrollCertificateRequest, "certificate request key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			old := w.enrolled()
			w.Pass(tc.later)
			thumbprint := w.Tenant.Devices()[0].Thumbprint
			var fault *mde.Fault
			if tc.do == nil {
				_, fault = w.renew(old, nil)
			} else {
				fault = tc.do(w, old)
			}
			g.Expect(fault).NotTo(BeNil())
			g.Expect(fault.Code().Hex()).To(Equal(tc.code.Hex()), fault.Error())
			g.Expect(w.Refusals()).To(ContainElement(tc.check + " " + tc.code.Hex()))
			for _, d := range w.Tenant.Devices() {
				if d.ID == old.Certificate.Subject.CommonName {
					g.Expect(d.Thumbprint).To(Equal(thumbprint))
				}
			}
		})
	}
}

// otherDevice is a device of the other tenant, with a certificate of the same
// authority.
func (w *world) otherDevice() scep.Identity {
	key := pki.RSAKey(5)
	cert, err := w.authorities.MDM.Issue(w.Clock.Now(), &x509.Certificate{NotAfter: w.Clock.Now().Add(time.Hour)}, key.Public())
	if err != nil {
		w.T.Fatal(err)
	}
	w.Do(func(ctx context.Context) {
		if _, err := w.Other.Enroll(ctx, tenant.ManagedDevice{Thumbprint: pki.Thumbprint(cert)}); err != nil {
			w.T.Error(err)
		}
	})
	return scep.Identity{Certificate: cert, Key: key}
}

// A certificate proves the tenant it was issued in and no other.
func TestRenewalStaysInItsTenant(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	other := w.otherDevice()
	r, err := w.authorities.MDMClient(w.connection(other.Certificate))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Tenant.ID).To(Equal(rig.OtherID))
	_, fault := w.renew(other, nil)
	g.Expect(fault).To(BeNil(), "it ends within the hour")
	g.Expect(w.Tenant.Devices()).To(BeEmpty())
	_, err = w.authorities.MDMClient(w.connection(nil))
	g.Expect(err).To(MatchError(authority.ErrNoCertificate))
}
