package ldap_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead/ldap"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/wire/krb5"
	wire "windtunnel.test/sim/wire/ldap"
)

// Who was bound before TLS could have been anybody on the way.
func TestStartTLSForgetsWhoWasBound(t *testing.T) {
	r := newRig(t)
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.Bind("anna@contoso.com", password)).To(gomega.Succeed())
		r.Expect(c.StartTLS()).To(gomega.Succeed())
		r.Expect(c.WhoAmI()).To(gomega.BeEmpty())
		_, err := c.Search(search(domainDN, wire.BaseObject, "(objectClass=*)"))
		r.Expect(err).To(refusal(wire.OperationsError, "000004DC"))
	})
}

// Requests that somebody puts behind StartTLS in the clear are not taken for
// requests under TLS (CVE-2011-0411): the handshake fails on them.
func TestPlainRequestsBehindStartTLS(t *testing.T) {
	r := newRig(t)
	start := (&wire.Message{ID: 1, Op: &wire.ExtendedRequest{Name: wire.StartTLS}}).Append(nil)
	admin, word := r.dir.Administrator()
	behind := (&wire.Message{ID: 2, Op: &wire.BindRequest{Version: 3, Name: admin, Password: []byte(word)}}).Append(start)
	behind = (&wire.Message{ID: 3, Op: &wire.DeleteRequest{DN: "CN=anna," + users}}).Append(behind)
	r.run(func(ctx context.Context) {
		c, err := r.nic.Dial(ctx, "tcp", host+":389")
		r.must(err)
		defer c.Close()
		r.must(c.SetDeadline(r.clock.Now().Add(time.Hour)))
		_, err = c.Write(behind)
		r.must(err)
		m, err := wire.NewReader(c, wire.Limits{}).Read()
		r.must(err)
		r.Expect(m.Op.(*wire.ExtendedResponse).Code).To(gomega.Equal(wire.Success))
		roots := x509.NewCertPool()
		roots.AddCert(r.root.Cert)
		err = tls.Client(wire.UnderTLS(c), &tls.Config{RootCAs: roots, ServerName: host, Time: r.clock.Now}).Handshake()
		r.Expect(err).To(gomega.HaveOccurred())
	})
	_, there := r.dir.Primary().AccountBySAM("anna")
	r.Expect(there).To(gomega.BeTrue())
}

// A signature keeps nobody from reading a password.
func TestPasswordsUnderASignedLayer(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		r := newRig(t, func(s *ldap.Server) { s.RequireTLS = true })
		r.dial(func(_ context.Context, c *adclient.LDAP) {
			flags := krb5.FlagMutual | krb5.FlagIntegrity
			if sealed {
				flags |= krb5.FlagConfidentiality
			}
			r.Expect(c.BindSASL(wire.MechanismSPNEGO, r.initiator("anna", true, flags))).To(gomega.Succeed())
			if err := c.Bind("anna@contoso.com", password); sealed {
				r.Expect(err).NotTo(gomega.HaveOccurred())
			} else {
				r.Expect(err).To(refusal(wire.StrongerAuthRequired, "00002028"))
			}
		})
	}
}

// A ticket of an account that is gone is none of the machine that is called
// alike but for its dollar.
func TestTicketsWithoutTheDollar(t *testing.T) {
	r := newRig(t)
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.BindSASL(wire.MechanismGSSAPI, r.initiator("dc1", false, 0))).To(refusal(wire.InvalidCredentials, "data 52e"))
		r.Expect(c.WhoAmI()).To(gomega.BeEmpty())
	})
}
