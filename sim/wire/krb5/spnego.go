package krb5

import (
	"encoding/asn1"
	"errors"
	"slices"
)

// States of a negotiation (RFC 4178 4.2.2).
const (
	acceptCompleted  = 0
	acceptIncomplete = 1
	rejected         = 2
	requestMIC       = 3
)

type negTokenInit struct {
	MechTypes []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	Flags     asn1.BitString          `asn1:"explicit,optional,tag:1"`
	Token     []byte                  `asn1:"explicit,optional,tag:2"`
	MIC       []byte                  `asn1:"explicit,optional,tag:3"`
}

type negTokenResp struct {
	State asn1.Enumerated       `asn1:"explicit,optional,tag:0,default:-1"`
	Mech  asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
	Token []byte                `asn1:"explicit,optional,tag:2"`
	MIC   []byte                `asn1:"explicit,optional,tag:3"`
}

// negotiation is what an acceptor keeps of one.
type negotiation struct {
	mechs    []byte // the client's list as it was on the wire, which a MIC is over
	wantsMIC bool   // Kerberos was not the client's first choice
}

var (
	errNegotiation = errors.New("krb5: malformed SPNEGO token")
	errNoMech      = errors.New("krb5: no mechanism in common")
	errDowngrade   = errors.New("krb5: the list of mechanisms was not confirmed")
)

func isKerberos(o asn1.ObjectIdentifier) bool { return o.Equal(oidKerberos) || o.Equal(oidMSKerberos) }

func encodeInit(token []byte) []byte {
	init, _ := asn1.Marshal(negTokenInit{MechTypes: []asn1.ObjectIdentifier{oidKerberos}, Token: token}) // octets and constants
	return frame(oidSPNEGO, wrapped(0, init))
}

func encodeResp(state asn1.Enumerated, mech asn1.ObjectIdentifier, token, mic []byte) []byte {
	resp, _ := asn1.Marshal(negTokenResp{state, mech, token, mic}) // as above
	return wrapped(1, resp)
}

// negTokenInit2 is what a server says first where the client lets it ([MS-SPNG]
// 2.2.1).
type negTokenInit2 struct {
	MechTypes []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	Hints     negHints                `asn1:"explicit,tag:3"`
}

type negHints struct{ Name asn1.RawValue } // explicit, tag 0

// Mechanisms is the token of a server that was sent an empty one: what it
// speaks. Samba's clients ask so before they begin.
func Mechanisms() []byte {
	const generalString = 27
	name, _ := asn1.Marshal(asn1.RawValue{Tag: generalString, Bytes: []byte("not_defined_in_RFC4178@please_ignore")}) // constants
	init, _ := asn1.Marshal(negTokenInit2{[]asn1.ObjectIdentifier{oidMSKerberos, oidKerberos}, negHints{asn1.RawValue{FullBytes: wrapped(0, name)}}})
	return frame(oidSPNEGO, wrapped(0, init))
}

func wrapped(tag int, b []byte) []byte {
	out, _ := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: b})
	return out
}

func decodeInit(t []byte) (*negTokenInit, []byte, error) {
	_, inner, err := unframe(t)
	if err != nil {
		return nil, nil, err
	}
	var choice asn1.RawValue
	if rest, err := asn1.Unmarshal(inner, &choice); err != nil || len(rest) > 0 || choice.Class != asn1.ClassContextSpecific || choice.Tag != 0 {
		return nil, nil, errNegotiation
	}
	var init negTokenInit
	if rest, err := asn1.Unmarshal(choice.Bytes, &init); err != nil || len(rest) > 0 {
		return nil, nil, errNegotiation
	}
	var sequence, list asn1.RawValue // the list once more, as it is written
	if _, err := asn1.Unmarshal(choice.Bytes, &sequence); err != nil {
		return nil, nil, errNegotiation
	}
	if _, err := asn1.Unmarshal(sequence.Bytes, &list); err != nil {
		return nil, nil, errNegotiation
	}
	return &init, list.Bytes, nil
}

func decodeResp(t []byte) (*negTokenResp, error) {
	var choice asn1.RawValue
	if rest, err := asn1.Unmarshal(t, &choice); err != nil || len(rest) > 0 || choice.Class != asn1.ClassContextSpecific || choice.Tag != 1 {
		return nil, errNegotiation
	}
	r := negTokenResp{State: -1}
	if rest, err := asn1.Unmarshal(choice.Bytes, &r); err != nil || len(rest) > 0 {
		return nil, errNegotiation
	}
	return &r, nil
}

// negotiate takes a client's negTokenInit.
func (a *Acceptor) negotiate(t []byte) ([]byte, bool, error) {
	init, mechs, err := decodeInit(t)
	if err != nil {
		return nil, false, err
	}
	at := slices.IndexFunc(init.MechTypes, isKerberos)
	if at < 0 {
		return encodeResp(rejected, nil, nil, nil), false, errNoMech
	}
	a.spnego = negotiation{mechs: mechs, wantsMIC: at > 0}
	mech := init.MechTypes[at]
	if at > 0 || len(init.Token) == 0 {
		// What it brought is another mechanism's.
		a.state = stateAsked
		state := asn1.Enumerated(acceptIncomplete)
		if at > 0 {
			state = requestMIC
		}
		return encodeResp(state, mech, nil, nil), false, nil
	}
	token, err := a.acceptKerberos(init.Token)
	if err != nil {
		return encodeResp(rejected, mech, token, nil), false, err
	}
	if init.MIC != nil {
		if err := a.verifyMIC(mechs, init.MIC); err != nil {
			return nil, false, errDowngrade
		}
	}
	a.state = stateDone
	return encodeResp(acceptCompleted, mech, token, nil), true, nil
}

// negotiateOn takes what follows: a token for the mechanism that was agreed on,
// or the client's confirmation of its list.
func (a *Acceptor) negotiateOn(t []byte) ([]byte, bool, error) {
	r, err := decodeResp(t)
	if err != nil {
		return nil, false, err
	}
	var token []byte
	if a.verified == nil {
		if token, err = a.acceptKerberos(r.Token); err != nil {
			return encodeResp(rejected, nil, token, nil), false, err
		}
		if a.spnego.wantsMIC && r.MIC == nil {
			mic, err := a.mic(a.spnego.mechs)
			return encodeResp(acceptIncomplete, nil, token, mic), false, err
		}
	} else if r.MIC == nil {
		return nil, false, errDowngrade
	}
	var mic []byte
	if r.MIC != nil {
		if err := a.verifyMIC(a.spnego.mechs, r.MIC); err != nil {
			return nil, false, errDowngrade
		}
		if token != nil { // ours was not sent yet
			if mic, err = a.mic(a.spnego.mechs); err != nil {
				return nil, false, err
			}
		}
	}
	a.state = stateDone
	return encodeResp(acceptCompleted, nil, token, mic), true, nil
}

// readResponse gives the mechanism's token of an acceptor's answer.
func readResponse(t []byte) ([]byte, error) {
	r, err := decodeResp(t)
	if err != nil {
		return nil, err
	}
	if r.State == rejected {
		if r.Token != nil {
			if _, err := openToken(r.Token, idAPReply); err != nil {
				return nil, err
			}
		}
		return nil, errNoMech
	}
	if r.Mech != nil && !isKerberos(r.Mech) {
		return nil, errNoMech
	}
	if r.State != acceptCompleted || r.Token == nil {
		return nil, errNegotiation
	}
	return r.Token, nil
}
