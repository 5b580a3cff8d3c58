package graphfront

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
)

// Bounds of a batch (learn.microsoft.com/graph/json-batching). The size is
// ours: a batch of imports with a few hardware hashes each fits.
const (
	maxParts = 20
	maxBatch = 4 << 20
)

// batch is the body of POST /$batch.
type batch struct {
	Requests []part `json:"requests"`
}

// part is one request of a batch.
type part struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"` // behind the version
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"` // JSON; what is not JSON comes as a base64 string
	DependsOn []string          `json:"dependsOn"`
}

// result is the answer to a part.
type result struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// mistake is why a whole batch is refused.
type mistake struct {
	status         int
	code           string
	check, message string
}

func (m *mistake) Error() string { return m.check + ": " + m.message }

func bad(check, format string, args ...any) error {
	return &mistake{http.StatusBadRequest, graph.CodeBadRequest, check, fmt.Sprintf(format, args...)}
}

// batch answers POST /$batch: its requests one after the other, those that
// others depend on first, each with its own answer.
func (f Front) batch(w http.ResponseWriter, r *http.Request) {
	version := firstOf(r.URL.Path, 0)
	order, err := f.read(r)
	if err == nil && version != graph.V1 && version != graph.Beta {
		err = bad("version", "There is no version %q.", version)
	}
	if err != nil {
		f.mistaken(w, r, err)
		return
	}
	results := make(map[string]result, len(order))
	out := struct {
		Responses []result `json:"responses"`
	}{[]result{}}
	for _, p := range order {
		res := f.do(r, version, p, results)
		results[p.ID] = res
		out.Responses = append(out.Responses, res)
	}
	body, err := json.Marshal(out)
	if err != nil {
		f.mistaken(w, r, &mistake{http.StatusInternalServerError, graph.CodeInternal, "encode", "The answers could not be written."})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // a peer that hung up has no use for an error
}

// read gives the parts of a batch in an order in which they can be done.
func (f Front) read(r *http.Request) ([]part, error) {
	if r.Method != http.MethodPost {
		return nil, &mistake{http.StatusMethodNotAllowed, "MethodNotAllowed", "method", "A batch is posted."}
	}
	if r.Header.Get("Authorization") == "" {
		return nil, &mistake{http.StatusUnauthorized, graph.CodeInvalidToken, "token", "Access token is empty."}
	}
	if kind := r.Header.Get("Content-Type"); kind != "" && !strings.Contains(strings.ToLower(kind), "json") {
		return nil, &mistake{http.StatusUnsupportedMediaType, "UnsupportedMediaType", "content type", "A batch is application/json."}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBatch+1))
	switch {
	case err != nil:
		return nil, bad("body", "The request could not be read.")
	case len(body) > maxBatch:
		return nil, &mistake{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "body", "The batch is too large."}
	}
	var b batch
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, bad("body", "Invalid batch payload format.")
	}
	if err := b.check(r.Host); err != nil {
		return nil, err
	}
	return b.ordered()
}

func (b batch) check(host string) error {
	switch {
	case len(b.Requests) == 0:
		return bad("requests", "The batch has no requests.")
	case len(b.Requests) > maxParts:
		return bad("requests", "Number of batch request steps exceeds the maximum value of %d.", maxParts)
	}
	seen := map[string]bool{}
	for i := range b.Requests {
		p := &b.Requests[i]
		if p.ID == "" || seen[p.ID] {
			return bad("id", "Every request of a batch needs an id of its own; %q is missing or not unique.", p.ID)
		}
		seen[p.ID] = true
		p.Method = strings.ToUpper(p.Method)
		if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, p.Method) {
			return bad("method", "Request %q has no method that a batch can have.", p.ID)
		}
		if err := p.relative(host); err != nil {
			return err
		}
	}
	return nil
}

// relative checks the address of a part, and cuts off what an address of this
// host has before the path.
func (p *part) relative(host string) error {
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || p.URL == "":
		return bad("url", "Request %q has no url that can be read.", p.ID)
	case u.Host != "" && !strings.EqualFold(u.Host, graph.Host) && !strings.EqualFold(u.Host, host), u.Scheme != "" && u.Scheme != "https":
		return bad("url", "The url of request %q must be relative.", p.ID)
	}
	// An escaped slash is part of a name, and stays so.
	path, escaped := strings.Trim(u.Path, "/"), strings.Trim(u.EscapedPath(), "/")
	if v := firstOf(path, 0); u.Host != "" && (v == graph.V1 || v == graph.Beta) {
		_, path, _ = strings.Cut(path, "/")
		_, escaped, _ = strings.Cut(escaped, "/")
	}
	if strings.EqualFold(firstOf(path, 0), "$batch") || path == "" {
		return bad("url", "The url of request %q leads to no resource; batches cannot hold batches.", p.ID)
	}
	p.URL = "/" + escaped
	if u.RawQuery != "" {
		p.URL += "?" + u.RawQuery
	}
	return nil
}

