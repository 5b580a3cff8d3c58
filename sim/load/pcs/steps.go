package pcs

import (
	"errors"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// record takes down an arrival's steps, from whatever goroutine they happen on.
type record struct {
	clock vclock.Clock

	mu      sync.Mutex
	steps   []figure.Step
	status  int       // of the last exchange that failed
	answers bool      // the AIK service's next operation is the answer
	phase   string    // of larger grain, that goes on
	begun   time.Time // since when
	refused bool      // a service said no
	closed  bool
}

// Names of the AIK service's two PKI operations.
const (
	opPKI     = "aik.PKIOperation"
	opRequest = "aik.request"
	opAnswer  = "aik.answer"
)

// exchange is one with a service.
func (r *record) exchange(x vnet.Exchange) {
	s := figure.Step{Name: x.Operation, Begin: x.Begin, End: x.End, Sent: x.Sent, Received: x.Received}
	if strings.HasPrefix(s.Name, "/") {
		s.Name = x.Host // a path, of which there are any number, and no operation
	}
	s.Outcome.Status = x.Status
	if x.Err != nil {
		s.Outcome.HRESULT, s.Outcome.Error = transport(x.Err).Hex(), x.Err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if s.Name == opPKI {
		s.Name = opRequest
		if r.answers {
			s.Name = opAnswer
		}
		r.answers = !r.answers && s.Outcome.OK()
	}
	if !s.Outcome.OK() {
		r.status = x.Status
		r.refused = r.refused || x.Status/100 == 4
	}
	r.steps = append(r.steps, s)
}

func transport(err error) hresult.Code {
	if c := vnet.ErrorCode(err); c != hresult.OK {
		return c
	}
	return hresult.InternetAborted
}

// answering says that the AIK service's next PKI operation is an answer again.
func (r *record) answering() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = true
}

// timed is a step that is no exchange.
func (r *record) timed(name string, f func() error) error {
	begin := r.clock.Now()
	err := f()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.steps = append(r.steps, figure.Step{Name: name, Begin: begin, End: r.clock.Now(), Outcome: outcomeOf(err, 0)})
	}
	return err
}

// milestones are the events of a PC that end a part of its way and begin the
// next.
var milestones = map[string]struct{ ends, begins string }{
	"autopilot.profile": {"technician.profile", ""},
	"tpm.attest.start":  {"", "technician.attestation"},
	"tpm.attest.done":   {"technician.attestation", "technician.join"},
	"entra.join":        {"technician.join", "technician.enrolment"},
	"mdm.enrolled":      {"technician.enrolment", "technician.setup"},
	"device.resealed":   {"technician.setup", ""},
	"desktop.reached":   {"user", ""},
}

// heard is an event of the PC: where it is a milestone the part before it is
// over.
func (r *record) heard(kind string) {
	m, ok := milestones[kind]
	if !ok {
		return
	}
	now := r.clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.ends != "" && r.phase == m.ends && !r.closed {
		r.steps = append(r.steps, figure.Step{Name: m.ends, Begin: r.begun, End: now})
		r.phase = ""
	}
	if m.begins != "" && (r.phase == "" || r.phase == m.ends) {
		r.phase, r.begun = m.begins, now
	}
}

// begin begins a part of larger grain.
func (r *record) begin(phase string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phase, r.begun = phase, r.clock.Now()
}

// close gives the steps; what happens to the PC from then on is nobody's step.
func (r *record) close() (steps []figure.Step, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.steps, r.status
}

// said tells whether a service has refused something.
func (r *record) said() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}

// outcomeOf is an error as it is counted. status is that of the last exchange
// that a service answered with no.
func outcomeOf(err error, status int) figure.Outcome {
	if err == nil {
		return figure.Outcome{}
	}
	o := figure.Outcome{Status: status, Error: short(err.Error())}
	var failed *sim.Failed
	var stuck *sim.Stuck
	switch code, ok := hresult.CodeOf(err); {
	case errors.As(err, &failed) && failed.Code != "":
		o.HRESULT = failed.Code
	case errors.As(err, &stuck):
		o.HRESULT = hresult.WaitTimeout.Hex()
	case ok && code != hresult.OK:
		o.HRESULT = code.Hex()
	default:
		o.HRESULT = hresult.Fail.Hex()
	}
	return o
}

// short keeps samples small.
func short(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most]
	}
	return s
}
