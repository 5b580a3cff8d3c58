package graph

import (
	"net/http"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// addScriptStates: how scripts ran (learn.microsoft.com/graph,
// deviceManagementScriptDeviceState, deviceManagementScriptRunSummary).
func (h *Handler) addScriptStates() {
	const path = "deviceManagement/deviceManagementScripts/{id}"
	h.handleBeta(http.MethodGet, path+"/deviceRunStates", configuration, func(c *call) (answer, error) {
		runs, err := scriptRuns(c)
		if err != nil {
			return answer{}, err
		}
		out := make([]wire.ScriptDeviceState, len(runs))
		for i, r := range runs {
			out[i] = r.state
		}
		return list(c, out, "runState")
	})
	h.handleBeta(http.MethodGet, path+"/runSummary", configuration, func(c *call) (answer, error) {
		runs, err := scriptRuns(c)
		if err != nil {
			return answer{}, err
		}
		sum := wire.ScriptRunSummary{ODataType: "#microsoft.graph.deviceManagementScriptRunSummary"}
		for _, r := range runs {
			sum.Add(r.ofUser, r.state.RunState == "success")
		}
		return one(c, http.StatusOK, sum)
	})
}

type scriptRun struct {
	state  wire.ScriptDeviceState
	ofUser bool
}

// scriptRuns are the last runs of the script on each device, by device.
func scriptRuns(c *call) ([]scriptRun, error) {
	s, err := c.t.Scripts().Get(c.Params["id"])
	if err != nil {
		return nil, err
	}
	var out []scriptRun
	for _, m := range c.t.Devices() {
		for _, r := range m.Scripts {
			if r.ScriptID == s.ID {
				out = append(out, scriptRun{stateOf(m, r), r.User != ""})
			}
		}
	}
	return out, nil
}

func stateOf(m tenant.ManagedDevice, r tenant.ScriptState) wire.ScriptDeviceState {
	id := r.ScriptID + ":" + m.ID
	if r.User != "" {
		id = r.ScriptID + ":" + r.User + ":" + m.ID
	}
	s := wire.ScriptDeviceState{ID: id, RunState: r.State, ResultMessage: r.Output, LastStateUpdateDateTime: wire.At(r.At), ErrorCode: int(int32(r.Error))}
	if r.Error != 0 {
		s.ErrorDescription = r.Error.String()
	}
	return s
}
