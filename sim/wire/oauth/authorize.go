package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// AuthorizeRequest are the parameters of the authorisation endpoint (RFC 6749
// 4.1.1, OpenID Connect Core 3.1.2.1, RFC 7636 4.3), from query or form.
// Version 1 endpoints name a Resource, version 2 endpoints a Scope.
type AuthorizeRequest struct {
	ClientID        string
	ResponseType    string
	RedirectURI     string
	ResponseMode    string
	Scope           string
	Resource        string
	State           string
	Nonce           string
	Prompt          string
	LoginHint       string
	CodeChallenge   string
	ChallengeMethod string
	ClientInfo      string
}

func (r *AuthorizeRequest) fields() map[string]*string {
	return map[string]*string{
		"client_id": &r.ClientID, "response_type": &r.ResponseType, "redirect_uri": &r.RedirectURI, "response_mode": &r.ResponseMode,
		"scope": &r.Scope, "resource": &r.Resource, "state": &r.State, "nonce": &r.Nonce, "prompt": &r.Prompt, "login_hint": &r.LoginHint,
		"code_challenge": &r.CodeChallenge, "code_challenge_method": &r.ChallengeMethod, "client_info": &r.ClientInfo,
	}
}

// ParseAuthorizeRequest reads query or form values; unknown ones are ignored.
func ParseAuthorizeRequest(v url.Values) AuthorizeRequest {
	var r AuthorizeRequest
	for name, value := range r.fields() {
		*value = v.Get(name)
	}
	return r
}

// Values is the request as a query.
func (r AuthorizeRequest) Values() url.Values {
	v := url.Values{}
	for name, value := range r.fields() {
		if *value != "" {
			v.Set(name, *value)
		}
	}
	return v
}

// Wants tells whether the response type holds a word: code, id_token, token.
func (r AuthorizeRequest) Wants(word string) bool { return HasScope(r.ResponseType, word) }

// Response modes (OAuth 2.0 Multiple Response Type Encoding Practices 2.1,
// OAuth 2.0 Form Post Response Mode).
const (
	ModeQuery    = "query"
	ModeFragment = "fragment"
	ModeFormPost = "form_post"
)

// Mode is the response mode asked for, or the response type's own.
func (r AuthorizeRequest) Mode() string {
	switch {
	case r.ResponseMode != "":
		return r.ResponseMode
	case r.Wants("id_token"), r.Wants("token"):
		return ModeFragment
	}
	return ModeQuery
}

// Methods of a code challenge (RFC 7636 4.2).
const (
	ChallengePlain = "plain"
	ChallengeS256  = "S256"
)

// Challenge is the S256 challenge of a code verifier.
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return b64.EncodeToString(sum[:])
}

// ValidVerifier tells whether a verifier is 43 to 128 characters of those
// allowed (RFC 7636 4.1).
func ValidVerifier(v string) bool {
	return len(v) >= 43 && len(v) <= 128 && !strings.ContainsFunc(v, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
}

// VerifierFits tells whether a verifier is that of a challenge. An empty
// method is plain (RFC 7636 4.3).
func VerifierFits(method, challenge, verifier string) bool {
	if method == ChallengeS256 {
		verifier = Challenge(verifier)
	}
	return subtle.ConstantTimeCompare([]byte(challenge), []byte(verifier)) == 1
}

// ClientInfo tells a client which account it got a token for: object id and
// tenant. It is what MSAL keys its cache with.
func ClientInfo(objectID, tenantID string) string {
	b, _ := json.Marshal(struct {
		UID  string `json:"uid"`
		UTID string `json:"utid"`
	}{objectID, tenantID}) // two strings: cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// HalfHash is the c_hash of a code and the at_hash of an access token (OpenID
// Connect Core 3.3.2.11).
func HalfHash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return b64.EncodeToString(sum[:len(sum)/2])
}
