package ldap_test

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead/ldap"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/krb5"
	wire "windtunnel.test/sim/wire/ldap"
)

func TestSimpleBinds(t *testing.T) {
	for _, c := range []struct {
		name, user, password, who string
		refused                   gomega.OmegaMatcher
	}{
		{name: "nobody"},
		{name: "a name without a password is nobody", user: "anna@contoso.com"},
		{name: "user principal name", user: "anna@contoso.com", password: password, who: `u:CORP\anna`},
		{name: "domain and name", user: `CORP\anna`, password: password, who: `u:CORP\anna`},
		{name: "distinguished name", user: "CN=anna," + users, password: password, who: `u:CORP\anna`},
		{name: "wrong password", user: "anna@contoso.com", password: "x", refused: refusal(wire.InvalidCredentials, "data 52e")},
		{name: "unknown", user: "otto@contoso.com", password: "x", refused: refusal(wire.InvalidCredentials, "80090308")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.dial(func(_ context.Context, l *adclient.LDAP) {
				err := l.Bind(c.user, c.password)
				if c.refused != nil {
					r.Expect(err).To(c.refused)
				} else {
					r.Expect(err).NotTo(gomega.HaveOccurred())
				}
				r.Expect(l.WhoAmI()).To(gomega.Equal(c.who))
			})
		})
	}
}

func TestTLS(t *testing.T) {
	r := newRig(t)
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.Confidential()).To(gomega.BeFalse())
		r.Expect(c.Bind("anna@contoso.com", password)).To(gomega.Succeed())
		r.Expect(c.StartTLS()).To(gomega.Succeed())
		r.Expect(c.Confidential()).To(gomega.BeTrue())
		r.Expect(c.TLS().PeerCertificates[0].DNSNames).To(gomega.Equal([]string{host, domain}))
		r.Expect(c.StartTLS()).To(refusal(wire.OperationsError, "already in effect"))
		r.Expect(c.Bind("anna@contoso.com", password)).To(gomega.Succeed())
		r.Expect(c.WhoAmI()).To(gomega.Equal(`u:CORP\anna`))
	})
	r.run(func(ctx context.Context) {
		c, err := adclient.DialLDAPS(ctx, r.client, host)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(c.Bind("anna@contoso.com", password)).To(gomega.Succeed())
		r.Expect(c.Close()).To(gomega.Succeed())
	})
	r.run(func(ctx context.Context) {
		wary := r.client
		wary.Roots = nil
		_, err := adclient.DialLDAPS(ctx, wary, host)
		r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("unknown authority")))
		late := r.client
		late.Now = func() time.Time { return start.AddDate(2, 0, 0) }
		_, err = adclient.DialLDAPS(ctx, late, host)
		r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("expired")))
	})
}

func TestWithoutCertificate(t *testing.T) {
	r := newRig(t, func(s *ldap.Server) { s.Certificate = nil })
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.StartTLS()).To(refusal(wire.Unavailable, "Error initializing SSL/TLS"))
		r.Expect(c.Bind("anna@contoso.com", password)).To(gomega.Succeed())
	})
	r.run(func(ctx context.Context) {
		_, err := adclient.DialLDAPS(ctx, r.client, host)
		r.Expect(err).To(gomega.HaveOccurred())
	})
}

func TestPlainPasswordsWhereTLSIsRequired(t *testing.T) {
	r := newRig(t, func(s *ldap.Server) { s.RequireTLS = true })
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.Bind("anna@contoso.com", password)).To(refusal(wire.StrongerAuthRequired, "00002028"))
		r.Expect(c.WhoAmI()).To(gomega.BeEmpty())
		r.Expect(c.StartTLS()).To(gomega.Succeed())
		r.Expect(c.Bind("anna@contoso.com", password)).To(gomega.Succeed())
	})
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.BindSASL(wire.MechanismGSSAPI, r.initiator("anna", false, 0))).To(gomega.Succeed())
	})
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		unsigned := r.initiator("anna", true, krb5.FlagMutual)
		r.Expect(c.BindSASL(wire.MechanismSPNEGO, unsigned)).To(refusal(wire.StrongerAuthRequired, "00002028"))
	})
}

