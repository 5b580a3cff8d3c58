package sts

import (
	"net/http"
	"strconv"

	"windtunnel.test/sim/wire/oauth"
)

// logout answers OpenID Connect RP-Initiated Logout. There are no sessions to
// end. The browser goes back to an address only where the request names the
// application that has it registered.
func (s *Service) logout(c *call, name string) {
	const operation = "sts.logout"
	q, err := readQuery(c.r)
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	tenantID, err := s.tenantNamed(name)
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	page := view{Title: "You signed out of your account", Text: "It's a good idea to close all browser windows."}
	address, clientID := q.Get("post_logout_redirect_uri"), q.Get("client_id")
	if address == "" || clientID == "" {
		c.show(http.StatusOK, page)
		return
	}
	app, err := s.appAnywhere(tenantID, q.Get("logout_hint"), clientID)
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	if _, ok := app.Redirect(address); !ok {
		s.Refused(c.r.Context(), operation, "redirect address", "AADSTS"+itoa(int(oauth.ReplyAddressMismatch)))
		c.show(http.StatusOK, page)
		return
	}
	answer := map[string]string{}
	c.back(oauth.AuthorizeRequest{RedirectURI: address, State: q.Get("state"), ResponseMode: oauth.ModeQuery}, answer, "")
}

// errorPage is where error_uri points: the number's text.
func (s *Service) errorPage(c *call) {
	n, err := strconv.Atoi(c.r.URL.Query().Get("code"))
	text := oauth.ErrorText(oauth.AADSTS(n))
	if err != nil || text == "" {
		c.show(http.StatusNotFound, view{Title: "Error", Text: "The number is not one of this service's."})
		return
	}
	c.show(http.StatusOK, view{Title: "AADSTS" + itoa(n), Text: text})
}
