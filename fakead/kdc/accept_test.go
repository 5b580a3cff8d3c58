package kdc

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/krb5"
)

// A client's context with the directory service of the controller that gave it
// the ticket.
func TestAcceptor(t *testing.T) {
	for _, spnego := range []bool{false, true} {
		g := gomega.NewWithT(t)
		w := newWorld(t)
		c := w.mustLogon(t)
		client, err := c.Context(t.Context(), "ldap/dc1.corp.contoso.com", spnego)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		server := w.server.Acceptor()
		token, _, err := client.Init(nil)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		answer, done, err := server.Accept(token)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(done).To(gomega.BeTrue())
		_, done, err = client.Init(answer)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(done).To(gomega.BeTrue())
		name, _ := server.Client()
		g.Expect(name.String()).To(gomega.Equal("anna"))
		sealed, err := client.Wrap(true, []byte("bind"))
		g.Expect(err).NotTo(gomega.HaveOccurred())
		plain, _, err := server.Unwrap(sealed)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(string(plain)).To(gomega.Equal("bind"))

		_, _, err = w.server.Acceptor().Accept(token)
		g.Expect(err).To(gomega.MatchError(krb5.Refusal(krb5.ErrReplay)), "of another connection")

		// A ticket for somebody else's service is none for this controller.
		foreign, err := c.Context(t.Context(), "ldap/dc2.corp.contoso.com", spnego)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		token, _, err = foreign.Init(nil)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		_, _, err = w.server.Acceptor().Accept(token)
		g.Expect(err).To(gomega.MatchError(krb5.Refusal(krb5.ErrModified)))
	}
}
