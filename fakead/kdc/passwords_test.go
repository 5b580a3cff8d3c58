package kdc

import (
	"errors"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/wire/krb5"
)

const further = "Battery-Staple-9"

func (w *world) change(t *testing.T, user, old, next string) error {
	t.Helper()
	return adclient.ChangePassword(t.Context(), w.host, "dc1.corp.contoso.com", realm, user, adclient.Secret{Password: old}, next)
}

func passwordResult(err error) int {
	var r *krb5.PasswordResult
	if errors.As(err, &r) {
		return r.Code
	}
	return -1
}

func TestChangeOfPassword(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	w.clock.at = w.clock.at.Add(25 * time.Hour) // beyond the minimum age
	g.Expect(w.change(t, "anna", password, further)).To(gomega.Succeed())
	_, err := w.logon(t, "anna", password)
	g.Expect(err).To(refusedWith(krb5.ErrPreauthFailed))
	_, err = w.logon(t, "anna", further)
	g.Expect(err).NotTo(gomega.HaveOccurred())

	g.Expect(passwordResult(w.change(t, "anna", further, "Other-Horse-77"))).To(gomega.Equal(krb5.PasswordSoftError), "too soon")
	g.Expect(w.change(t, "anna", "wrong", "Other-Horse-77")).To(refusedWith(krb5.ErrPreauthFailed))
	g.Expect(w.change(t, "off", password, further)).To(refusedWith(krb5.ErrClientRevoked))
	g.Expect(w.change(t, "new", password, further)).To(gomega.Succeed())
	_, err = w.logon(t, "new", further)
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

// Another controller that has not heard of a new password asks the first one.
func TestNewPasswordAtAnotherController(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	w.clock.at = w.clock.at.Add(25 * time.Hour)
	g.Expect(w.change(t, "anna", password, further)).To(gomega.Succeed())
	w.wire.server = &Server{Directory: w.dir.Replica("dc2"), Seed: 7}
	_, err := w.logon(t, "anna", further)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = w.logon(t, "anna", "wrong")
	g.Expect(err).To(refusedWith(krb5.ErrPreauthFailed))
}

func TestSettingOfPasswords(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	admin, err := w.logon(t, "Administrator", "Passw0rd!")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(admin.SetPassword(t.Context(), "anna", further)).To(gomega.Succeed())
	anna, err := w.logon(t, "anna", further)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(passwordResult(anna.SetPassword(t.Context(), "stale", further))).To(gomega.Equal(krb5.PasswordDenied))
	g.Expect(passwordResult(admin.SetPassword(t.Context(), "nobody", further))).To(gomega.Equal(krb5.PasswordHardError))
	g.Expect(passwordResult(admin.SetPassword(t.Context(), "stale", "x"))).To(gomega.Equal(krb5.PasswordSoftError))
}

func TestPasswordMessagesThatAreNone(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	for _, b := range [][]byte{nil, {0}, {0, 6, 0, 1, 0, 0}, {0, 6, 0, 9, 0, 0}, {0, 8, 0, 1, 0xff, 0xff, 1, 2}} {
		answer := w.server.Passwords().HandlePacket(t.Context(), elsewhere, b)
		_, err := krb5.DecodePasswordResult(answer, krb5.Key{}, krb5.Key{}, w.clock.at)
		var e *krb5.Error
		g.Expect(errors.As(err, &e)).To(gomega.BeTrue())
	}
}

// A ticket for changing passwords is good for minutes.
func TestPasswordTicketIsShort(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c := w.mustLogon(t)
	s, err := c.Service(t.Context(), "kadmin/changepw")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(s.End).To(gomega.Equal(w.clock.at.Add(2 * time.Minute)))
	g.Expect(s.RenewTill.IsZero()).To(gomega.BeTrue())
}
