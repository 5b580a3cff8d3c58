package join

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

// Session is a user who has given the right credentials.
type Session struct {
	UPN, TenantID, ObjectID, SID string
	DRSToken                     string // for the device registration service
	EnrollmentURL, TermsURL      string // of the user's MDM; empty where it is for others
}

// SignIn checks a user's credentials with Entra ID and gets the token that a
// join needs.
func SignIn(w *device.Windows, upn, password string) (*Session, error) {
	const op = "sign in"
	realm, err := userRealm(w, upn)
	if err != nil {
		return nil, err
	}
	if realm.AccountType != oauth.RealmManaged {
		return nil, hresult.New(op, hresult.STATUSWrongSecret, fmt.Errorf("account type of %s is %q", upn, realm.AccountType))
	}
	answer, err := askToken(w, op, "organizations", oauth.TokenRequest{
		GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker, Resource: oauth.ResourceDRS,
		Username: upn, Password: password, RedirectURI: oauth.RedirectDRS, Scope: "openid",
	})
	if err != nil {
		return nil, err
	}
	claims, err := unverified(answer.AccessToken)
	if err != nil {
		return nil, hresult.New(op, hresult.InvalidData, err)
	}
	sid, err := drs.SID(claims.ObjectID)
	if err != nil {
		return nil, hresult.New(op, hresult.InvalidData, err)
	}
	w.Event("user.signedIn", journal.F("user", claims.UPN), journal.F("tenant", claims.TenantID))
	return &Session{UPN: claims.UPN, TenantID: claims.TenantID, ObjectID: claims.ObjectID, SID: sid, DRSToken: answer.AccessToken,
		EnrollmentURL: claims.MDMEnrollmentURL, TermsURL: claims.MDMTermsURL}, nil
}

// UserToken gets a token for a resource by nothing but a user's credentials, on
// a PC that Entra ID does not know.
func UserToken(w *device.Windows, upn, password, resource string) (string, error) {
	answer, err := askToken(w, "user token", "organizations", oauth.TokenRequest{
		GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker, Resource: resource,
		Username: upn, Password: password, RedirectURI: oauth.RedirectMDM, Scope: "openid",
	})
	if err != nil {
		return "", err
	}
	return answer.AccessToken, nil
}

func userRealm(w *device.Windows, upn string) (*oauth.UserRealm, error) {
	const op = "user realm"
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodGet, URL: "https://" + hosts.Login + "/common/userrealm/" + url.PathEscape(upn) + "?api-version=1.0"})
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	var realm oauth.UserRealm
	if err := json.Unmarshal(resp.Body, &realm); err != nil {
		return nil, hresult.New(op, hresult.InvalidData, err)
	}
	return &realm, nil
}

// unverified reads the claims of a token that came over TLS from its issuer,
// as clients do: whether it is good is for those to check whom it is shown to.
func unverified(token string) (*oauth.Claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, oauth.ErrMalformed
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, oauth.ErrMalformed
	}
	var c oauth.Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, oauth.ErrMalformed
	}
	return &c, nil
}

// AcquirePRT gets the user's primary refresh token on this device. Its session
// key comes wrapped to the transport key, and stays wrapped on the disk. How an
// attempt failed is below [KeyPRTAttempt].
func AcquirePRT(w *device.Windows, s *Session, password string) error {
	err := acquirePRT(w, s, password)
	if gone(w) == nil {
		keepAttempt(w, s, err)
	}
	return err
}

