package enroll

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// AuthenticationPath is the page where users of a federated organization sign
// in, below the enrolment host.
const AuthenticationPath = "/EnrollmentServer/Authentication"

// maxForm is how much of the page's form is read, in bytes.
const maxForm = 16 << 10

// appScheme is of the addresses that a token may be posted to: an app of
// Windows ([MS-MDE2] 3.2). Any other address would be somebody else's.
const appScheme = "ms-app"

var signInPage = template.Must(template.New("sign-in").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head><body>
<h1>Sign in to enroll this device</h1>{{with .Problem}}
<p role="alert">{{.}}</p>{{end}}
<form name="signin" method="post" autocomplete="off">
<input type="hidden" name="appru" value="{{.App}}">
<p><label>User name <input type="email" name="login" value="{{.Login}}" required></label></p>
<p><label>Password <input type="password" name="passwd" required></label></p>
<p><button type="submit">Sign in</button></p>
</form></body></html>
`))

// The form that hands the token over has the members of [MS-MDE2] 3.2.4.
var tokenPage = template.Must(template.New("token").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Working...</title></head><body onload="document.forms[0].submit()">
<form method="post" action="{{.Action}}">
<input type="hidden" name="wresult" value="{{.Token}}">
<noscript><button type="submit">Continue</button></noscript>
</form></body></html>
`))

// authentication is the page: GET shows a form, POST checks it and answers with
// the form that posts wresult to the client's address.
func (s *Service) authentication(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	switch r.Method {
	case http.MethodGet, http.MethodPost:
	default:
		h.Set("Allow", "GET, POST")
		s.deny(w, r, http.StatusMethodNotAllowed, "method")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			s.deny(w, r, http.StatusRequestEntityTooLarge, "form size")
			return
		}
		s.deny(w, r, http.StatusBadRequest, "form")
		return
	}
	app, err := url.Parse(r.Form.Get("appru"))
	if err != nil || app.Scheme != appScheme || app.Host == "" || len(r.Form["appru"]) > 2 {
		s.deny(w, r, http.StatusBadRequest, "appru")
		return
	}
	view := struct{ App, Login, Problem string }{app.String(), r.Form.Get("login_hint"), ""}
	if r.Method == http.MethodPost {
		view.Login = r.PostForm.Get("login")
		done, err := s.hand(w, r, app, view.Login)
		if done {
			return
		}
		s.Tenants.Refused(r.Context(), "enroll", "enroll.authenticate", "password", "401")
		view.Problem = err.Error()
		w.WriteHeader(http.StatusUnauthorized)
	}
	_ = signInPage.Execute(w, view) // a client that went away
}

// deny answers what is no use of the page; the check goes to the journal.
func (s *Service) deny(w http.ResponseWriter, r *http.Request, status int, check string) {
	s.Tenants.Refused(r.Context(), "enroll", "enroll.authenticate", check, http.StatusText(status))
	http.Error(w, http.StatusText(status)+": "+check, status)
}

// hand checks the password and writes the token's page; false with the reason
// where the user may not sign in.
func (s *Service) hand(w http.ResponseWriter, r *http.Request, app *url.URL, login string) (done bool, err error) {
	ctx := r.Context()
	tenantID, err := s.checkPassword(ctx, login, r.PostForm.Get("passwd"))
	if errors.Is(err, ErrSignIn) {
		return false, ErrSignIn
	}
	if err == nil {
		t, known := s.Tenants.Tenant(tenantID)
		if known != nil {
			return false, ErrSignIn
		}
		var text string
		if text, err = s.issue(ctx, t, strings.ToLower(login)); err == nil {
			// The address has the one scheme that the caller checked.
			_ = tokenPage.Execute(w, struct {
				Action template.URL
				Token  string
			}{template.URL(app.String()), text})
			return true, nil
		}
	}
	s.deny(w, r, http.StatusInternalServerError, "internal")
	return true, nil
}
