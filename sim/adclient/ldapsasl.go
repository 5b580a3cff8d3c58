package adclient

import (
	"context"
	"fmt"

	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// SecurityContext is the initiating side of a security context (RFC 2743 2.2.1); *krb5.Initiator is one.
type SecurityContext interface {
	ldap.Protector
	// Init takes the server's last token, nil at first, and gives the next one (empty: none), and whether the context stands.
	Init(token []byte) (out []byte, done bool, err error)
}

// bufferLimit is the longest protected buffer that the client takes.
const bufferLimit = 0xffffff

// BindSASL authenticates with a security context for ldap/<server>, by GSSAPI (RFC 4752) or GSS-SPNEGO. From then on
// everything is signed and sealed, but over TLS, where controllers refuse to.
func (l *LDAP) BindSASL(mechanism string, c SecurityContext) error {
	stands := false
	var token []byte // the server's
	for {
		out := []byte{}
		if !stands {
			var err error
			if out, stands, err = c.Init(token); err != nil {
				return fmt.Errorf("ldap: bind to %s: %w", l.server, err)
			}
			if out == nil {
				out = []byte{}
			}
		} else if mechanism == ldap.MechanismGSSAPI && token != nil {
			return l.chooseLayer(c, token)
		}
		r, err := exchange[*ldap.BindResponse](l, &ldap.BindRequest{Version: 3, Mechanism: mechanism, Credentials: out})
		if err != nil {
			return err
		}
		if r.Code != ldap.SASLBindInProgress {
			return l.bound(mechanism, c, r, stands)
		}
		if token = r.Credentials; token == nil {
			token = []byte{}
		}
	}
}

// bound is the end of a SASL bind whose layer was agreed on by the context's own flags.
func (l *LDAP) bound(mechanism string, c SecurityContext, r *ldap.BindResponse, stands bool) error {
	if err := r.Err(); err != nil {
		return err
	}
	if !stands {
		_, done, err := c.Init(r.Credentials)
		if err == nil && !done {
			err = errUnexpected
		}
		if err != nil {
			return l.fail(fmt.Errorf("ldap: bind to %s: the server did not prove itself: %w", l.server, err))
		}
	}
	if mechanism == ldap.MechanismGSSAPI {
		return l.fail(errUnexpected) // the layers were not spoken about
	}
	if l.secure == nil {
		l.protect(c, 0)
	}
	return nil
}

// chooseLayer takes the server's offer of layers and answers it.
func (l *LDAP) chooseLayer(c SecurityContext, token []byte) error {
	plain, err := c.Unwrap(token)
	if err != nil {
		return l.fail(fmt.Errorf("ldap: bind to %s: %w", l.server, err))
	}
	offered, most, _, err := krb5.DecodeLayers(plain)
	if err != nil {
		return l.fail(fmt.Errorf("ldap: bind to %s: %w", l.server, err))
	}
	want, takes := krb5.LayerSeal, bufferLimit
	if l.secure != nil {
		want, takes = krb5.LayerNone, 0
	}
	if offered&want == 0 {
		return l.fail(fmt.Errorf("ldap: %s does not offer security layer %d", l.server, want))
	}
	answer, err := c.Wrap(false, krb5.EncodeLayers(want, takes, ""))
	if err != nil {
		return l.fail(err)
	}
	r, err := exchange[*ldap.BindResponse](l, &ldap.BindRequest{Version: 3, Mechanism: ldap.MechanismGSSAPI, Credentials: answer})
	if err != nil {
		return err
	}
	if r.Code == ldap.SASLBindInProgress {
		return l.fail(errUnexpected)
	}
	if err := r.Err(); err != nil {
		return err
	}
	if want == krb5.LayerSeal {
		l.protect(c, most)
	}
	return nil
}

func (l *LDAP) protect(c SecurityContext, most int) {
	layer := ldap.NewLayer(l.conn, c, true, bufferLimit, most)
	l.conn, l.sealed = layer, true
	l.reader.Reset(layer)
}

// BindGSSAPI authenticates with Kerberos credentials: a ticket for ldap/<server> and GSSAPI.
func (l *LDAP) BindGSSAPI(ctx context.Context, creds *Credentials) error {
	return l.bindKerberos(ctx, creds, ldap.MechanismGSSAPI)
}

// BindSPNEGO is BindGSSAPI by the mechanism GSS-SPNEGO, which Windows prefers. Its contexts always sign and seal, so it
// is not for connections with TLS.
func (l *LDAP) BindSPNEGO(ctx context.Context, creds *Credentials) error {
	return l.bindKerberos(ctx, creds, ldap.MechanismSPNEGO)
}

func (l *LDAP) bindKerberos(ctx context.Context, creds *Credentials, mechanism string) error {
	c, err := creds.Context(ctx, "ldap/"+l.server, mechanism == ldap.MechanismSPNEGO)
	if err != nil {
		return fmt.Errorf("ldap: ticket for %s: %w", l.server, err)
	}
	return l.BindSASL(mechanism, c)
}