func acquirePRT(w *device.Windows, s *Session, password string) error {
	const op = "primary refresh token"
	w.Log(device.LogAAD, 1006, "Information", "AAD token broker: acquiring primary refresh token")
	cert, ok := w.Disk.Certs.Find(device.StoreMySystem, certDevice)
	if !ok {
		return hresult.New(op, hresult.KeyNotFound, nil)
	}
	key, err := w.Key(w.Ctx, cert.Container)
	if err != nil {
		return tpmError(w, op, err)
	}
	resp, err := postSigned(w, op, s.TenantID, func(nonce string) (oauth.TokenRequest, error) {
		request, err := oauth.SignDeviceRequest(key.In(w.Ctx), cert.DER, oauth.KDF2, oauth.DeviceRequest{
			ClientID: oauth.ClientPRT, GrantType: oauth.GrantPassword, Scope: oauth.ScopePRT, RequestNonce: nonce,
			Username: s.UPN, Password: password, Issuer: oauth.IssuerBroker, WindowsVersion: "10.0." + w.Installation.Build,
		})
		if err != nil {
			return oauth.TokenRequest{}, tpmError(w, op, err)
		}
		return oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: request, WindowsAPIVersion: oauth.WindowsAPI22, ClientInfo: "1"}, nil
	})
	if err != nil {
		return err
	}
	answer, err := tokenAnswer(op, resp)
	if err != nil {
		return err
	}
	transport, err := w.Key(w.Ctx, keyTransport)
	if err != nil {
		return tpmError(w, op, err)
	}
	if _, err := oauth.UnwrapSessionKey(transport.In(w.Ctx), answer.SessionKeyJWE); err != nil {
		return tpmError(w, op, err) // not for this TPM: of no use to anybody
	}
	r := w.Registry()
	r.SetString(keyPRT, "Token", answer.RefreshToken)
	r.SetString(keyPRT, "SessionKey", answer.SessionKeyJWE)
	r.SetString(keyPRT, "Expires", strconv.FormatInt(w.Now().Add(time.Duration(answer.RefreshTokenExpiresIn)*time.Second).Unix(), 10))
	r.SetString(keyPRT, "Updated", strconv.FormatInt(w.Now().Unix(), 10))
	r.SetString(keyPRT, "UserSID", s.SID)
	r.SetString(keyPRT, "UserUPN", s.UPN)
	r.SetString(keyPRT, "TenantId", s.TenantID)
	r.SetString(keyPRT, "Verifier", verifier(s.SID, password))
	unlock(w)
	w.Log(device.LogAAD, 1007, "Information", "AAD token broker: primary refresh token acquired")
	w.Event("prt.acquired", journal.F("user", s.UPN))
	return nil
}

// userToken uses the primary refresh token: the request is signed with a key
// derived from the session key, which the TPM unwraps for each use.
func userToken(w *device.Windows, resource string) (Token, error) {
	const op = "user token"
	r := w.Registry()
	tenant := r.String(keyPRT, "TenantId")
	transport, err := w.Key(w.Ctx, keyTransport)
	if err != nil {
		return Token{}, tpmError(w, op, err)
	}
	sessionKey, err := oauth.UnwrapSessionKey(transport.In(w.Ctx), r.String(keyPRT, "SessionKey"))
	if err != nil {
		return Token{}, tpmError(w, op, err)
	}
	resp, err := postSigned(w, op, tenant, func(nonce string) (oauth.TokenRequest, error) {
		now := w.Now()
		request, err := oauth.SignBound(sessionKey, w.Random(oauth.ContextSize), oauth.KDF2, oauth.BoundRequest{
			ClientID: oauth.ClientBroker, GrantType: oauth.GrantRefresh, RefreshToken: r.String(keyPRT, "Token"), Scope: "openid", Resource: resource,
			RequestNonce: nonce, RedirectURI: oauth.RedirectMDM, Issuer: oauth.IssuerBroker,
			IssuedAt: now.Unix(), Expires: now.Add(w.Timing.Entra.NonceLife).Unix(), WindowsVersion: "10.0." + w.Installation.Build,
		})
		if err != nil {
			return oauth.TokenRequest{}, hresult.New(op, hresult.Unexpected, err)
		}
		return oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: request, WindowsAPIVersion: oauth.WindowsAPI22}, nil
	})
	if err != nil {
		return Token{}, err
	}
	answer, err := oauth.DecryptAnswer(sessionKey, strings.TrimSpace(string(resp.Body)))
	if err != nil {
		return Token{}, hresult.New(op, hresult.InvalidData, err)
	}
	return Token{Raw: answer.AccessToken, Kind: "user", Expires: expiry(w, answer)}, nil
}