// ordered puts parts behind those that they depend on.
func (b batch) ordered() ([]part, error) {
	byID := map[string]part{}
	for _, p := range b.Requests {
		byID[p.ID] = p
	}
	out := make([]part, 0, len(b.Requests))
	state := map[string]int{} // 1: being placed, 2: placed
	var place func(p part) error
	place = func(p part) error {
		switch state[p.ID] {
		case 1:
			return bad("dependsOn", "Request %q depends on itself.", p.ID)
		case 2:
			return nil
		}
		state[p.ID] = 1
		for _, id := range p.DependsOn {
			on, ok := byID[id]
			if !ok {
				return bad("dependsOn", "Request %q depends on %q, which is not in the batch.", p.ID, id)
			}
			if err := place(on); err != nil {
				return err
			}
		}
		state[p.ID] = 2
		out = append(out, p)
		return nil
	}
	for _, p := range b.Requests {
		if err := place(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// do has a part answered. One that depends on a failed one is not tried.
func (f Front) do(outer *http.Request, version string, p part, done map[string]result) result {
	for _, id := range p.DependsOn {
		if done[id].Status >= http.StatusBadRequest {
			return f.failed(outer, p, http.StatusFailedDependency, "FailedDependency", "Request "+id+", which this one depends on, failed.")
		}
	}
	r, err := p.request(outer, version)
	if err != nil {
		return f.failed(outer, p, http.StatusBadRequest, graph.CodeBadRequest, "The request could not be made.")
	}
	rec := &recorder{header: http.Header{}}
	f.ServeHTTP(rec, r)
	res := result{ID: p.ID, Status: max(rec.status, http.StatusOK)}
	if rec.status == 0 {
		res.Status = http.StatusOK
	}
	for _, name := range []string{"Content-Type", "Cache-Control", "Location", "Retry-After", "WWW-Authenticate", "OData-Version", "Preference-Applied", "request-id"} {
		if v := rec.header.Get(name); v != "" {
			if res.Headers == nil {
				res.Headers = map[string]string{}
			}
			res.Headers[name] = v
		}
	}
	switch body := bytes.TrimSpace(rec.body.Bytes()); {
	case len(body) == 0:
	case json.Valid(body):
		res.Body = body
	default:
		res.Body, _ = json.Marshal(base64.StdEncoding.EncodeToString(rec.body.Bytes())) // a string always can
	}
	return res
}

// request makes the request of a part. It is its sender's who sent the batch:
// a part cannot bring a token of its own.
func (p part) request(outer *http.Request, version string) (*http.Request, error) {
	body := []byte(p.Body)
	if string(body) == "null" {
		body = nil
	}
	r, err := http.NewRequestWithContext(outer.Context(), p.Method, "https://"+graph.Host+"/"+version+p.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, v := range p.Headers {
		r.Header.Set(name, v)
	}
	for _, name := range []string{"Authorization", "client-request-id"} {
		r.Header.Del(name)
		if v := outer.Header.Get(name); v != "" {
			r.Header.Set(name, v)
		}
	}
	if outer.Host != "" {
		r.Host = outer.Host
	}
	r.RemoteAddr, r.TLS = outer.RemoteAddr, outer.TLS
	return r, nil
}

func (f Front) failed(outer *http.Request, p part, status int, code, message string) result {
	id := outer.Header.Get("client-request-id")
	body, _ := json.Marshal(graph.NewError(code, message, f.now(), id, id)) // texts always can
	f.refused(outer.Context(), p.Method+" "+p.URL, "dependsOn", code)
	return result{ID: p.ID, Status: status, Headers: map[string]string{"Content-Type": "application/json"}, Body: body}
}

// mistaken refuses a whole batch.
func (f Front) mistaken(w http.ResponseWriter, r *http.Request, err error) {
	var m *mistake
	if !errors.As(err, &m) {
		m = &mistake{http.StatusInternalServerError, graph.CodeInternal, "batch", "The batch could not be answered."}
	}
	f.refused(r.Context(), "POST $batch", m.check, m.code)
	f.error(w, r, m.status, m.code, m.message)
}

func (f Front) refused(ctx context.Context, operation, check, code string) {
	if f.Refused != nil {
		f.Refused(ctx, operation, check, code)
	}
}

// recorder is an http.ResponseWriter that keeps what is written.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
