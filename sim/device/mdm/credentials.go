package mdm

import (
	"encoding/base64"
	"errors"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/syncml"
)

// Registry values of the account's credentials (w7 APPLICATION CSP, APPAUTH).
const (
	valueAuthName   = "AAUTHNAME"
	valueAuthSecret = "AAUTHSECRET"
	valueAuthScheme = "AAUTHTYPE" // syncml.AuthMD5 or AuthBasic, once the server asked
	valueAuthNonce  = "AAUTHDATA" // base64, of the next session
)

var (
	errCredentials = errors.New("the server wants credentials that this account does not have")
	errRejected    = errors.New("the server rejects the account's credentials")
)

// keepCredentials stores what the provisioning document gives the account. With
// Intune they are placeholders: the client certificate is what counts.
func keepCredentials(w *device.Windows, base string, a mde.Auth) {
	r := w.Registry()
	r.SetString(base, valueAuthName, a.Name)
	r.SetString(base, valueAuthSecret, a.Secret)
}

// credential is what a session begins with, where the server asked for some
// before; nil: none.
func (r *runner) credential() *syncml.Cred {
	reg, key := r.w.Registry(), enrollmentKey(r.w)
	scheme, text := reg.String(key, valueAuthScheme), reg.String(key, valueAuthNonce)
	switch nonce, err := base64.StdEncoding.DecodeString(text); {
	case scheme == syncml.AuthBasic:
		return syncml.BasicCred(reg.String(key, valueAuthName), reg.String(key, valueAuthSecret))
	case scheme == syncml.AuthMD5 && err == nil && text != "":
		reg.Delete(key, valueAuthNonce) // each is good once
		return syncml.DigestCred(reg.String(key, valueAuthName), reg.String(key, valueAuthSecret), nonce)
	}
	return nil
}

// proved takes what the server says of the header. A challenge is answered by
// sending package 1 once more; again is that message, nil where there is
// nothing to prove.
func (r *runner) proved(sent, reply *syncml.Message, msgID int) (again *syncml.Message, err error) {
	const op = "OMA-DM authentication"
	a := reply.Answers(sent.Header.MsgID)[0]
	reg, key := r.w.Registry(), enrollmentKey(r.w)
	if a.Challenge != nil {
		reg.SetString(key, valueAuthScheme, a.Challenge.Type)
		reg.SetString(key, valueAuthNonce, a.Challenge.NextNonce)
	}
	if a.Status != syncml.Unauthorized && a.Status != syncml.MissingCredentials {
		return nil, nil
	}
	r.refusals++
	switch {
	case a.Challenge == nil || r.refusals > 2:
		return nil, hresult.New(op, hresult.FromHTTPStatus(401), errRejected)
	case reg.String(key, valueAuthSecret) == "":
		return nil, hresult.New(op, hresult.FromHTTPStatus(401), errCredentials)
	}
	again = sent
	again.Header.MsgID = msgID
	again.Header.Cred = r.credential()
	return again, nil
}
