package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/problem"
)

// Limits of request bodies on the management listener.
const (
	maxRequest = 1 << 20
	maxState   = 512 << 20
)

// refusal is an answer of the management listener that is no success.
type refusal struct {
	status   int
	Message  string       `json:"error"`
	Problems problem.List `json:"problems,omitempty"`
}

func (r *refusal) Error() string { return r.Message }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, Message: fmt.Sprintf(format, args...)}
}

// endpoint answers a request with something to write as JSON, nil for 204.
type endpoint func(w http.ResponseWriter, r *http.Request) (any, error)

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, err := e(w, r)
	var refused *refusal
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		refused = &refusal{status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("the body is over %d bytes", tooLong.Limit)}
	case err != nil && !errors.As(err, &refused):
		refused = &refusal{status: http.StatusInternalServerError, Message: err.Error()}
	}
	switch {
	case refused != nil:
		writeJSON(w, refused.status, refused)
	case v != nil:
		writeJSON(w, http.StatusOK, v)
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that went away is no error of ours
}

// methods routes one path by method, and says which there are.
type methods map[string]endpoint

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e, ok := m[r.Method]; ok {
		e.ServeHTTP(w, r)
		return
	}
	var known []string
	for name := range m {
		known = append(known, name)
	}
	slices.Sort(known)
	w.Header().Set("Allow", strings.Join(known, ", "))
	writeJSON(w, http.StatusMethodNotAllowed, &refusal{Message: r.Method + " does not work here; " + strings.Join(known, ", ") + " does"})
}

// guard lets only programs of this machine in. A page in a browser is none, even
// where its host's name leads here (DNS rebinding): it sends an Origin, says by
// Fetch Metadata (w3.org/TR/fetch-metadata) that another site wants this, or
// asks for a name that is not ours.
func guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := admit(r); err != nil {
			endpoint(func(http.ResponseWriter, *http.Request) (any, error) { return nil, err }).ServeHTTP(w, r)
			return
		}
		limit := int64(maxRequest)
		if r.URL.Path == pathState {
			limit = maxState
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		h.ServeHTTP(w, r)
	})
}

func admit(r *http.Request) error {
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case !isLoopback(r.RemoteAddr):
		return refuse(http.StatusForbidden, "only programs of this machine are answered")
	case !isLoopback(r.Host):
		return refuse(http.StatusMisdirectedRequest, "this is not %q; ask for 127.0.0.1", r.Host)
	case len(r.Header.Values("Origin")) > 0 || site != "" && site != "none":
		return refuse(http.StatusForbidden, "pages in a browser are not answered")
	case r.ContentLength != 0 && !hasType(r, "application/json", "application/yaml"):
		return refuse(http.StatusUnsupportedMediaType, "the body's Content-Type is %q; application/json is understood", r.Header.Get("Content-Type"))
	}
	return nil
}

// isLoopback looks at HOST:PORT or HOST, an address or localhost.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func hasType(r *http.Request, known ...string) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && slices.Contains(known, t)
}

// readJSON takes a body of one object without unknown members.
func readJSON(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		err = errors.New("more than one value")
	}
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return err
	}
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) {
		want, place := "an object", ""
		if other.Field != "" {
			want, place = "a "+other.Type.String(), other.Field+": "
		}
		return refuse(http.StatusBadRequest, "the body is not the JSON that is wanted: %swant %s, have %s", place, want, article(other.Value))
	}
	return refuse(http.StatusBadRequest, "the body is not the JSON that is wanted: %v", err)
}

func article(kind string) string {
	if strings.HasPrefix(kind, "array") || strings.HasPrefix(kind, "object") {
		return "an " + kind
	}
	return "a " + kind
}
