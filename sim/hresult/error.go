package hresult

import (
	"errors"
	"strings"
)

// Error is a failure on the device as Windows would report it.
type Error struct {
	Op    string // what was being done, "aik.enroll", "mdm.enroll"
	Phase string // where in the flow: the ESP subcategory, the enrolment stage, or "" where there is none
	Code  Code
	Err   error // cause; may be nil
}

// Error is one line: operation, phase in brackets, code, cause.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Phase != "" {
			b.WriteString(" [" + e.Phase + "]")
		}
		b.WriteString(": ")
	} else if e.Phase != "" {
		b.WriteString("[" + e.Phase + "]: ")
	}
	b.WriteString(e.Code.String())
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an Error without a phase.
func New(op string, code Code, err error) *Error { return &Error{Op: op, Code: code, Err: err} }

// CodeOf finds the outermost [Error] in err's chain and returns its code. The outermost one decides, because the layer
// above may replace a code by its own: four failed attestations are one 0x81039001.
func CodeOf(err error) (Code, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Code, true
	}
	return OK, false
}
