package ime

import (
	"encoding/json"
	"strconv"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/sidecar"
)

// Platform scripts run once, before the apps; one that fails is tried again at
// later check-ins, three times (learn.microsoft.com, "Use PowerShell scripts on
// Windows devices"). How each is stands below KeyIME\Policies, by user.
const (
	scriptHash     = "PolicyHash"
	scriptRuns     = "DownloadCount"
	scriptState    = "Result"
	scriptExit     = "ExitCode"
	scriptError    = "ErrorCode"
	scriptOutput   = "ResultDetails"
	scriptReported = "Reported"
)

// noUser is how the agent's books name the system.
const noUser = "00000000-0000-0000-0000-000000000000"

func policyKey(sid, id string) string {
	if sid == "" {
		sid = noUser
	}
	return device.KeyIME + `\Policies\` + sid + `\` + id
}

// scripts asks for the platform scripts that reach the PC and its user, and
// runs those that are due.
func (a *agent) scripts(token string) error {
	g, err := a.connect()
	if err != nil {
		return err
	}
	if g.certificateExpired() {
		return nil // the apps' round says so
	}
	list, err := g.scripts(token)
	if err != nil {
		return err
	}
	var reports []sidecar.ScriptStatus
	for _, s := range list {
		sid := ""
		if s.ExecutionContext == 1 {
			if !a.user.here {
				a.log("[PowerShell] Policy id = %s runs as the logged-on user, and nobody is logged on.", s.PolicyID)
				continue
			}
			sid = a.user.sid
		}
		if err := a.script(s, sid); err != nil {
			return err
		}
		if report, due := a.scriptReport(s, sid); due {
			reports = append(reports, report)
		}
	}
	a.reportScripts(g, reports)
	return nil
}

// script runs one, if it is due. The error is the end of the boot.
func (a *agent) script(s sidecar.Script, sid string) error {
	r, key := a.w.Registry(), policyKey(sid, s.PolicyID)
	runs, _ := r.DWORD(key, scriptRuns)
	if r.String(key, scriptHash) != s.PolicyHash {
		runs = 0
	} else if r.String(key, scriptState) == string(sidecar.RunSuccess) || int(runs) > a.w.Timing.IME.ScriptRetries {
		return nil
	}
	a.log("[PowerShell] Processing policy with id = %s", s.PolicyID)
	res, code, state := scriptResult{}, hresult.Code(0), sidecar.RunSuccess
	if len(s.PolicyBody) > a.w.Timing.IME.ScriptSize {
		code, state = hresult.InvalidParameter, sidecar.RunFail
	} else {
		a.executor("Prepare to run Powershell Script of policy %s, %d bytes", s.PolicyID, len(s.PolicyBody))
		var err error
		res, err = a.runScript(scriptRun{name: s.PolicyID, text: s.PolicyBody, sid: sid, limit: a.w.Timing.IME.ScriptTimeout})
		switch {
		case a.over() != nil:
			return a.over()
		case err != nil:
			code, state = hresult.InvalidData, sidecar.RunFail
		case res.timedOut:
			code, state = hresult.WaitTimeout, sidecar.RunFail
		case res.exit != 0:
			code, state = hresult.FromWin32(res.exit), sidecar.RunScriptError
		}
	}
	r.SetDWORD(key, scriptReported, 0)
	r.SetString(key, scriptHash, s.PolicyHash)
	r.SetDWORD(key, scriptRuns, runs+1)
	r.SetString(key, scriptExit, strconv.Itoa(res.exit))
	r.SetDWORD(key, scriptError, uint32(code))
	r.SetString(key, scriptOutput, res.output)
	r.SetString(key, scriptState, string(state))
	a.w.Event("script.run", journal.F("script", s.PolicyID), journal.F("state", string(state)), journal.F("exit", res.exit))
	a.log("[PowerShell] Policy id = %s, policy result = %s", s.PolicyID, state)
	return nil
}

// scriptReport is what the gateway has not heard yet of a script.
func (a *agent) scriptReport(s sidecar.Script, sid string) (sidecar.ScriptStatus, bool) {
	r, key := a.w.Registry(), policyKey(sid, s.PolicyID)
	if reported, _ := r.DWORD(key, scriptReported); reported == 1 || r.String(key, scriptState) == "" {
		return sidecar.ScriptStatus{}, false
	}
	exit, _ := strconv.Atoi(r.String(key, scriptExit))
	code, _ := r.DWORD(key, scriptError)
	return sidecar.ScriptStatus{PolicyID: s.PolicyID, User: sid != "", State: sidecar.RunState(r.String(key, scriptState)), ExitCode: exit,
		ErrorCode: hresult.Code(code), Output: r.String(key, scriptOutput), TimestampUTC: a.w.Now().UTC().Format("2006-01-02T15:04:05Z")}, true
}

func (a *agent) reportScripts(g *gateway, reports []sidecar.ScriptStatus) {
	if len(reports) == 0 {
		return
	}
	payload, err := sidecar.EncodeScriptStatus(reports)
	if err == nil {
		_, err = g.session(sidecar.ScriptReport, "", json.RawMessage(payload))
	}
	if err != nil {
		a.log("[PowerShell] %d results were not taken: %v", len(reports), err)
		return
	}
	for _, s := range reports {
		sid := ""
		if s.User {
			sid = a.user.sid
		}
		a.w.Registry().SetDWORD(policyKey(sid, s.PolicyID), scriptReported, 1)
	}
}

// scripts asks for the platform scripts of the device and of the user whose
// token it is, if any.
func (g *gateway) scripts(token string) ([]sidecar.Script, error) {
	payload, err := g.session(sidecar.PolicyRequest, token, nil)
	if err != nil {
		return nil, err
	}
	list, err := sidecar.DecodeScripts(payload)
	if err != nil {
		return nil, hresult.New("IME PolicyRequest", hresult.InvalidData, err)
	}
	type line struct {
		ID      string `json:"PolicyId"`
		Context int    `json:"ExecutionContext"`
	}
	lines := make([]line, len(list))
	for i, s := range list {
		lines[i] = line{s.PolicyID, s.ExecutionContext}
	}
	text, err := json.Marshal(lines)
	if err != nil {
		return nil, err
	}
	g.a.log("[PowerShell] Get policies = %s", text)
	return list, nil
}
