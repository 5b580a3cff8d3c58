package ldap

import (
	"errors"
	"strings"

	"windtunnel.test/sim/wire/krb5"
	wire "windtunnel.test/sim/wire/ldap"
)

// negotiation is a SASL bind between its steps.
type negotiation struct {
	mechanism string
	acceptor  *krb5.Acceptor
	stands    bool // the context; what is missing is the agreement on a layer
	offered   bool // the layers that there are
}

// bufferLimit is the longest protected buffer that a server takes, which it says in GSSAPI's last step.
const bufferLimit = 0xa00000

// sasl is one step of a SASL bind (RFC 4513 5.2). The last one makes the session somebody's; the layer that was agreed on
// protects what follows its answer.
func (t *session) sasl(n *negotiation, r *wire.BindRequest) (out []byte, done bool, err error) {
	if n == nil {
		if n, err = t.negotiate(r.Mechanism); err != nil {
			return nil, true, err
		}
		if n.mechanism == wire.MechanismSPNEGO && len(r.Credentials) == 0 {
			t.pending = n // it asks what there is first ([MS-SPNG] 3.3.5.2)
			return krb5.Mechanisms(), false, nil
		}
	}
	switch {
	case n.offered:
		return nil, true, t.agree(n, r.Credentials)
	case n.stands:
		return t.offer(n)
	}
	out, n.stands, err = n.acceptor.Accept(r.Credentials)
	switch {
	case err != nil:
		return out, true, invalidCredentials()
	case n.stands && n.mechanism == wire.MechanismSPNEGO:
		return out, true, t.enter(n, protection(n.acceptor.Flags()), 0)
	case n.stands && len(out) == 0:
		return t.offer(n)
	}
	t.pending = n // the client has a token to take first (RFC 4752 3.1)
	return out, false, nil
}

func (t *session) negotiate(mechanism string) (*negotiation, error) {
	switch {
	case t.s.Accept == nil || mechanism != wire.MechanismGSSAPI && mechanism != wire.MechanismSPNEGO:
		return nil, refusal(wire.AuthMethodNotSupported, "00002027", "Invalid Authentication method")
	case t.layer:
		return nil, refusal(wire.UnwillingToPerform, "00002029", "Cannot bind using kerberos while signing or sealing is in effect")
	}
	return &negotiation{mechanism: mechanism, acceptor: t.s.Accept()}, nil
}

// protection is the layer that SPNEGO's client has asked for with its flags ([MS-ADTS] 5.1.1.1.2).
func protection(f krb5.ContextFlags) krb5.Layers {
	switch {
	case f&krb5.FlagConfidentiality != 0:
		return krb5.LayerSeal
	case f&krb5.FlagIntegrity != 0:
		return krb5.LayerSign
	}
	return krb5.LayerNone
}

// offer says which layers there are (RFC 4752 3.2).
func (t *session) offer(n *negotiation) (out []byte, done bool, err error) {
	all := krb5.LayerNone | krb5.LayerSign | krb5.LayerSeal
	if out, err = n.acceptor.Wrap(false, krb5.EncodeLayers(all, bufferLimit, "")); err != nil {
		return nil, true, invalidCredentials()
	}
	n.offered, t.pending = true, n
	return out, false, nil
}

// agree takes the client's choice.
func (t *session) agree(n *negotiation, token []byte) error {
	plain, _, err := n.acceptor.Unwrap(token)
	if err != nil {
		return invalidCredentials()
	}
	layer, most, who, err := krb5.DecodeLayers(plain)
	if err != nil {
		return refusal(wire.ProtocolError, "00000057", "Unknown security layer")
	}
	if name, _ := n.acceptor.Client(); who != "" && !strings.EqualFold(strings.TrimPrefix(who, "u:"), name.String()) {
		return invalidCredentials()
	}
	switch layer {
	case 0: // what go-ldap's client means by none
		return t.enter(n, krb5.LayerNone, most)
	case krb5.LayerNone, krb5.LayerSign, krb5.LayerSeal:
		return t.enter(n, layer, most)
	}
	return refusal(wire.ProtocolError, "00000057", "Not one security layer")
}

// enter makes the session the client's. most is the longest protected buffer that the client takes, 0 any.
func (t *session) enter(n *negotiation, layer krb5.Layers, most int) error {
	switch {
	case layer != krb5.LayerNone && t.secure != nil:
		return refusal(wire.UnwillingToPerform, "00002029", "Cannot start kerberos signing/sealing when using TLS/SSL")
	case layer == krb5.LayerNone && t.secure == nil && t.s.RequireTLS:
		return notSigned()
	}
	name, _ := n.acceptor.Client()
	a, ok := t.s.Directory.AccountByName(name.String())
	if !ok || strings.EqualFold(a.SAM, name.String()+"$") {
		// A ticket names its account in full; who has left out a dollar has had an
		// account of that name, which is gone (CVE-2021-42287).
		return invalidCredentials()
	}
	seal := layer == krb5.LayerSeal
	if layer != krb5.LayerNone {
		t.enters = wire.NewLayer(t.conn, protector{n.acceptor, seal}, seal, bufferLimit, most)
	}
	t.who = t.s.Directory.Identify(a)
	t.who.Confidential = t.secure != nil || seal
	return nil
}

// protector is a context under which nothing unsealed is taken where sealing was agreed on.
type protector struct {
	*krb5.Acceptor
	seal bool
}

var errNotSealed = errors.New("ldap: a message that is not sealed")

func (p protector) Unwrap(b []byte) ([]byte, error) {
	plain, sealed, err := p.Acceptor.Unwrap(b)
	if err == nil && p.seal && !sealed {
		return nil, errNotSealed
	}
	return plain, err
}

func notSigned() error {
	return refusal(wire.StrongerAuthRequired, "00002028",
		"The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection")
}

// invalidCredentials tells nothing of why: a ticket that does not open, a clock that is off, an account that is gone.
func invalidCredentials() error {
	return wire.Errorf(wire.InvalidCredentials, "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v4f7c")
}
