package directory

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
)

// badRequest is about what the caller sent.
type badRequest struct{ code, text string }

func (b *badRequest) Error() string { return b.text }

// notModelled is about what the fake cannot do with a request it knows.
type notModelled struct{ text string }

func (n *notModelled) Error() string { return "not modelled: " + n.text }

// denied is about a caller who may not do what others may.
type denied struct{ text string }

func (d *denied) Error() string { return d.text }

// errMore is about a body that goes on after its value.
var errMore = errors.New("more than one value")

// errMedia is about a body of another kind than JSON.
var errMedia = errors.New("a request body must be application/json")

func (s *Service) answer(c *call, op operation) {
	err := op.serve(s, c)
	if err == nil {
		return
	}
	status, code := statusOf(err)
	message := err.Error()
	if status == http.StatusNotFound { // an answer: nobody was turned away
		message = fmt.Sprintf("Resource does not exist: %v.", err)
	} else {
		s.Refused(c.r.Context(), op.name, "request", code)
	}
	s.fail(c.w, c.r, status, code, message)
}

func statusOf(err error) (status int, code string) {
	var bad *badRequest
	var absent *notModelled
	var no *denied
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &bad):
		return http.StatusBadRequest, bad.code
	case errors.As(err, &absent):
		return http.StatusNotImplemented, graph.CodeNotImplemented
	case errors.As(err, &no):
		return http.StatusForbidden, graph.CodeDenied
	case errors.As(err, &long):
		return http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"
	case errors.Is(err, errMedia):
		return http.StatusUnsupportedMediaType, "UnsupportedMediaType"
	case errors.Is(err, tenant.ErrExists):
		return http.StatusBadRequest, "Request_MultipleObjectsWithSameKeyValue"
	case errors.Is(err, tenant.ErrPolicy), errors.Is(err, tenant.ErrRule), errors.Is(err, tenant.ErrApp):
		return http.StatusBadRequest, graph.CodeBadRequest
	}
	for _, missing := range []error{tenant.ErrNoDevice, tenant.ErrNoUser, tenant.ErrNoGroup, tenant.ErrNoTenant, tenant.ErrNoApp, tenant.ErrNoPolicy, errNoObject} {
		if errors.Is(err, missing) {
			return http.StatusNotFound, graph.CodeRequestNotFound
		}
	}
	return http.StatusInternalServerError, graph.CodeInternal
}

// errNoObject is about an id that nothing has.
var errNoObject = errors.New("no such object")

func (s *Service) fail(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	id := s.NewID("request")
	w.Header().Set("request-id", id)
	client := r.Header.Get("client-request-id")
	if client != "" {
		w.Header().Set("client-request-id", client)
	}
	service.WriteJSON(w, status, graph.NewError(code, message, s.Now(), id, client))
}

// decode reads a body of a resource's members. A wrong value is the caller's
// mistake, and so is a member that the service alone sets, named in readOnly; one
// that is not modelled is told, never dropped.
func (c *call) decode(v any, readOnly ...string) error {
	if !service.Sends(c.r, "application/json") {
		return errMedia
	}
	var body map[string]any
	d := json.NewDecoder(c.r.Body)
	d.UseNumber()
	err := d.Decode(&body)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = cmp.Or(more, errMore)
		}
	}
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return err
		}
		return &badRequest{graph.CodeBadRequest, "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."}
	}
	for _, name := range readOnly {
		if body[name] != nil {
			return &badRequest{graph.CodeBadRequest, fmt.Sprintf("Property '%s' is read-only and cannot be set.", name)}
		}
	}
	report := graph.Inspect(body, v)
	if len(report.Mistakes) > 0 {
		m := report.Mistakes[0]
		return &badRequest{graph.CodeBadRequest, fmt.Sprintf("Invalid value specified for property '%s' of resource: it %s.", m.Path, m.Message)}
	}
	if len(report.Unmodelled) > 0 {
		return &notModelled{"members " + strings.Join(report.Unmodelled, ", ")}
	}
	if c.body, err = json.Marshal(body); err != nil {
		return err
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return &badRequest{graph.CodeBadRequest, "Unable to read JSON request payload: " + err.Error()}
	}
	return nil
}

// merged is a resource with the members of the body that was decoded over its
// own: what a PATCH makes of it. Nested objects keep the members that the body
// does not have; lists are replaced. The resource itself stays as it is, with
// all that it points at.
func merged[T any](c *call, old T) (T, error) {
	var out T
	raw, err := json.Marshal(old)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err == nil {
		err = json.Unmarshal(c.body, &out)
	}
	return out, err
}

// done answers a change without a body.
func (c *call) done(err error) error {
	if err == nil {
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}
