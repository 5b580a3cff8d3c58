package sts

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/wire/oauth"
)

// maxForm bounds the body of a form. A primary refresh token's request with a
// chain of certificates is a tenth of it.
const maxForm = 256 << 10

// readForm reads a body of form values. A parameter may be there once only
// (RFC 6749 3.2).
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	media, err := service.Media(r)
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, fail(oauth.MalformedRequest, "content type", "The body has to be application/x-www-form-urlencoded.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, fail(oauth.MalformedRequest, "form", "The body cannot be read as a form.")
	}
	return r.PostForm, once(r.PostForm)
}

// readQuery reads the parameters of a GET request.
func readQuery(r *http.Request) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fail(oauth.MalformedRequest, "query", "The query cannot be read.")
	}
	return q, once(q)
}

func once(v url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if len(v[name]) > 1 {
			return fail(oauth.DuplicateParameter, "duplicate parameter", name)
		}
	}
	return nil
}
