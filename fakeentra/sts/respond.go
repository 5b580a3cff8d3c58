package sts

import (
	"errors"
	"net/http"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/wire/oauth"
)

// refusal is a check that said no, with the number that the caller sees.
type refusal struct {
	number        oauth.AADSTS
	check, detail string
	// name replaces the error name that goes with the number; claims is what
	// the caller has to send with its next request. Both may be empty.
	name, claims string
}

func (r *refusal) Error() string { return r.check + ": " + r.detail }

func fail(n oauth.AADSTS, check, detail string) error {
	return &refusal{number: n, check: check, detail: detail}
}

func failAs(name string, n oauth.AADSTS, check, detail string) error {
	return &refusal{number: n, check: check, detail: detail, name: name}
}

// call is one exchange: its ids go into headers, bodies and pages.
type call struct {
	w             http.ResponseWriter
	r             *http.Request
	id            string // x-ms-request-id, and trace id of errors
	correlationID string
}

// begin names an exchange and sets the headers that every answer has.
func (s *Service) begin(w http.ResponseWriter, r *http.Request) *call {
	c := &call{w: w, r: r, id: s.more.NewID("trace")}
	c.correlationID = correlation(r)
	h := w.Header()
	h.Set("x-ms-request-id", c.id)
	if c.correlationID != "" {
		h.Set("client-request-id", c.correlationID)
	} else {
		c.correlationID = c.id
	}
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	return c
}

// correlation is the id that the caller gave its exchange, in a header or, as
// the library for Node does, in the query. Only what looks like one goes back.
func correlation(r *http.Request) string {
	id := r.Header.Get("client-request-id")
	if id == "" && r.URL.RawQuery != "" {
		id = r.URL.Query().Get("client-request-id")
	}
	if len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-'
	}) {
		return ""
	}
	return id
}

// longestDetail bounds what of a request goes back in an error's text.
const longestDetail = 200

// errorOf is the body of a refusal; an error that is none is the service's own
// and gives nil.
func (s *Service) errorOf(c *call, operation string, err error) *oauth.Error {
	var no *refusal
	if !errors.As(err, &no) {
		return nil
	}
	detail := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, no.detail)
	if len(detail) > longestDetail {
		detail = strings.ToValidUTF8(detail[:longestDetail], "") + "..."
	}
	e := oauth.NewError(no.number, detail, c.id, c.correlationID, s.Now())
	if no.name != "" {
		e.Name = no.name
	}
	e.Claims = no.claims
	s.Refused(c.r.Context(), operation, no.check, "AADSTS"+itoa(int(no.number)))
	return e
}

// refuse answers with the error as JSON.
func (s *Service) refuse(c *call, operation string, err error) {
	e := s.errorOf(c, operation, err)
	if e == nil {
		http.Error(c.w, "the service failed", http.StatusInternalServerError)
		return
	}
	service.WriteJSON(c.w, e.Status(), e)
}

// answer gives a document that anybody may read from a script of another site,
// as sign-in libraries in browsers do.
func (c *call) answer(v any) {
	c.w.Header().Set("Access-Control-Allow-Origin", "*")
	service.WriteJSON(c.w, http.StatusOK, v)
}
