package krb5

import (
	"encoding/binary"
	"errors"
	"time"
)

// Initiator is the client's end of a security context (RFC 4121). Make one for
// each connection; its fields up to SPNEGO are its owner's to set.
type Initiator struct {
	Ticket      Ticket // for the service
	Session     Key    // of the ticket
	ClientRealm string
	Client      Name
	Now         func() time.Time
	Random      func(n int) []byte
	Flags       ContextFlags // 0: mutual, in sequence, signed and sealed
	SPNEGO      bool         // speak Kerberos within SPNEGO

	layer
	state int
	at    time.Time
	sub   Key
	first uint32
}

// States of either end.
const (
	stateNew = iota
	stateAsked
	stateDone
	stateFailed
)

var errOver = errors.New("krb5: the security context needs no more tokens")

// Init takes the acceptor's last token (nil at first) and gives the next one
// for it (empty: none), and whether the context stands. After an error it is of
// no more use.
func (i *Initiator) Init(token []byte) (out []byte, done bool, err error) {
	out, done, err = i.step(token)
	if err != nil {
		i.state = stateFailed
	}
	return out, done, err
}

func (i *Initiator) step(token []byte) ([]byte, bool, error) {
	switch i.state {
	case stateNew:
		return i.begin()
	case stateAsked:
		if i.SPNEGO {
			inner, err := readResponse(token)
			if err != nil {
				return nil, false, err
			}
			token = inner
		}
		return nil, true, i.finish(token)
	}
	return nil, false, errOver
}

func (i *Initiator) begin() ([]byte, bool, error) {
	if i.Flags == 0 {
		i.Flags = FlagMutual | FlagReplay | FlagSequence | FlagConfidentiality | FlagIntegrity
	}
	i.at = i.Now()
	i.sub = NewKey(i.Session.Type, i.Random)
	i.first = binary.BigEndian.Uint32(i.Random(4)) >> 2 // as others do, lest somebody reads it with a sign
	var options Flags
	if i.Flags&FlagMutual != 0 {
		options = MutualRequired
	}
	req, err := NewAPRequest(i.Ticket, i.Session, options, &Authenticator{
		ClientRealm: i.ClientRealm, Client: i.Client, Time: i.at, Subkey: i.sub, Sequence: i.first, Checksum: gssChecksum(i.Flags),
	})
	if err != nil {
		return nil, false, err
	}
	out := frame(oidKerberos, idAPRequest, req)
	if i.SPNEGO {
		out = encodeInit(out)
	}
	if i.Flags&FlagMutual == 0 {
		i.layer = layer{key: i.sub, send: uint64(i.first), receive: uint64(i.first)}
		i.state = stateDone
		return out, true, nil
	}
	i.state = stateAsked
	return out, false, nil
}

func (i *Initiator) finish(token []byte) error {
	rep, err := openToken(token, idAPReply)
	if err != nil {
		return err
	}
	key, first, err := OpenAPReply(i.Session, rep, i.at)
	if err != nil {
		return err
	}
	i.layer = layer{key: i.sub, send: uint64(i.first), receive: uint64(first)}
	if key.Value != nil {
		i.key, i.subkey = key, true
	}
	i.state = stateDone
	return nil
}

// Wrap protects a message for the acceptor, sealed or only signed.
func (i *Initiator) Wrap(seal bool, p []byte) ([]byte, error) { return i.wrap(seal, p) }

// Unwrap opens the acceptor's next one.
func (i *Initiator) Unwrap(p []byte) ([]byte, error) {
	plain, _, err := i.unwrap(p)
	return plain, err
}
