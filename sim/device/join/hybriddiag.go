package join

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// KeyDiagnostics keeps how the last registration went, for dsregcmd; the value
// names are our model.
const KeyDiagnostics = `HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\Diagnostics`

// Tests that `dsregcmd /status` shows under Diagnostic Data.
const (
	testConnectivity  = "AD Connectivity Test"
	testConfiguration = "AD Configuration Test"
	testDiscovery     = "DRS Discovery Test"
	testDRS           = "DRS Connectivity Test"
	testToken         = "Token acquisition Test" // of a federated domain; passed where there is nothing to acquire
)

// RegistrationTests are their names in the tool's order. A value below
// [KeyDiagnostics] has each test's result.
func RegistrationTests() []string {
	return []string{testConnectivity, testConfiguration, testDiscovery, testDRS, testToken}
}

const (
	passed  = "PASS"
	skipped = "SKIPPED"
)

// HybridState is how the registration of a member of a domain is.
type HybridState struct {
	Member      bool // of a domain
	Registered  bool
	DeviceID    string // the computer's objectGUID, once registered
	Phase       string // in which the last run failed; "" it did not
	Code        hresult.Code
	ServerCode  string // of the service's refusal
	Message     string
	LastAttempt string // UTC, as dsregcmd prints it
}

// Hybrid reads the state from the disk.
func Hybrid(w *device.Windows) HybridState {
	r, st := w.Registry(), Status(w)
	_, member := w.Domain()
	s := HybridState{
		Member: member, Registered: member && st.Joined, DeviceID: st.DeviceID, Phase: r.String(KeyDiagnostics, "Phase"),
		ServerCode: r.String(KeyDiagnostics, "ServerErrorCode"), Message: r.String(KeyDiagnostics, "ServerMessage"), LastAttempt: r.String(KeyDiagnostics, "Time"),
	}
	if code, err := strconv.ParseUint(strings.TrimPrefix(r.String(KeyDiagnostics, "ClientErrorCode"), "0x"), 16, 32); err == nil {
		s.Code = hresult.Code(code)
	}
	return s
}

// test takes note of one test's result and hands its error on.
func (h *hybrid) test(name string, err error) error {
	h.tests[name] = passed
	if err != nil {
		h.tests[name] = "FAIL [" + codes(err) + "]"
	}
	return err
}

// codes are an error's code and the one behind it, as the tests show them:
// 0x801c0021/0x80072ee2.
func codes(err error) string {
	var outer, inner *hresult.Error
	if !errors.As(err, &outer) {
		return "0x0"
	}
	text := strings.ToLower(outer.Code.Hex())
	if errors.As(outer.Err, &inner) && inner.Code != outer.Code {
		text += "/" + strings.ToLower(inner.Code.Hex())
	}
	return text
}

const dsregMoment = "2006-01-02 15:04:05.000 UTC"

// keep writes down how a run ended: for dsregcmd, and as the log's events 304
// and 305 ("Troubleshoot Microsoft Entra hybrid joined devices"); 306, that it
// went well, is written with the certificate.
func (h *hybrid) keep(err error) {
	w, r := h.w, h.w.Registry()
	r.DeleteTree(KeyDiagnostics)
	if err == nil {
		w.Event("hybrid.registered", journal.F("deviceId", h.computer.guid), journal.F("tenant", h.tenant.ID))
		return
	}
	code, _ := hresult.CodeOf(err)
	for _, name := range RegistrationTests() {
		result := h.tests[name]
		if result == "" {
			result = skipped
		}
		r.SetString(KeyDiagnostics, name, result)
	}
	r.SetString(KeyDiagnostics, "Phase", h.phase)
	r.SetString(KeyDiagnostics, "ClientErrorCode", strings.ToLower(code.Hex()))
	if h.server != nil {
		r.SetString(KeyDiagnostics, "ServerErrorCode", h.server.Code)
		r.SetString(KeyDiagnostics, "ServerMessage", h.server.Message)
		r.SetString(KeyDiagnostics, "HttpsStatus", strconv.Itoa(h.status))
		r.SetString(KeyDiagnostics, "RequestId", h.server.RequestID)
	}
	r.SetString(KeyDiagnostics, "Time", w.Now().UTC().Format(dsregMoment))
	id := 304
	if h.phase == PhaseAuth {
		id = 305
	}
	w.Log(device.LogRegistration, id, "Error", fmt.Sprintf("Automatic registration failed at %s phase. Exit code: %s. %v", h.phase, code.Hex(), err), h.phase, code.Hex())
	w.Event("hybrid.failed", journal.F("phase", h.phase), journal.F("code", code.Hex()), journal.F("error", err.Error()))
}
