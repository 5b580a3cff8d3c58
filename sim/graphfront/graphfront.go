package graphfront

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/sim/wire/graph"
)

// Front routes requests. A nil handler answers 501.
type Front struct {
	Intune    http.Handler // deviceManagement and deviceAppManagement
	Directory http.Handler // everything else: users, groups, devices, organization, me, applications, ...
	Now       func() time.Time
	// NewID names a request; a service that gives names of its own is free to. nil:
	// a request that its sender did not name has no name.
	NewID func() string
	// Refused hears of batches, and parts of them, that are refused here; what
	// the services refuse they tell themselves. nil: nobody hears.
	Refused func(ctx context.Context, operation, check, code string)
}

func (f Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.identify(w, r)
	if err := unpack(r); err != nil {
		f.mistaken(w, r, err)
		return
	}
	to := f.Directory
	switch firstOf(r.URL.Path, 1) {
	case "devicemanagement", "deviceappmanagement":
		to = f.Intune
	case "$batch":
		f.batch(w, r)
		return
	}
	if to == nil {
		f.error(w, r, http.StatusNotImplemented, graph.CodeNotImplemented, "This part of Microsoft Graph is not modelled: "+r.URL.Path)
		return
	}
	to.ServeHTTP(w, r)
}

// unpack has the body of a request read as it was before its sender packed it,
// as SDKs do (RFC 9110 8.4). How much may come out, who reads it says.
func unpack(r *http.Request) error {
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return nil
	case "gzip":
		packed, err := gzip.NewReader(r.Body)
		if err != nil {
			return bad("content encoding", "The request body is not gzip.")
		}
		r.Body, r.ContentLength = unpacked{packed, r.Body}, -1
		r.Header.Del("Content-Encoding")
		r.Header.Del("Content-Length")
		return nil
	default:
		return &mistake{http.StatusUnsupportedMediaType, "UnsupportedMediaType", "content encoding", "The content encoding is not supported."}
	}
}

// unpacked reads what was packed, and closes the body that it came in.
type unpacked struct {
	io.Reader
	io.Closer
}

func (f Front) now() time.Time {
	if f.Now == nil {
		return time.Time{}
	}
	return f.Now()
}

// identify gives an answer the headers that all of Graph's have
// (learn.microsoft.com/graph/best-practices-concept, "Reliability and support").
func (f Front) identify(w http.ResponseWriter, r *http.Request) {
	h, client := w.Header(), r.Header.Get("client-request-id")
	id := client
	if f.NewID != nil {
		id = f.NewID()
	}
	for name, v := range map[string]string{"request-id": id, "client-request-id": client, "x-ms-ags-diagnostic": graph.Diagnostic} {
		if v != "" {
			h.Set(name, v)
		}
	}
	if now := f.now(); !now.IsZero() {
		h.Set("Date", now.UTC().Format(http.TimeFormat))
	}
}

func (f Front) error(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	body, err := json.Marshal(graph.NewError(code, message, f.now(), w.Header().Get("request-id"), r.Header.Get("client-request-id")))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm=""`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a peer that hung up has no use for an error
}

// Operation names a request for the journal and for fault rules: its method
// and the collection that it is about.
func Operation(r *http.Request) string {
	segments := strings.Split(strings.Trim(strings.ToLower(r.URL.Path), "/"), "/")
	if len(segments) > 3 {
		segments = append(segments[:3], "...")
	}
	return r.Method + " " + strings.Join(segments, "/")
}

// firstOf is the n-th segment of a path, in lower case; "" where there is none.
func firstOf(path string, n int) string {
	segments := strings.SplitN(strings.Trim(strings.ToLower(path), "/"), "/", n+2)
	if len(segments) <= n {
		return ""
	}
	segment, _, _ := strings.Cut(segments[n], "(")
	return segment
}
