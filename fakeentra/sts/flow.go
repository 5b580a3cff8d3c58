package sts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/wire/oauth"
)

// Kinds of flow.
const (
	flowAuthorize = "authorize"
	flowDevice    = "device"
)

// Stages: what the page that was sent asks for.
const (
	stageUserCode = "userCode"
	stagePassword = "password"
	stageFactor   = "factor"
	stageTerms    = "terms"
	stageConsent  = "consent"
	stageApprove  = "approve"
)

// flow is a sign-in under way. It travels with the page, sealed: the service
// keeps nothing about people who never come back.
type flow struct {
	Kind, Stage string
	Tenant      string // of the authority; "" for any
	V2          bool   `json:",omitempty"`
	Request     oauth.AuthorizeRequest
	Device      string `json:",omitempty"` // key of the device code

	// Once the password was right.
	TenantID, UserID, Mark string    `json:",omitempty"`
	Methods                []string  `json:",omitempty"`
	SignedIn               time.Time `json:",omitzero"`

	Expires time.Time
}

// cookieName is the browser's half of the seal: a page sent to one browser is of
// no use in another, and no other site can make a browser send one back.
const cookieName = "esctx"

// sealPage makes the text of the flow for the browser that has the cookie.
func (s *Service) sealPage(f flow, cookie string) (string, error) {
	f.Expires = s.Now().Add(s.Timing.Entra.SignInPageLife)
	body, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.pageMAC(text, cookie)), nil
}

func (s *Service) pageMAC(text, cookie string) []byte {
	key := s.Seed.Key("page")
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(cookie + "." + text))
	return h.Sum(nil)
}

var errPage = fail(oauth.MalformedRequest, "page", "The page is not one that was sent to this browser. Please begin again.")

// unsealPage reads a flow back, from the browser that it was sent to.
func (s *Service) unsealPage(r *http.Request, sealed string) (flow, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil || cookie.Value == "" {
		return flow{}, errPage
	}
	text, mac, _ := strings.Cut(sealed, ".")
	sum, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil || !hmac.Equal(sum, s.pageMAC(text, cookie.Value)) {
		return flow{}, errPage
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return flow{}, errPage
	}
	var f flow
	if err := json.Unmarshal(body, &f); err != nil {
		return flow{}, errPage
	}
	if !s.Now().Before(f.Expires) {
		return flow{}, fail(oauth.InvalidInput, "page life", "The page has expired. Please begin again.")
	}
	return f, nil
}

// cookieFor is the browser's cookie, a new one where it has none.
func (s *Service) cookieFor(c *call) string {
	if cookie, err := c.r.Cookie(cookieName); err == nil && len(cookie.Value) > 20 && len(cookie.Value) < 100 {
		return cookie.Value
	}
	value := s.newSecretText("browser", "")
	http.SetCookie(c.w, &http.Cookie{Name: cookieName, Value: value, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	return value
}

func (s *Service) pageNonce() string { return s.newSecretText("script nonce", "") }

// redirectTo is the redirect address with an answer in query or fragment.
func redirectTo(request oauth.AuthorizeRequest, answer map[string]string) (string, error) {
	values := url.Values{}
	for name, value := range answer {
		values.Set(name, value)
	}
	if request.Mode() == oauth.ModeFragment {
		return request.RedirectURI + "#" + values.Encode(), nil
	}
	u, err := url.Parse(request.RedirectURI)
	if err != nil {
		return "", err
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += values.Encode()
	return u.String(), nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
