package graphfront

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/sim/wire/graph"
)

// Front routes requests. A nil handler answers 501.
type Front struct {
	Intune    http.Handler // deviceManagement and deviceAppManagement
	Directory http.Handler // everything else
	Now       func() time.Time
}

func (f Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := f.Directory
	switch first(r.URL.Path) {
	case "devicemanagement", "deviceappmanagement":
		to = f.Intune
	case "$batch":
		to = nil
	}
	if to == nil {
		f.refuse(w, r)
		return
	}
	to.ServeHTTP(w, r)
}

func (f Front) refuse(w http.ResponseWriter, r *http.Request) {
	var now time.Time
	if f.Now != nil {
		now = f.Now()
	}
	id := r.Header.Get("client-request-id")
	body, err := json.Marshal(graph.NewError("NotImplemented", "This part of Microsoft Graph is not modelled: "+r.URL.Path, now, id, id))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotImplemented)
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

// first is the path's first segment after the version.
func first(path string) string {
	segments := strings.SplitN(strings.Trim(strings.ToLower(path), "/"), "/", 3)
	if len(segments) < 2 {
		return ""
	}
	return segments[1]
}
