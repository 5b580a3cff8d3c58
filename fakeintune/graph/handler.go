package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// Audience is what access tokens for Graph are made out to.
const Audience = "https://" + wire.Host

// maxBody bounds a request's body: 500 hardware hashes of 4,000 characters fit
// twice.
const maxBody = 4 << 20

// Handler answers for Intune's part of Graph.
type Handler struct {
	s        *tenant.Service
	routes   wire.Routes[route]
	requests atomic.Uint64
	throttle throttle
}

// New makes a handler over a service.
func New(s *tenant.Service) *Handler {
	h := &Handler{s: s}
	h.addImports()
	h.addIdentities()
	h.addSettings()
	h.addCollections()
	h.addDevices()
	h.addScripts()
	h.addScriptStates()
	h.addReports()
	h.addCompliance()
	h.addContent()
	h.addLogs()
	return h
}

// route is how one operation is answered.
type route struct {
	name       string
	permission string // without .Read.All or .ReadWrite.All
	exact      bool   // permission is whole
	write      bool
	beta       bool // the reference has it in beta only
	do         func(*call) (answer, error)
}

// call is a request that has been let in.
type call struct {
	*http.Request
	t *tenant.Tenant
	wire.Match[route]
	query wire.Query
	body  []byte
	from  tenant.Claims
}

// answer is a success. A nil body sends none.
type answer struct {
	status int
	body   any
}

func (h *Handler) handle(method, pattern, permission string, do func(*call) (answer, error)) {
	h.routes.Add(method, pattern, route{name: method + " " + pattern, permission: permission, write: method != http.MethodGet, do: do})
}

func (h *Handler) handleBeta(method, pattern, permission string, do func(*call) (answer, error)) {
	h.routes.Add(method, pattern, route{name: method + " " + pattern, permission: permission, write: method != http.MethodGet, beta: true, do: do})
}

// ServeHTTP answers a request of either API version.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := h.s.RequestID("graph", h.requests.Add(1))
	client := r.Header.Get("client-request-id")
	identify(w.Header(), id, client, h.s.Now())
	match, known, found := h.routes.Find(r.Method, r.URL.Path)
	a, err := h.answer(r, match, known, found)
	if err == nil {
		if applied := preferences(r); len(applied) > 0 {
			w.Header().Set("Preference-Applied", strings.Join(applied, ", "))
		}
		write(w, a)
		return
	}
	e := asError(err)
	operation := match.Value.name
	if operation == "" {
		operation = r.Method + " " + r.URL.Path
	}
	// A missing object is an answer, not a refusal: scripts poll for it.
	if e.status != http.StatusNotFound {
		h.s.Refused(r.Context(), "graph", operation, e.check, strconv.Itoa(e.status)+" "+e.code)
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`)
	}
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.retryAfter+time.Second-1)/time.Second)))
	}
	write(w, answer{e.status, wire.NewError(e.code, e.text(), h.s.Now(), id, client)})
}

func write(w http.ResponseWriter, a answer) {
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	body, err := encode(a.body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that went away is no error of the service
}

// encode is json.Marshal, which would read what is encoded already once more.
func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case json.RawMessage:
		return b, nil
	case wire.RawCollection:
		return b.Encode()
	}
	return json.Marshal(body)
}

// answer lets a request in and has it answered.
func (h *Handler) answer(r *http.Request, m wire.Match[route], known, found bool) (answer, error) {
	claims, err := h.authenticate(r)
	if err != nil {
		return answer{}, err
	}
	t, err := h.s.Tenant(claims.TenantID)
	if err != nil {
		return answer{}, &apiError{status: http.StatusUnauthorized, code: wire.CodeInvalidToken, check: "tenant", message: "The token is of a tenant that is not a customer."}
	}
	switch {
	case known && !found:
		return answer{}, &apiError{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", check: "method", message: "This method is not modelled for this resource: " + r.Method + "."}
	case !found:
		return answer{}, notModelled(r.URL.Path)
	case !permitted(claims, m.Value):
		return answer{}, &apiError{status: http.StatusForbidden, code: wire.CodeForbidden, check: "permission", intune: true,
			message: "Application is not authorized to perform this operation. Application must have one of the following scopes: " + strings.Join(permissions(m.Value), ", ")}
	case m.Value.beta && m.Version != wire.Beta:
		return answer{}, badRequest("version", "Resource not found for the segment '"+lastName(m.Value.name)+"'.")
	}
	if err := h.throttled(claims, m.Value.write); err != nil {
		return answer{}, err
	}
	c := &call{Request: r, t: t, Match: m, from: claims}
	if c.query, err = parseQuery(r); err != nil {
		return answer{}, badRequest("query", err.Error())
	}
	if err := expandable(m.Value.name, c.query.Expand); err != nil {
		return answer{}, err
	}
	if c.body, err = readBody(r); err != nil {
		return answer{}, err
	}
	return m.Value.do(c)
}

func parseQuery(r *http.Request) (wire.Query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return wire.Query{}, err
	}
	return wire.ParseQuery(values)
}

func (h *Handler) authenticate(r *http.Request) (tenant.Claims, error) {
	// There are clients that leave the scheme out (github.com/microsoft/WindowsAutopilotCompanion).
	token := oauth.Bearer(r.Header.Get("Authorization"))
	if token == "" {
		return tenant.Claims{}, &apiError{status: http.StatusUnauthorized, code: wire.CodeInvalidToken, check: "token", message: "Access token is empty."}
	}
	claims, err := h.s.Tokens.Verify(r.Context(), token, Audience, h.s.Now())
	if err != nil {
		return tenant.Claims{}, &apiError{status: http.StatusUnauthorized, code: wire.CodeInvalidToken, check: "token", message: "Access token validation failure. " + err.Error()}
	}
	return claims, nil
}

func permissions(r route) []string {
	switch {
	case r.exact:
		return []string{r.permission}
	case r.write:
		return []string{r.permission + ".ReadWrite.All"}
	}
	return []string{r.permission + ".Read.All", r.permission + ".ReadWrite.All"}
}

// permitted looks for the permission among application roles and delegated
// scopes.
func permitted(c tenant.Claims, r route) bool {
	return slices.ContainsFunc(permissions(r), func(p string) bool {
		same := func(have string) bool { return strings.EqualFold(have, p) }
		return slices.ContainsFunc(c.Roles, same) || slices.ContainsFunc(c.Scopes, same)
	})
}

func lastName(route string) string {
	parts := strings.Split(route, "/")
	if len(parts) < 2 {
		return route
	}
	return parts[1]
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, badRequest("body", "Unable to read the request: "+err.Error())
	case len(b) > maxBody:
		return nil, &apiError{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", check: "body", message: "The request body is too large."}
	}
	if kind := r.Header.Get("Content-Type"); len(b) > 0 && kind != "" && !strings.Contains(strings.ToLower(kind), "json") {
		return nil, &apiError{status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaType", check: "content type", message: "The media type '" + kind + "' is not supported."}
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), nil
}

// decodeOptional is decode for an action whose body may be missing.
func (c *call) decodeOptional(v any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	return c.decode(v)
}

// decode reads the body into a resource. Members that are not modelled are
// passed over.
func (c *call) decode(v any) error {
	err := json.Unmarshal(c.body, v)
	if err == nil {
		return nil
	}
	var notBase64 base64.CorruptInputError
	if errors.As(err, &notBase64) {
		return badRequest("base64", "Cannot convert the literal to the expected type 'Edm.Binary'.")
	}
	return badRequest("body", "Unable to read JSON request payload. "+err.Error())
}
