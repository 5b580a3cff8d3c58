package join

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

// Token is an access token and whom it speaks for.
type Token struct {
	Raw     string
	Kind    string // "device" or "user"
	Expires time.Time
}

// TokenFor is the token broker: it gives the token that it still has for a
// resource, else one for the user by the primary refresh token, else one for
// the device itself.
//
// That the broker does not look at who asks is our model of why Microsoft
// wants 90 minutes between technician flow and user flow: the last sync before
// reseal leaves a device token behind, and until it expires the user's session
// is the device's.
func TokenFor(w *device.Windows, resource string) (Token, error) {
	if t, ok := cached(w, resource); ok {
		return t, nil
	}
	return RenewToken(w, resource)
}

// RenewToken gets a new token, whatever the broker still has.
func RenewToken(w *device.Windows, resource string) (Token, error) {
	var (
		t   Token
		err error
	)
	if Status(w).PRT && unlocked(w) {
		t, err = userToken(w, resource)
	} else {
		t, err = deviceToken(w, resource)
	}
	if err != nil {
		return Token{}, err
	}
	keep(w, resource, t)
	w.Event("token.acquired", journal.F("resource", resource), journal.F("kind", t.Kind), journal.F("expires", t.Expires))
	return t, nil
}

func tokenKey(resource string) string { return device.KeyIdentityStore + `\Tokens\` + resource }

func cached(w *device.Windows, resource string) (Token, bool) {
	r, key := w.Registry(), tokenKey(resource)
	unix, err := strconv.ParseInt(r.String(key, "Expires"), 10, 64)
	if err != nil || !w.Now().Before(time.Unix(unix, 0)) {
		return Token{}, false
	}
	if r.String(key, "Kind") == "user" && !unlocked(w) {
		return Token{}, false
	}
	return Token{Raw: r.String(key, "Token"), Kind: r.String(key, "Kind"), Expires: time.Unix(unix, 0).UTC()}, true
}

func keep(w *device.Windows, resource string, t Token) {
	r, key := w.Registry(), tokenKey(resource)
	r.SetString(key, "Token", t.Raw)
	r.SetString(key, "Kind", t.Kind)
	r.SetString(key, "Expires", strconv.FormatInt(t.Expires.Unix(), 10))
	r.SetString(key, "Device", Status(w).DeviceID)
}

// dropDeviceTokens forgets what the broker has for this registration of the
// device itself. What an earlier registration left behind stays; see [TokenFor].
func dropDeviceTokens(w *device.Windows) {
	r, id := w.Registry(), Status(w).DeviceID
	const tokens = device.KeyIdentityStore + `\Tokens`
	for _, resource := range r.Subkeys(tokens) {
		if key := tokens + `\` + resource; r.String(key, "Kind") == "device" && r.String(key, "Device") == id {
			r.DeleteTree(key)
		}
	}
}

// deviceToken proves the device by its certificate's key ([MS-OAPXBC], the
// device token request that Windows makes for its MDM).
func deviceToken(w *device.Windows, resource string) (Token, error) {
	const op = "device token"
	cert, ok := w.Disk.Certs.Find(device.StoreMySystem, certDevice)
	if !ok {
		return Token{}, hresult.New(op, hresult.KeyNotFound, nil)
	}
	key, err := w.Key(w.Ctx, cert.Container)
	if err != nil {
		return Token{}, tpmError(w, op, err)
	}
	tenant := Status(w).TenantID
	resp, err := postSigned(w, op, tenant, func(nonce string) (oauth.TokenRequest, error) {
		now := w.Now()
		request, err := oauth.SignDeviceRequest(key.In(w.Ctx), cert.DER, oauth.KDF2, oauth.DeviceRequest{
			ClientID: oauth.ClientBroker, GrantType: oauth.GrantDeviceToken, Resource: resource, RedirectURI: oauth.RedirectMDM,
			RequestNonce: nonce, Issuer: oauth.IssuerBroker, IssuedAt: now.Unix(), Expires: now.Add(w.Timing.Entra.NonceLife).Unix(),
			WindowsVersion: "10.0." + w.Installation.Build,
		})
		if err != nil {
			return oauth.TokenRequest{}, tpmError(w, op, err)
		}
		return oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: request, WindowsAPIVersion: oauth.WindowsAPI22}, nil
	})
	if err != nil {
		return Token{}, err
	}
	answer, err := tokenAnswer(op, resp)
	if err != nil {
		return Token{}, err
	}
	return Token{Raw: answer.AccessToken, Kind: "device", Expires: expiry(w, answer)}, nil
}

// Age makes the tokens that the broker has kept on a disk older by d, as so much
// time more does in which the PC is off. It is for worlds in which a PC's time on
// the shelf passes faster than the clock. A d of zero or less changes nothing.
func Age(disk *device.Disk, d time.Duration) {
	if d <= 0 {
		return
	}
	r := disk.Registry
	for _, key := range r.Subkeys(device.KeyIdentityStore + `\Tokens`) {
		key = device.KeyIdentityStore + `\Tokens\` + key
		if unix, err := strconv.ParseInt(r.String(key, "Expires"), 10, 64); err == nil {
			r.SetString(key, "Expires", strconv.FormatInt(unix-int64(d/time.Second), 10))
		}
	}
}

// challenge fetches the nonce that signed requests carry.
func challenge(w *device.Windows, tenant string) (string, error) {
	const op = "token nonce"
	resp, err := postForm(w, op, tenant, oauth.TokenRequest{GrantType: oauth.GrantChallenge})
	if err != nil {
		return "", err
	}
	var n oauth.NonceResponse
	if err := json.Unmarshal(resp.Body, &n); err != nil || n.Nonce == "" {
		return "", hresult.New(op, hresult.InvalidData, err)
	}
	return n.Nonce, nil
}

// askToken posts a token request of version 1 and reads its answer.
func askToken(w *device.Windows, op, tenant string, r oauth.TokenRequest) (*oauth.TokenResponse, error) {
	resp, err := postForm(w, op, tenant, r)
	if err != nil {
		return nil, err
	}
	return tokenAnswer(op, resp)
}

func tokenAnswer(op string, resp *device.Response) (*oauth.TokenResponse, error) {
	var answer oauth.TokenResponse
	if err := json.Unmarshal(resp.Body, &answer); err != nil {
		return nil, hresult.New(op, hresult.InvalidData, err)
	}
	return &answer, nil
}

func postForm(w *device.Windows, op, tenant string, r oauth.TokenRequest) (*device.Response, error) {
	return postToken(w, op, tenant, func() ([]byte, error) { return []byte(r.Form().Encode()), nil })
}

// postSigned posts a request that carries the service's nonce, with a new one
// for each attempt.
func postSigned(w *device.Windows, op, tenant string, sign func(nonce string) (oauth.TokenRequest, error)) (*device.Response, error) {
	resp, err := postToken(w, op, tenant, func() ([]byte, error) {
		nonce, err := challenge(w, tenant)
		if err != nil {
			return nil, err
		}
		r, err := sign(nonce)
		return []byte(r.Form().Encode()), err
	})
	deviceAuth(w, err)
	return resp, err
}

func postToken(w *device.Windows, op, tenant string, form func() ([]byte, error)) (*device.Response, error) {
	resp, err := w.Do(device.Request{
		Op: op, Method: http.MethodPost, URL: "https://" + hosts.Login + "/" + tenant + "/oauth2/token",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Make: device.Fresh(form),
	})
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, tokenRefusal(op, resp)
	}
	return resp, nil
}

// tokenRefusal reads the token service's error body. What Windows makes of its
// numbers is only documented for the broker's own codes.
func tokenRefusal(op string, resp *device.Response) error {
	var body oauth.Error
	if err := json.Unmarshal(resp.Body, &body); err != nil || body.Name == "" {
		return hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	switch body.Code() {
	case oauth.InvalidCredentials, oauth.UserNotFound:
		return hresult.New(op, hresult.STATUSWrongSecret, &body)
	default:
		return hresult.New(op, hresult.WAMInvalidGrant, &body)
	}
}

func expiry(w *device.Windows, a *oauth.TokenResponse) time.Time {
	return w.Now().Add(time.Duration(a.ExpiresIn) * time.Second).UTC().Truncate(time.Second)
}
