package krb5

import (
	"encoding/binary"
	"errors"
)

// Acceptor is the server's end of a security context: Kerberos alone (RFC 4121)
// or within SPNEGO, whichever the client begins with. Make one for each
// connection.
type Acceptor struct {
	Verifier *Verifier
	Random   func(n int) []byte

	layer
	state    int
	verified *Verified
	flags    ContextFlags
	spnego   negotiation
}

var errDCE = errors.New("krb5: DCE style contexts are not modelled")

// Accept takes the client's token and gives the one to send back (empty: none),
// and whether the context stands. A refusal of the ticket is an *[Error] and out
// is its token, which may be sent. After an error the context is of no more use.
func (a *Acceptor) Accept(token []byte) (out []byte, done bool, err error) {
	out, done, err = a.step(token)
	if err != nil {
		a.state = stateFailed
		a.key = Key{}
	}
	return out, done, err
}

func (a *Acceptor) step(token []byte) ([]byte, bool, error) {
	switch a.state {
	case stateNew:
		mech, _, err := unframe(token)
		if err != nil {
			return nil, false, err
		}
		if mech.Equal(oidSPNEGO) {
			return a.negotiate(token)
		}
		out, err := a.acceptKerberos(token)
		if err == nil {
			a.state = stateDone
		}
		return out, err == nil, err
	case stateAsked:
		return a.negotiateOn(token)
	}
	return nil, false, errOver
}

// acceptKerberos checks an initial token and makes the AP-REP, if one is asked
// for.
func (a *Acceptor) acceptKerberos(token []byte) ([]byte, error) {
	req, err := openToken(token, idAPRequest)
	if err != nil {
		return nil, err
	}
	v, err := a.Verifier.Verify(req)
	if err == nil {
		a.flags, err = flagsOfChecksum(v.Auth.Checksum)
	}
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return nil, err
		}
		told := *e
		told.ServerTime = a.Verifier.Now()
		return frame(oidKerberos, idError, told.Encode()), err
	}
	if a.flags&FlagDCE != 0 {
		return nil, errDCE
	}
	a.verified = v
	a.layer = layer{key: v.Ticket.Key, acceptor: true, receive: uint64(v.Auth.Sequence), send: uint64(v.Auth.Sequence),
		unordered: a.flags&(FlagReplay|FlagSequence) == 0}
	if v.Auth.Subkey.Value != nil {
		a.key = v.Auth.Subkey
	}
	// Some clients ask for it in one of the two places only.
	if a.flags&FlagMutual == 0 && !v.Request.Options.Has(MutualRequired) {
		return nil, nil
	}
	first := binary.BigEndian.Uint32(a.Random(4)) >> 2
	var sub Key
	if a.key.Type != RC4 {
		sub = NewKey(a.key.Type, a.Random)
		a.key, a.subkey = sub, true
	}
	a.send = uint64(first)
	rep, err := v.Reply(sub, first)
	if err != nil {
		return nil, err
	}
	return frame(oidKerberos, idAPReply, rep), nil
}

// Client is who the context is with, once it stands.
func (a *Acceptor) Client() (name Name, realm string) {
	if a.verified == nil {
		return Name{}, ""
	}
	return a.verified.Ticket.Client, a.verified.Ticket.ClientRealm
}

// Flags are what the client asked for: with SPNEGO as a SASL mechanism they say
// whether messages are sealed ([MS-ADTS] 5.1.1.1.2).
func (a *Acceptor) Flags() ContextFlags { return a.flags }

// Wrap protects a message for the client, sealed or only signed.
func (a *Acceptor) Wrap(seal bool, p []byte) ([]byte, error) { return a.wrap(seal, p) }

// Unwrap opens the client's next one, and tells whether it was sealed.
func (a *Acceptor) Unwrap(p []byte) (plain []byte, sealed bool, err error) { return a.unwrap(p) }
