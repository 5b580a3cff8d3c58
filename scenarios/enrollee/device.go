package enrollee

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/syncml"
)

// Device is a PC with its user. Name and the user's are needed.
type Device struct {
	Name          string
	UPN, Password string

	Certificate []byte // after the join
	PRT         string // after the sign-in, with its key
	SessionKey  []byte
	Enrolled    *mde.Provisioning // after the enrolment
}

// Keys of the pool that all devices share.
var (
	deviceKey, mdmKey = pki.PooledRSA(5), pki.PooledRSA(6)
	transportKey      = pki.PooledRSA(7)
)

// requests are certificate requests of the pool's keys, which are the same for
// every device.
var requests = sync.OnceValues(func() (r struct {
	device drs.CertificateRequest
	mdm    []byte
}, err error) {
	if r.device, err = drs.NewCertificateRequest(deviceKey); err != nil {
		return r, err
	}
	r.mdm, err = x509.CreateCertificateRequest(nil, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "enrollee"}, SignatureAlgorithm: x509.SHA256WithRSA}, crypto.Signer(mdmKey))
	return r, err
})

// Message is a request to the cloud.
type Message struct {
	Method, URL string
	Header      map[string]string `json:",omitempty"`
	Body        []byte            `json:",omitempty"`
}

// Send sends a message and gives status and body of the answer.
type Send func(Message) (int, []byte, error)

// ok sends a message that has to succeed.
func (send Send) ok(m Message) ([]byte, error) {
	status, body, err := send(m)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", status, body)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", m.Method, m.URL, err)
	}
	return body, nil
}

func (send Send) token(r oauth.TokenRequest) ([]byte, error) { return send.ok(tokenMessage(r)) }

func tokenMessage(r oauth.TokenRequest) Message {
	return Message{Method: http.MethodPost, URL: "https://" + oauth.Host + "/common/oauth2/token",
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Body: []byte(r.Form().Encode())}
}

// SignIn asks for the user's access token for device registration.
func (d *Device) SignIn() Message {
	return tokenMessage(oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker, Username: d.UPN, Password: d.Password,
		Resource: oauth.ResourceDRS})
}

// AccessToken reads the answer to SignIn.
func AccessToken(answer []byte) (string, error) {
	var t oauth.TokenResponse
	if err := json.Unmarshal(answer, &t); err != nil || t.AccessToken == "" {
		return "", fmt.Errorf("no access token in %q: %w", answer, err)
	}
	return t.AccessToken, nil
}

// Join asks for the device's certificate.
func (d *Device) Join(token string) (Message, error) {
	r, err := requests()
	if err != nil {
		return Message{}, err
	}
	body, err := json.Marshal(drs.JoinRequest{CertificateRequest: r.device, TransportKey: drs.EncodeRSA1(transportKey.Public().(*rsa.PublicKey)),
		DeviceType: "Windows", OSVersion: "10.0.26200.6584", DeviceDisplayName: d.Name, JoinType: drs.JoinEntra})
	return Message{Method: http.MethodPost, URL: "https://" + drs.Host + "/EnrollmentServer/device/?api-version=1.0",
		Header: map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token}, Body: body}, err
}

// Joined reads the answer to Join.
func (d *Device) Joined(answer []byte) error {
	var out drs.JoinResponse
	if err := json.Unmarshal(answer, &out); err != nil {
		return err
	}
	d.Certificate = out.Certificate.RawBody
	return nil
}

// TakePRT signs the user in on the device.
func (d *Device) TakePRT(send Send) error {
	body, err := send.token(oauth.TokenRequest{GrantType: oauth.GrantChallenge})
	if err != nil {
		return err
	}
	var n oauth.NonceResponse
	if err := json.Unmarshal(body, &n); err != nil {
		return err
	}
	jwt, err := oauth.SignDeviceRequest(deviceKey, d.Certificate, oauth.KDF2, oauth.DeviceRequest{ClientID: oauth.ClientPRT,
		GrantType: oauth.GrantPassword, Scope: oauth.ScopePRT, RequestNonce: n.Nonce, Username: d.UPN, Password: d.Password})
	if err != nil {
		return err
	}
	if body, err = send.token(oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt, WindowsAPIVersion: oauth.WindowsAPI20}); err != nil {
		return err
	}
	var out oauth.TokenResponse
	if err := json.Unmarshal(body, &out); err != nil {
		return err
	}
	d.PRT = out.RefreshToken
	d.SessionKey, err = oauth.UnwrapSessionKey(transportKey, out.SessionKeyJWE)
	return err
}

