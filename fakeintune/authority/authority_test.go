package authority_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
)

const tenantID = "11111111-2222-4333-8444-555555555555"

func TestWhoACertificateProves(t *testing.T) {
	g := gomega.NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	s := tenant.New(tenant.Options{Seed: 1, Now: func() time.Time { return now }})
	customer, err := s.Add(tenantID, "contoso.test")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	a, err := authority.New(s)
	g.Expect(err).NotTo(gomega.HaveOccurred())

	key := pki.Key(1, "device")
	issue := func(ca *pki.CA, subject pkix.Name) *x509.Certificate {
		cert, err := ca.Issue(now, &x509.Certificate{Subject: subject, NotAfter: now.Add(time.Hour)}, key.Public())
		g.Expect(err).NotTo(gomega.HaveOccurred())
		return cert
	}
	mine := issue(a.MDM, pkix.Name{CommonName: "device"})
	m, err := customer.Enroll(t.Context(), tenant.ManagedDevice{
		ManagedDevice: graph.ManagedDevice{SerialNumber: "S1"}, Kind: tenant.EnrolledByUser, Thumbprint: pki.Thumbprint(mine)})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	agent := issue(a.IME, pkix.Name{CommonName: m.ID, OrganizationalUnit: []string{tenantID}})
	_, err = customer.UpdateDevice(m.ID, func(m *tenant.ManagedDevice) error {
		m.IMEThumbprint = pki.Thumbprint(agent)
		return nil
	})
	g.Expect(err).NotTo(gomega.HaveOccurred())

	request := func(certs ...*x509.Certificate) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "https://r.manage.microsoft.com/", nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: certs}
		return r
	}
	c, err := a.MDMClient(request(mine))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(c.Device.ID).To(gomega.Equal(m.ID))
	c, err = a.IMEClient(request(agent))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(c.Device.ID).To(gomega.Equal(m.ID))

	for _, tc := range []struct {
		name   string
		who    func(*http.Request) (authority.Client, error)
		certs  []*x509.Certificate
		later  time.Duration
		want   error
		status int
	}{
		{"none", a.MDMClient, nil, 0, authority.ErrNoCertificate, 401},
		{"of the other authority", a.MDMClient, []*x509.Certificate{agent}, 0, authority.ErrIssuer, 403},
		{"of no device", a.MDMClient, []*x509.Certificate{issue(a.MDM, pkix.Name{CommonName: "other"})}, 0, authority.ErrDevice, 403},
		{"expired", a.MDMClient, []*x509.Certificate{mine}, 2 * time.Hour, authority.ErrValidity, 401},
		{"MDM certificate for the agent", a.IMEClient, []*x509.Certificate{mine}, 0, authority.ErrIssuer, 403},
		{"agent's, replaced", a.IMEClient, []*x509.Certificate{issue(a.IME, pkix.Name{CommonName: m.ID, OrganizationalUnit: []string{tenantID}, Locality: []string{"2"}})}, 0, authority.ErrDevice, 403},
		{"agent's of no tenant", a.IMEClient, []*x509.Certificate{issue(a.IME, pkix.Name{CommonName: m.ID, OrganizationalUnit: []string{"x"}})}, 0, authority.ErrDevice, 403},
		{"agent's of nobody", a.IMEClient, []*x509.Certificate{issue(a.IME, pkix.Name{CommonName: m.ID})}, 0, authority.ErrDevice, 403},
	} {
		now = now.Add(tc.later)
		_, err := tc.who(request(tc.certs...))
		g.Expect(err).To(gomega.MatchError(tc.want), tc.name)
		g.Expect(authority.Status(err)).To(gomega.Equal(tc.status), tc.name)
		now = now.Add(-tc.later)
	}
	g.Expect(customer.DeleteDevice(t.Context(), m.ID)).To(gomega.Succeed())
	_, err = a.MDMClient(request(mine))
	g.Expect(err).To(gomega.MatchError(authority.ErrDevice))
}

func TestAuthoritiesFollowFromTheSeed(t *testing.T) {
	g := gomega.NewWithT(t)
	made := func(seed uint64) []string {
		s := tenant.New(tenant.Options{Seed: vclock.Seed(seed), Now: func() time.Time { return time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC) }})
		customer, err := s.Add(tenantID, "contoso.test")
		g.Expect(err).NotTo(gomega.HaveOccurred())
		a, err := authority.New(s)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		org, err := a.Organization(customer)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		return []string{pki.Thumbprint(a.MDM.Cert), pki.Thumbprint(a.IME.Cert), pki.Thumbprint(org.Cert)}
	}
	g.Expect(made(1)).To(gomega.Equal(made(1)))
	g.Expect(made(1)).NotTo(gomega.Equal(made(2)))
}
