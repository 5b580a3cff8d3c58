package kdc

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/wire/krb5"
)

// initial is what a logon straight to a service gives.
func (w *world) initial(t *testing.T, user, with string, server krb5.Name) (krb5.Ticket, krb5.Key) {
	t.Helper()
	g := gomega.NewWithT(t)
	a, ok := w.dir.Primary().AccountBySAM(user)
	g.Expect(ok).To(gomega.BeTrue())
	key, err := krb5.StringToKey(krb5.AES256, with, w.dir.Primary().Salt(a))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	stamp, err := krb5.EncryptedTimestamp(key, w.clock.at)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	r := &krb5.Request{
		Type: krb5.TypeAS, Realm: realm, Client: krb5.ParseName(user), Server: server, Nonce: 1, EncryptionTypes: []int32{krb5.AES256},
		PAData: []krb5.PAData{{Type: krb5.PAEncTimestamp, Value: stamp}},
	}
	reply, err := krb5.DecodeReply(krb5.TypeAS, w.server.HandlePacket(t.Context(), elsewhere, r.Encode()))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	part, err := reply.Open(key, false, r)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	return reply.Ticket, part.Key
}

// A ticket that is only for changing an expired password gets no others under
// another name, and a granting ticket changes no password under that one's.
func TestPasswordTicketUnderAnotherName(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	ticket, session := w.initial(t, "new", password, krb5.PasswordService())
	ticket.Server = krb5.TGS(realm)
	b := forged(t, w, ticket, session, func(_ *krb5.Request, a *krb5.Authenticator) { a.Client = krb5.ParseName("new") })
	g.Expect(code(t, w.server.HandlePacket(t.Context(), elsewhere, b))).To(gomega.BeEquivalentTo(krb5.ErrModified))

	tgt := w.mustLogon(t).TGT
	tgt.Ticket.Server = krb5.PasswordService()
	ap, err := krb5.NewAPRequest(tgt.Ticket, tgt.Session, 0, &krb5.Authenticator{ClientRealm: realm, Client: krb5.ParseName("anna"), Time: w.clock.at, Subkey: tgt.Session})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	packet, err := krb5.NewPasswordExchange(ap, tgt.Session, 1, []byte{10, 0, 0, 9}, krb5.PasswordRequest{Password: further})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = krb5.DecodePasswordResult(w.server.Passwords().HandlePacket(t.Context(), elsewhere, packet), tgt.Session, tgt.Session, w.clock.at)
	g.Expect(err).To(refusedWith(krb5.ErrModified))
}

// A ticket sealed with a user's key could be opened by guessing the password.
func TestUsersAreNoServices(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c := w.mustLogon(t)
	for _, name := range []string{"stale", "krbtgt"} {
		_, err := c.Service(t.Context(), name)
		g.Expect(err).To(refusedWith(krb5.ErrUserToUser), name)
	}
	_, err := c.Service(t.Context(), "dc1$")
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

// busy is a directory where others try wrong passwords while one is looked at.
type busy struct {
	*directory.Replica
	asked int
}

func (b *busy) Keys(a directory.Account) []directory.Key {
	if b.asked++; b.asked == 2 { // with the proof
		for range 3 {
			b.Failed(context.Background(), a)
		}
	}
	return b.Replica.Keys(a)
}

func TestGuessesAtOnceAreCounted(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	w.server.Directory = &busy{Replica: w.dir.Primary()}
	_, err := w.logon(t, "anna", password)
	g.Expect(err).To(refusedWith(krb5.ErrClientRevoked))
}

func TestWorkstations(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	_, err := w.dir.AddUser(directory.User{SAM: "tied", Password: password, Workstations: []string{"PC-1", "PC-2"}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	w.clock.at = w.clock.at.Add(time.Hour)
	for host, good := range map[string]bool{"pc-2": true, "PC-3": false, "": false} {
		h := w.host
		h.Name = host
		_, err := adclient.Logon(t.Context(), h, "dc1.corp.contoso.com", realm, "tied", adclient.Secret{Password: password})
		if good {
			g.Expect(err).NotTo(gomega.HaveOccurred(), host)
			continue
		}
		g.Expect(err).To(refusedWith(krb5.ErrPolicy), host)
		var e *krb5.Error
		g.Expect(asError(err, &e)).To(gomega.BeTrue())
		status, _ := e.Status()
		g.Expect(status).To(gomega.BeEquivalentTo(0xC0000070))
	}
}
