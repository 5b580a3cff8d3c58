package kdc

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/krb5"
)

func TestLogonAndServiceTickets(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c := w.mustLogon(t)
	g.Expect(c.Client.String()).To(gomega.Equal("anna"))
	g.Expect(c.TGT.Flags.Has(krb5.Initial | krb5.PreAuthent | krb5.Forwardable | krb5.Renewable)).To(gomega.BeTrue())
	g.Expect(c.TGT.End).To(gomega.Equal(w.clock.at.Add(10 * time.Hour)))
	g.Expect(c.TGT.RenewTill).To(gomega.Equal(w.clock.at.Add(168 * time.Hour)))
	g.Expect(c.TGT.Ticket.Type).To(gomega.BeEquivalentTo(krb5.AES256))

	s, err := c.Service(t.Context(), "ldap/dc1.corp.contoso.com")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(s.Session.Type).To(gomega.BeEquivalentTo(krb5.AES256))
	g.Expect(s.End).To(gomega.Equal(c.TGT.End))
	again, err := c.Service(t.Context(), "ldap/dc1.corp.contoso.com")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.BeIdenticalTo(s), "the ticket that there is")
	g.Expect(w.wire.dialled).NotTo(gomega.ContainElement("tcp"))

	_, err = c.Service(t.Context(), "http/nowhere.contoso.com")
	g.Expect(err).To(refusedWith(krb5.ErrServerUnknown))
}

func TestLogonIsRefused(t *testing.T) {
	for _, c := range []struct {
		user, password string
		code           int32
		status         uint32
	}{
		{"nobody", password, krb5.ErrClientUnknown, 0},
		{"nobody@contoso.com", password, krb5.ErrClientUnknown, 0},
		{"anna", "wrong", krb5.ErrPreauthFailed, 0},
		{"off", password, krb5.ErrClientRevoked, 0xC0000072},
		{"gone", password, krb5.ErrClientRevoked, 0xC0000193},
		{"stale", password, krb5.ErrPasswordExpired, 0xC0000071},
		{"stale", "wrong", krb5.ErrPreauthFailed, 0},
		{"new", password, krb5.ErrPasswordExpired, 0xC0000224},
	} {
		t.Run(c.user+" "+c.password, func(t *testing.T) {
			g := gomega.NewWithT(t)
			w := newWorld(t)
			_, err := w.logon(t, c.user, c.password)
			g.Expect(err).To(refusedWith(c.code))
			var e *krb5.Error
			g.Expect(asError(err, &e)).To(gomega.BeTrue())
			status, _ := e.Status()
			g.Expect(status).To(gomega.Equal(c.status))
			g.Expect(e.ServerTime.Equal(w.clock.at)).To(gomega.BeTrue())
		})
	}
}

func TestLockout(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	for range 3 {
		_, err := w.logon(t, "anna", "wrong")
		g.Expect(err).To(refusedWith(krb5.ErrPreauthFailed))
	}
	_, err := w.logon(t, "anna", password)
	g.Expect(err).To(refusedWith(krb5.ErrClientRevoked))
	w.clock.at = w.clock.at.Add(31 * time.Minute)
	_, err = w.logon(t, "anna", password)
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

func TestClockSkew(t *testing.T) {
	for _, off := range []time.Duration{-301 * time.Second, -299 * time.Second, 299 * time.Second, 301 * time.Second} {
		g := gomega.NewWithT(t)
		w := newWorld(t)
		w.host.Now = func() time.Time { return w.clock.at.Add(off) }
		_, err := w.logon(t, "anna", password)
		if off.Abs() > 300*time.Second {
			g.Expect(err).To(refusedWith(krb5.ErrSkew), off.String())
		} else {
			g.Expect(err).NotTo(gomega.HaveOccurred(), off.String())
		}
	}
}

func TestRenewal(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c := w.mustLogon(t)
	first := c.TGT
	w.clock.at = w.clock.at.Add(9 * time.Hour)
	g.Expect(c.Renew(t.Context())).To(gomega.Succeed())
	g.Expect(c.TGT.End).To(gomega.Equal(w.clock.at.Add(10 * time.Hour)))
	g.Expect(c.TGT.RenewTill).To(gomega.Equal(first.RenewTill))
	w.clock.at = w.clock.at.Add(11 * time.Hour)
	g.Expect(c.Renew(t.Context())).To(refusedWith(krb5.ErrTicketExpired))
	_, err := c.Service(t.Context(), "ldap/dc1.corp.contoso.com")
	g.Expect(err).To(refusedWith(krb5.ErrTicketExpired))
}

func TestUserPrincipalName(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c, err := w.logon(t, "anna@contoso.com", password)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(c.Client).To(gomega.Equal(krb5.ParseName("anna")))
	_, err = c.Service(t.Context(), "host/dc1.corp.contoso.com")
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

func TestStreamWhereDatagramsAreTooSmall(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	small := *w.server.Timing
	small.Kerberos.DatagramReply = 300
	w.server.Timing = &small
	c := w.mustLogon(t)
	_, err := c.Service(t.Context(), "ldap/dc1.corp.contoso.com")
	g.Expect(err).NotTo(gomega.HaveOccurred(), "the same request again is no replay")
	g.Expect(w.wire.dialled).To(gomega.ContainElement("tcp"))
	e, err := krb5.DecodeError(w.wire.answers[len(w.wire.answers)-1])
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(e.Code).To(gomega.BeEquivalentTo(krb5.ErrTooBig))
}

func TestStreamWhereDatagramsAreLost(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	w.wire.loseUDP = true
	w.mustLogon(t)
	g.Expect(w.wire.asked).To(gomega.HaveLen(6), "three times each, unproved and proved")
}
