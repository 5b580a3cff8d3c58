package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// MaxBody bounds a request's body, far above what any client sends.
const MaxBody = 1 << 20

// errTooLong is about a body above MaxBody.
var errTooLong = errors.New("request body is too long")

// ReadBody takes the whole body.
func ReadBody(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read request: %w", err)
	case len(b) > MaxBody:
		return nil, errTooLong
	}
	return b, nil
}

// Media is the media type of a request's body, without parameters: "" where the
// request names none.
func Media(r *http.Request) (string, error) {
	header := r.Header.Get("Content-Type")
	if header == "" {
		return "", nil
	}
	media, _, err := mime.ParseMediaType(header)
	return media, err
}

// Sends tells whether a request's body is of one of these media types. Some
// clients do not say what it is: they are served.
func Sends(r *http.Request, media ...string) bool {
	is, err := Media(r)
	return err == nil && (is == "" || slices.ContainsFunc(media, func(m string) bool { return strings.EqualFold(m, is) }))
}

// WriteJSON answers with a body that cannot fail to marshal.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	Write(w, status, "application/json; charset=utf-8", body)
}

// Write answers with bytes.
func Write(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that went away is no error of the service.
	_, _ = w.Write(body)
}

// Segments are a path's parts between slashes, as sent. The real services do
// not mind case: compare with strings.EqualFold or [Match].
func Segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// Match compares a path's parts with a pattern such as "*/oauth2/token", case
// aside; "*" fits any one part.
func Match(segments []string, pattern string) bool {
	want := strings.Split(pattern, "/")
	if len(want) != len(segments) {
		return false
	}
	for i, p := range want {
		if p != "*" && !strings.EqualFold(p, segments[i]) {
			return false
		}
	}
	return true
}

// NotModelled answers what the fake does not have: 501, and a body that says
// so, never a silent success.
func NotModelled(w http.ResponseWriter, r *http.Request) {
	Write(w, http.StatusNotImplemented, "text/plain; charset=utf-8",
		fmt.Appendf(nil, "not modelled: %s %s%s\n", r.Method, r.Host, r.URL.Path))
}