// TokenByPRT asks for an access token of user and device.
func (d *Device) TokenByPRT(send Send, resource string, now time.Time) (string, error) {
	jwt, err := oauth.SignBound(d.SessionKey, bytes.Repeat([]byte{7}, oauth.ContextSize), oauth.KDF2, oauth.BoundRequest{
		ClientID: oauth.ClientBroker, GrantType: oauth.GrantRefresh, RefreshToken: d.PRT, Scope: "openid", Resource: resource,
		IssuedAt: now.Unix(), Expires: now.Add(time.Hour).Unix()})
	if err != nil {
		return "", err
	}
	jwe, err := send.token(oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt})
	if err != nil {
		return "", err
	}
	out, err := oauth.DecryptAnswer(d.SessionKey, string(jwe))
	if err != nil {
		return "", err
	}
	return out.AccessToken, nil
}

// Enrol is all that Windows sends from discovery to the provisioning document,
// which the last answer has: is somebody there, where, by which policy, and the
// request. The device's key is not attested.
func (d *Device) Enrol(token string) ([]Message, error) {
	r, err := requests()
	if err != nil {
		return nil, err
	}
	at := "https://" + hosts.Enrollment
	list := []Message{{Method: http.MethodGet, URL: at + mde.DiscoveryPath, Header: map[string]string{"User-Agent": mde.UserAgent}}}
	add := func(path, action string, security *mde.Security, encode func(mde.Header) ([]byte, error)) {
		h := mde.Header{MessageID: "urn:uuid:" + d.Name + path, To: at + path, Action: action, Security: security}
		body, wrong := encode(h)
		if wrong != nil && err == nil {
			err = wrong
		}
		list = append(list, Message{Method: http.MethodPost, URL: at + path, Body: body,
			Header: map[string]string{"Content-Type": mde.ContentType, "User-Agent": mde.UserAgent}})
	}
	add(mde.DiscoveryPath, mde.ActionDiscover, nil, func(h mde.Header) ([]byte, error) {
		return mde.EncodeDiscover(h, &mde.Discover{EmailAddress: d.UPN, RequestVersion: "7.0", DeviceType: mde.DeviceType,
			ApplicationVersion: "10.0.26200.6584", OSEdition: "48", AuthPolicies: []mde.AuthPolicy{mde.Federated}})
	})
	add(mde.PolicyPath, mde.ActionGetPolicies, mde.EntraSecurity(token), func(h mde.Header) ([]byte, error) {
		return mde.EncodeGetPolicies(h, &mde.GetPolicies{})
	})
	add(mde.EnrolPath, mde.ActionEnrol, mde.EntraSecurity(token), func(h mde.Header) ([]byte, error) {
		return mde.EncodeEnrol(h, &mde.Enrol{Request: r.mdm, Context: mde.Context{OSEdition: "48", OSVersion: "10.0.26200.6584", DeviceName: d.Name,
			EnrollmentType: mde.EnrolFull, DeviceType: mde.DeviceType, ApplicationVersion: "10.0.26200.6584", DeviceID: d.Name, HWDevID: d.Name,
			Locale: "en-US", TargetedUserLoggedIn: true}.ForVersion("5.0")})
	})
	return list, err
}

// Document reads the last answer of Enrol.
func (d *Device) Document(answer []byte) error {
	_, result, err := mde.DecodeEnrolResult(answer)
	if err != nil {
		return err
	}
	d.Enrolled, err = mde.DecodeProvisioning(result.Provisioning)
	return err
}

// Identity is what an enrolled device shows to its management server.
func (d *Device) Identity() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{d.Enrolled.Client.DER}, PrivateKey: mdmKey}
}

// Session is the first message of a management session.
func (d *Device) Session() Message {
	m := syncml.Initiation{SessionID: "1", Server: d.Enrolled.App.Addr, Device: d.Enrolled.DM.EntDMID, Login: syncml.LoginNone,
		DevInfo: syncml.DevInfo{DevID: d.Enrolled.DM.EntDMID, Man: "enrollee", Mod: "enrollee", DmV: "1.3", Lang: "en-US"}}.Message()
	return Message{Method: http.MethodPost, URL: d.Enrolled.App.Addr, Header: map[string]string{"Content-Type": syncml.ContentType}, Body: m.Encode()}
}

// Live does all of it.
func (d *Device) Live(send Send, now time.Time) error {
	body, err := send.ok(d.SignIn())
	if err != nil {
		return err
	}
	token, err := AccessToken(body)
	if err != nil {
		return err
	}
	join, err := d.Join(token)
	if err != nil {
		return err
	}
	if body, err = send.ok(join); err != nil {
		return err
	}
	if err := d.Joined(body); err != nil {
		return err
	}
	if err := d.TakePRT(send); err != nil {
		return err
	}
	if token, err = d.TokenByPRT(send, oauth.ResourceMDM, now); err != nil {
		return err
	}
	messages, err := d.Enrol(token)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if body, err = send.ok(m); err != nil {
			return err
		}
	}
	return d.Document(body)
}
