package adclient

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"windtunnel.test/sim/wire/krb5"
)

// ChangePassword changes an account's own password (RFC 3244): with a ticket that the old one gets, so that an expired
// one will do. kdc is the controller; its password service is at port 464. A refusal is *krb5.Error, or
// *krb5.PasswordResult where the new password is not taken.
func ChangePassword(ctx context.Context, h Host, kdc, realm, principal string, old Secret, password string) error {
	c := &Credentials{Realm: realm, Client: clientName(principal), h: h, kdc: kdc}
	s, err := c.initial(ctx, old, krb5.PasswordService(), krb5.Canonicalize)
	if err == nil {
		err = c.changePassword(ctx, s, krb5.PasswordRequest{Password: password})
	}
	if err != nil {
		return fmt.Errorf("kerberos: change of %s's password: %w", principal, err)
	}
	return nil
}

// SetPassword sets another account's password, which takes rights over it ([MS-ADTS] 5.1.3.2.1 Reset-Password).
func (c *Credentials) SetPassword(ctx context.Context, account, password string) error {
	s, err := c.Service(ctx, krb5.PasswordService().String())
	if err == nil {
		err = c.changePassword(ctx, s, krb5.PasswordRequest{Password: password, Target: krb5.ParseName(account), Realm: c.Realm})
	}
	if err != nil {
		return fmt.Errorf("kerberos: setting of %s's password: %w", account, err)
	}
	return nil
}

func (c *Credentials) changePassword(ctx context.Context, s *Service, r krb5.PasswordRequest) error {
	conn, err := c.h.Net.Dial(ctx, "tcp", passwordAddress(c.kdc))
	if err != nil {
		return err
	}
	defer conn.Close()
	at, sub := c.h.now(), krb5.NewKey(s.Session.Type, c.h.Random)
	sequence := binary.BigEndian.Uint32(c.h.Random(4)) >> 2
	ap, err := krb5.NewAPRequest(s.Ticket, s.Session, krb5.MutualRequired, &krb5.Authenticator{
		ClientRealm: c.Realm, Client: c.Client, Time: at, Subkey: sub, Sequence: sequence,
	})
	if err != nil {
		return err
	}
	packet, err := krb5.NewPasswordExchange(ap, sub, sequence, localAddress(conn), r)
	if err != nil {
		return err
	}
	if err := c.h.within(conn, c.h.timing().Kerberos.Wait); err != nil {
		return err
	}
	if err := krb5.WriteFrame(conn, packet); err != nil {
		return err
	}
	answer, err := krb5.ReadFrame(conn)
	if err != nil {
		return err
	}
	result, err := krb5.DecodePasswordResult(answer, s.Session, sub, at)
	if err != nil {
		return err
	}
	if result.Code != krb5.PasswordOK {
		return result
	}
	return nil
}

// passwordAddress is where a controller changes passwords, whatever port its tickets come from.
func passwordAddress(kdc string) string {
	host, _, err := net.SplitHostPort(kdc)
	if err != nil {
		host = kdc
	}
	return net.JoinHostPort(host, portPassword)
}
