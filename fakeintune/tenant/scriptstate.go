package tenant

import (
	"slices"
	"time"

	"windtunnel.test/sim/hresult"
)

// ScriptState is how a platform script's last run on a device ended: what
// Graph's deviceManagementScriptDeviceState says.
type ScriptState struct {
	ScriptID string
	User     string // object id; "" where it ran for the system
	State    string // runState: success, fail, scriptError
	ExitCode int
	Error    hresult.Code // 0 if none
	Output   string
	At       time.Time
}

// SetScript records a state, in the place of the one before.
func (m *ManagedDevice) SetScript(s ScriptState) {
	m.Scripts = put(m.Scripts, s, func(o ScriptState) bool { return o.ScriptID == s.ScriptID && o.User == s.User })
}

// Script finds the state of a script.
func (m ManagedDevice) Script(scriptID, user string) (ScriptState, bool) {
	i := slices.IndexFunc(m.Scripts, func(s ScriptState) bool { return s.ScriptID == scriptID && s.User == user })
	if i < 0 {
		return ScriptState{}, false
	}
	return m.Scripts[i], true
}
