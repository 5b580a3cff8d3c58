package graph

import (
	"errors"
	"net/http"
	"time"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// apiError is an answer that is not a success.
type apiError struct {
	status     int
	code       string
	check      string // which check decided, for the journal
	message    string
	intune     bool // Intune writes JSON text into the message, Graph's front plain text
	retryAfter time.Duration
}

func (e *apiError) Error() string { return e.check + ": " + e.message }

func (e *apiError) text() string {
	if !e.intune {
		return e.message
	}
	return wire.IntuneMessage{Message: e.message, ErrorSourceService: "DeviceEnrollmentFE"}.String()
}

func badRequest(check, message string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: wire.CodeBadRequest, check: check, message: message}
}

func notModelled(what string) *apiError {
	return &apiError{status: http.StatusNotImplemented, code: wire.CodeNotImplemented, check: "modelled", message: "Not modelled here: " + what}
}

// asError gives the answer for an error of the state.
func asError(err error) *apiError {
	var known *apiError
	if errors.As(err, &known) {
		return known
	}
	e := &apiError{check: "state", message: err.Error(), intune: true}
	var throttled *tenant.ThrottledError
	switch {
	case errors.As(err, &throttled):
		e.status, e.code, e.check, e.retryAfter = http.StatusTooManyRequests, wire.CodeTooManyRequests, "throttle", throttled.RetryAfter
	case errors.Is(err, tenant.ErrNotFound):
		e.status, e.code, e.check = http.StatusNotFound, wire.CodeNotFound, "id"
	case errors.Is(err, tenant.ErrExists), errors.Is(err, tenant.ErrConflict), errors.Is(err, tenant.ErrSyncRunning):
		e.status, e.code = http.StatusConflict, wire.CodeConflict
	case errors.Is(err, tenant.ErrInvalid), errors.Is(err, tenant.ErrEnrolled):
		e.status, e.code = http.StatusBadRequest, wire.CodeBadRequest
	default:
		e.status, e.code = http.StatusInternalServerError, wire.CodeInternal
	}
	return e
}