func TestKerberosBinds(t *testing.T) {
	for _, c := range []struct {
		name, mechanism string
		flags           krb5.ContextFlags
		spnego          bool
	}{
		{"GSSAPI", wire.MechanismGSSAPI, 0, false},
		{"GSSAPI, without proof of the server", wire.MechanismGSSAPI, krb5.FlagConfidentiality | krb5.FlagIntegrity, false},
		{"GSS-SPNEGO", wire.MechanismSPNEGO, 0, true},
		{"GSS-SPNEGO with bare Kerberos", wire.MechanismSPNEGO, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.dial(func(_ context.Context, l *adclient.LDAP) {
				r.Expect(l.BindSASL(c.mechanism, r.initiator("anna", c.spnego, c.flags))).To(gomega.Succeed())
				r.Expect(l.Confidential()).To(gomega.BeTrue())
				r.Expect(l.WhoAmI()).To(gomega.Equal(`u:CORP\anna`))
				found, err := l.Search(search(domainDN, wire.WholeSubtree, "(sAMAccountName=anna)", "userPrincipalName"))
				r.Expect(err).NotTo(gomega.HaveOccurred())
				r.Expect(found).To(gomega.HaveLen(1))
				r.Expect(l.StartTLS()).To(refusal(wire.OperationsError, "security layer"))
				again := l.BindSASL(c.mechanism, r.initiator("anna", c.spnego, c.flags))
				r.Expect(again).To(refusal(wire.UnwillingToPerform, "00002029"))
			})
		})
	}
}

func TestKerberosOverTLS(t *testing.T) {
	r := newRig(t)
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.StartTLS()).To(gomega.Succeed())
		r.Expect(c.BindSASL(wire.MechanismGSSAPI, r.initiator("anna", false, 0))).To(gomega.Succeed())
		r.Expect(c.WhoAmI()).To(gomega.Equal(`u:CORP\anna`))
		sealing := c.BindSASL(wire.MechanismSPNEGO, r.initiator("anna", true, 0))
		r.Expect(sealing).To(refusal(wire.UnwillingToPerform, "when using TLS/SSL"))
	})
}

func TestKerberosRefusals(t *testing.T) {
	r := newRig(t)
	for name, spoil := range map[string]func(i *krb5.Initiator){
		"clock that is off": func(i *krb5.Initiator) { i.Now = func() time.Time { return r.clock.Now().Add(6 * time.Minute) } },
		"another's ticket":  func(i *krb5.Initiator) { i.Client = krb5.ParseName("otto") },
		"another's key":     func(i *krb5.Initiator) { i.Ticket = r.initiator("anna", false, 0).Ticket },
		"wrong session key": func(i *krb5.Initiator) { i.Session = krb5.NewKey(krb5.AES256, r.client.Random) },
	} {
		r.dial(func(_ context.Context, c *adclient.LDAP) {
			i := r.initiator("anna", false, 0)
			spoil(i)
			r.Expect(c.BindSASL(wire.MechanismGSSAPI, i)).To(refusal(wire.InvalidCredentials, "80090308"), name)
			r.Expect(c.WhoAmI()).To(gomega.BeEmpty())
		})
	}
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		i := r.initiator("nobody", false, 0)
		r.Expect(c.BindSASL(wire.MechanismGSSAPI, i)).To(refusal(wire.InvalidCredentials, "80090308"))
		r.Expect(c.BindSASL("DIGEST-MD5", r.initiator("anna", false, 0))).To(refusal(wire.AuthMethodNotSupported, "00002027"))
	})
	r.Expect(r.journal).To(gomega.ContainElement(gomega.HaveField("Kind", journal.Refused)))
}

// replayed sends the same first token twice.
type replayed struct{ token []byte }

func (p *replayed) Init([]byte) ([]byte, bool, error)       { return p.token, false, nil }
func (p *replayed) Wrap(_ bool, b []byte) ([]byte, error)   { return b, nil }
func (p *replayed) Unwrap(b []byte) (out []byte, err error) { return b, nil }

func TestReplayedAuthenticator(t *testing.T) {
	r := newRig(t)
	token, _, err := r.initiator("anna", true, 0).Init(nil)
	r.Expect(err).NotTo(gomega.HaveOccurred())
	results := []error{}
	for range 2 {
		r.dial(func(_ context.Context, c *adclient.LDAP) {
			results = append(results, c.BindSASL(wire.MechanismSPNEGO, &replayed{token}))
		})
	}
	r.Expect(wire.CodeOf(results[0])).NotTo(gomega.Equal(wire.InvalidCredentials))
	r.Expect(results[1]).To(refusal(wire.InvalidCredentials, "80090308"))
}
