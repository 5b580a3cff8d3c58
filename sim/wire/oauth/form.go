package oauth

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// TokenRequest is the form that goes to a token endpoint. Empty members are
// left out. Version 1 endpoints name a Resource, version 2 endpoints a Scope.
type TokenRequest struct {
	GrantType    string
	ClientID     string
	ClientSecret string
	Scope        string
	Resource     string
	Username     string
	Password     string
	RefreshToken string
	// Request is the signed JWT of the broker's requests.
	Request string
	// WindowsAPIVersion is set by brokers, "2.0" or "2.2".
	WindowsAPIVersion string
	RedirectURI       string
	ClientAssertion   string
	// ClientAssertionType is [AssertionTypeJWT].
	ClientAssertionType string
	// Code and CodeVerifier redeem an authorization code; version 1 also names
	// a device code Code.
	Code, CodeVerifier string
	DeviceCode         string
	// Assertion and RequestedTokenUse ("on_behalf_of") are of a service that
	// acts for the user who called it.
	Assertion, RequestedTokenUse string
	ClientInfo                   string // "1" asks for client_info in the answer
	TGT                          string // "true" asks for Kerberos tickets
}

func (r *TokenRequest) fields() map[string]*string {
	return map[string]*string{
		"grant_type": &r.GrantType, "client_id": &r.ClientID, "client_secret": &r.ClientSecret,
		"scope": &r.Scope, "resource": &r.Resource, "username": &r.Username, "password": &r.Password,
		"refresh_token": &r.RefreshToken, "request": &r.Request, "windows_api_version": &r.WindowsAPIVersion,
		"redirect_uri": &r.RedirectURI, "client_assertion": &r.ClientAssertion,
		"client_assertion_type": &r.ClientAssertionType, "code": &r.Code, "code_verifier": &r.CodeVerifier,
		"device_code": &r.DeviceCode, "assertion": &r.Assertion, "requested_token_use": &r.RequestedTokenUse,
		"client_info": &r.ClientInfo, "tgt": &r.TGT,
	}
}

// Form codes the request as application/x-www-form-urlencoded values.
func (r TokenRequest) Form() url.Values {
	v := url.Values{}
	for name, value := range r.fields() {
		if *value != "" {
			v.Set(name, *value)
		}
	}
	return v
}

// ParseTokenRequest reads a form; unknown members are ignored.
func ParseTokenRequest(v url.Values) TokenRequest {
	var r TokenRequest
	for name, value := range r.fields() {
		*value = v.Get(name)
	}
	return r
}

// HasScope reports whether a blank-separated list holds a scope.
func HasScope(list, scope string) bool {
	for _, s := range strings.Fields(list) {
		if s == scope {
			return true
		}
	}
	return false
}

// NonceResponse answers grant_type=srv_challenge.
type NonceResponse struct {
	Nonce string `json:"Nonce"`
}

// TokenResponse is a successful answer, and the plaintext of an encrypted one.
// Version 1 endpoints also say Resource and ExpiresOn, and write numbers as
// strings: a response with ExpiresOn is written that way, and both forms read.
type TokenResponse struct {
	TokenType    string
	Scope        string
	ExpiresIn    int64 // seconds
	ExpiresOn    int64 // Unix seconds; 0 for version 2
	NotBefore    int64 // Unix seconds; version 1 only
	Resource     string
	AccessToken  string
	RefreshToken string
	IDToken      string
	ClientInfo   string // see [ClientInfo]; for those who ask with client_info=1
	// Members of a PRT answer ([MS-OAPXBC] 3.2.5.1.2.2).
	RefreshTokenExpiresIn int64
	SessionKeyJWE         string
	TGTAD, TGTCloud       string
}

type wireResponse struct {
	TokenType             string `json:"token_type"`
	Scope                 string `json:"scope,omitempty"`
	ExpiresIn             number `json:"expires_in,omitempty"`
	ExtExpiresIn          number `json:"ext_expires_in,omitempty"`
	ExpiresOn             number `json:"expires_on,omitempty"`
	NotBefore             number `json:"not_before,omitempty"`
	Resource              string `json:"resource,omitempty"`
	AccessToken           string `json:"access_token,omitempty"`
	RefreshToken          string `json:"refresh_token,omitempty"`
	RefreshTokenExpiresIn number `json:"refresh_token_expires_in,omitempty"`
	SessionKeyJWE         string `json:"session_key_jwe,omitempty"`
	IDToken               string `json:"id_token,omitempty"`
	ClientInfo            string `json:"client_info,omitempty"`
	TGTAD                 string `json:"tgt_ad,omitempty"`
	TGTCloud              string `json:"tgt_cloud,omitempty"`
}

// number is an integer that may be written as a string. It holds JSON text.
type number string

func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func (n *number) UnmarshalJSON(b []byte) error {
	*n = number(b)
	_, err := n.value()
	return err
}

func (n number) value() (int64, error) {
	s := strings.Trim(string(n), `"`)
	if s == "" || s == "null" {
		return 0, nil
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("oauth: %q is not a number of seconds", s)
	}
	return v, nil
}

// MarshalJSON writes version 1's or version 2's spelling of numbers.
func (r TokenResponse) MarshalJSON() ([]byte, error) {
	num := func(v int64) number {
		switch {
		case v == 0:
			return ""
		case r.ExpiresOn != 0:
			return number(strconv.Quote(strconv.FormatInt(v, 10)))
		}
		return number(strconv.FormatInt(v, 10))
	}
	return json.Marshal(wireResponse{
		TokenType: r.TokenType, Scope: r.Scope, ExpiresIn: num(r.ExpiresIn), ExtExpiresIn: num(r.ExpiresIn),
		ExpiresOn: num(r.ExpiresOn), NotBefore: num(r.NotBefore), ClientInfo: r.ClientInfo, Resource: r.Resource, AccessToken: r.AccessToken, RefreshToken: r.RefreshToken,
		RefreshTokenExpiresIn: num(r.RefreshTokenExpiresIn), SessionKeyJWE: r.SessionKeyJWE, IDToken: r.IDToken,
		TGTAD: r.TGTAD, TGTCloud: r.TGTCloud,
	})
}

// UnmarshalJSON reads numbers as numbers and as strings.
func (r *TokenResponse) UnmarshalJSON(b []byte) error {
	var w wireResponse
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("oauth: token response: %w", err)
	}
	*r = TokenResponse{
		TokenType: w.TokenType, Scope: w.Scope, Resource: w.Resource, AccessToken: w.AccessToken,
		RefreshToken: w.RefreshToken, IDToken: w.IDToken, SessionKeyJWE: w.SessionKeyJWE, TGTAD: w.TGTAD, TGTCloud: w.TGTCloud, ClientInfo: w.ClientInfo,
	}
	for _, n := range []struct {
		from number
		to   *int64
	}{{w.ExpiresIn, &r.ExpiresIn}, {w.ExpiresOn, &r.ExpiresOn}, {w.NotBefore, &r.NotBefore}, {w.RefreshTokenExpiresIn, &r.RefreshTokenExpiresIn}} {
		v, err := n.from.value()
		if err != nil {
			return err
		}
		*n.to = v
	}
	return nil
}
