package mdm

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// scepCSP is the ClientCertificateInstall CSP, as far as SCEP goes. Enroll is
// executed in the background: the session gets 202, and a generic alert of a
// later session tells how it went.
var scepCSP = &provider{
	set: func(t target, verb syncml.Verb, value string) syncml.StatusCode {
		s, name, ok := csp.ParseSCEP(t.uri)
		r, key := t.w.Registry(), ""
		if ok {
			key = scepKey(t.sid, s.ID)
		}
		switch {
		case !ok:
			return syncml.NotFound
		case name == "":
			if verb == syncml.Add && r.HasValue(key, csp.SCEPStatus) {
				return syncml.AlreadyExists
			}
			r.SetDWORD(key, csp.SCEPStatus, uint32(csp.SCEPUnknown))
			return syncml.OK
		case name == csp.SCEPEnroll || name == "Install":
			return syncml.OK // their nodes; Exec is what counts
		case !scepSettings[name]:
			return syncml.CommandNotAllowed
		}
		r.SetString(key, name, value)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		s, name, ok := csp.ParseSCEP(t.uri)
		if !ok || name == csp.SCEPChallenge {
			return "", syncml.NotFound
		}
		if v, is := t.w.Registry().DWORD(scepKey(t.sid, s.ID), name); is {
			return strconv.Itoa(int(int32(v))), syncml.OK
		}
		if v := t.w.Registry().String(scepKey(t.sid, s.ID), name); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
	exec: func(t target, _ string) syncml.StatusCode {
		s, name, ok := csp.ParseSCEP(t.uri)
		if !ok || name != csp.SCEPEnroll {
			return syncml.CommandNotAllowed
		}
		r, key := t.w.Registry(), scepKey(t.sid, s.ID)
		if r.String(key, csp.SCEPServerURL) == "" || r.String(key, csp.SCEPSubjectName) == "" {
			return syncml.CommandFailed
		}
		r.SetDWORD(key, csp.SCEPStatus, uint32(csp.SCEPPending))
		r.SetDWORD(key, scepPolls, 0)
		r.Delete(key, csp.SCEPErrorCode)
		startSCEP(t.w, t.sid, s)
		return syncml.AcceptedForProcessing
	},
	del: func(t target) syncml.StatusCode {
		s, name, ok := csp.ParseSCEP(t.uri)
		if !ok || name != "" || !t.w.Registry().Has(scepKey(t.sid, s.ID)) {
			return syncml.NotFound
		}
		t.w.Registry().DeleteTree(scepKey(t.sid, s.ID))
		t.w.DeleteCertificate(store(t.sid), s.ID)
		t.w.DeleteKey(scepContainer(t.sid, s.ID))
		t.w.Event("certificate.removed", journal.F("name", s.ID), journal.F("scope", t.sid))
		return syncml.OK
	},
}

// scepSettings are the nodes that describe a request.
var scepSettings = map[string]bool{
	csp.SCEPServerURL: true, csp.SCEPChallenge: true, csp.SCEPEKUMapping: true, csp.SCEPKeyUsage: true, csp.SCEPSubjectName: true,
	csp.SCEPProtection: true, csp.SCEPRetryDelay: true, csp.SCEPRetryCount: true, csp.SCEPKeyLength: true, csp.SCEPHash: true,
	csp.SCEPCAThumbprint: true, csp.SCEPAltNames: true, csp.SCEPValidPeriod: true, csp.SCEPValidUnits: true,
	"Install/ContainerName": true, "Install/TemplateName": true, "Install/CustomTextToShowInPrompt": true, "Install/AADKeyIdentifierList": true,
}

// Values beside the CSP's nodes: what an enrolment has to know after a restart.
const (
	scepPolls       = "Polls"         // polls of a pending request that were made
	scepTransaction = "TransactionID" // of the request that waits at the server
)

const keySCEP = `HKLM\SOFTWARE\Microsoft\SCEP\MS DM Server`

func scepKey(sid, id string) string {
	if sid == "" {
		sid = device.DeviceSID
	}
	return keySCEP + `\` + sid + `\` + strings.ReplaceAll(id, `\`, "_")
}

func scepContainer(sid, id string) string { return "scep/" + sid + "/" + id }

// startSCEP lets an enrolment run beside whatever asked for it.
func startSCEP(w *device.Windows, sid string, s csp.SCEP) {
	w.Service("scep "+sid+s.ID, func(ctx context.Context) { enrolSCEP(w.Under(ctx), sid, s) })
}

// resumeSCEP goes on with what a restart or the loss of power broke off.
func resumeSCEP(w *device.Windows) {
	r := w.Registry()
	for _, sid := range r.Subkeys(keySCEP) {
		for _, id := range r.Subkeys(keySCEP + `\` + sid) {
			s, scope := csp.SCEP{Scope: csp.User, ID: id}, sid
			if sid == device.DeviceSID {
				s.Scope, scope = csp.Device, ""
			}
			if state, _ := r.DWORD(scepKey(scope, id), csp.SCEPStatus); csp.SCEPState(state) == csp.SCEPPending {
				startSCEP(w, scope, s)
			}
		}
	}
}

// errWaiting says that the server has the request and has not decided.
var errWaiting = errors.New("the certificate authority has not decided")

// enrolSCEP is an enrolment from beginning to end. A request that waits for an
// administrator is asked after as often, and after as long, as the server said;
// a server that cannot be reached is tried again in the same way (our model:
// the CSP speaks of retries of pending requests only).
func enrolSCEP(w *device.Windows, sid string, s csp.SCEP) {
	r, key := w.Registry(), scepKey(sid, s.ID)
	e := &scepEnrolment{w: w, sid: sid, s: s, key: key}
	delay, count := e.retries()
	for {
		err := e.try()
		if context.Cause(w.Ctx) != nil {
			return
		}
		if err == nil {
			e.finish(hresult.OK)
			return
		}
		code, _ := hresult.CodeOf(err)
		polls, _ := r.DWORD(key, scepPolls)
		w.Event("scep.failed", journal.F("name", s.ID), journal.F("code", code.Hex()), journal.F("error", err.Error()))
		var refused *refusedError
		if errors.As(err, &refused) || int(polls) >= count {
			w.Log(device.LogMDM, 32, "Error", "SCEP: Certificate enroll failed. Result: ("+code.String()+").", code.Hex())
			e.finish(code)
			return
		}
		r.SetDWORD(key, scepPolls, polls+1)
		if w.Sleep(delay, "SCEP retry") != nil {
			return
		}
	}
}

// retries are the server's, or else the CSP's own: 5 minutes, 3 times.
func (e *scepEnrolment) retries() (delay time.Duration, count int) {
	r, m := e.w.Registry(), e.w.Timing.MDM
	delay, count = m.SCEPRetryDelay, m.SCEPRetryCount
	if n, ok := number(r.String(e.key, csp.SCEPRetryDelay)); ok && n >= 1 {
		delay = time.Duration(n) * time.Minute
	}
	if n, ok := number(r.String(e.key, csp.SCEPRetryCount)); ok {
		count = min(int(n), m.SCEPRetryLimit)
	}
	return delay, count
}

// finish writes down how it ended: for the server, for the status page, and for
// the next session's alert.
func (e *scepEnrolment) finish(code hresult.Code) {
	w, r := e.w, e.w.Registry()
	state, result := csp.SCEPFinished, uint32(1)
	if code != hresult.OK {
		state, result = csp.SCEPFailed, uint32(code)
	}
	r.SetDWORD(e.key, csp.SCEPErrorCode, uint32(code))
	r.Delete(e.key, csp.SCEPChallenge)
	queueAlert(w, e.s.Node(csp.SCEPEnroll), result)
	if node, err := csp.Canonical(e.s.Node("")); err == nil {
		processed(w, e.sid, node, result)
	}
	r.SetDWORD(e.key, csp.SCEPStatus, uint32(state)) // last: what is pending is taken up again
	if code == hresult.OK {
		w.Log(device.LogMDM, 39, "Information", "SCEP: Certificate installed successfully.", e.s.ID)
	}
	w.Event("scep.finished", journal.F("name", e.s.ID), journal.F("status", state.String()), journal.F("code", code.Hex()))
	progress(w)
}
