package sts

import (
	"bytes"
	_ "embed" // page.html
	"errors"
	"html/template"
	"net/http"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/wire/oauth"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// view is what a page shows. It works without JavaScript; Submit is the nonce of
// the one script that presses the button where a browser has it.
type view struct {
	Title, Account, Error, Text, Detail string
	List                                []string
	Action, Button, Cancel, Submit      string
	Hidden, Fields                      []input
}

type input struct{ Name, Label, Type, Value string }

// show answers with a page that nobody may frame and nothing may be loaded into.
func (c *call) show(status int, v view) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		http.Error(c.w, "the service failed", http.StatusInternalServerError)
		return
	}
	policy := "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
	if v.Submit != "" {
		policy += "; script-src 'nonce-" + v.Submit + "'"
	}
	h := c.w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	service.Write(c.w, status, "text/html; charset=utf-8", b.Bytes())
}

// explain tells a refusal to the person in front of the browser: there is no
// client that it could go to, or none that can be trusted.
func (s *Service) explain(c *call, operation string, err error) {
	e := s.errorOf(c, operation, err)
	if e == nil {
		http.Error(c.w, "the service failed", http.StatusInternalServerError)
		return
	}
	c.show(http.StatusBadRequest, view{Title: "Sorry, but we can't sign you in", Error: message(e), Detail: detailOf(c, e)})
}

// message is an error's text without its ids.
func message(e *oauth.Error) string {
	text, _, _ := strings.Cut(e.Description, " Trace ID: ")
	return text
}

func detailOf(c *call, e *oauth.Error) string {
	return "Request Id: " + c.id + " Correlation Id: " + c.correlationID + " Timestamp: " + e.Timestamp
}

// back sends an answer to the client's redirect address, which was found to be
// registered, in the response mode asked for.
func (c *call) back(request oauth.AuthorizeRequest, answer map[string]string, nonce string) {
	if request.State != "" {
		answer["state"] = request.State
	}
	if request.Mode() == oauth.ModeFormPost {
		v := view{Title: "Working...", Text: "Press Continue to go on to the application.", Action: request.RedirectURI, Button: "Continue", Submit: nonce}
		for _, name := range sortedKeys(answer) {
			v.Hidden = append(v.Hidden, input{Name: name, Value: answer[name]})
		}
		c.show(http.StatusOK, v)
		return
	}
	address, err := redirectTo(request, answer)
	if err != nil {
		http.Error(c.w, "the redirect address cannot be read", http.StatusBadRequest)
		return
	}
	c.w.Header().Set("Location", address)
	c.w.Header().Set("Referrer-Policy", "no-referrer")
	service.Write(c.w, http.StatusFound, "text/html; charset=utf-8", nil)
}

// backError sends a refusal there (RFC 6749 4.1.2.1).
func (s *Service) backError(c *call, request oauth.AuthorizeRequest, err error) {
	e := s.errorOf(c, "sts.authorize", err)
	if e == nil {
		http.Error(c.w, "the service failed", http.StatusInternalServerError)
		return
	}
	answer := map[string]string{"error": e.Name, "error_description": e.Description, "error_uri": e.URI}
	if e.SubError != "" {
		answer["error_subcode"] = e.SubError
	}
	mode := request.Mode()
	if mode != oauth.ModeQuery && mode != oauth.ModeFragment && mode != oauth.ModeFormPost {
		request.ResponseMode = oauth.ModeQuery
	}
	c.back(request, answer, s.pageNonce())
}

// isRefusal tells a check that said no from a failure of the service.
func isRefusal(err error) bool {
	var no *refusal
	return errors.As(err, &no)
}
