package graph

// ScriptDeviceState is deviceManagementScriptDeviceState: how a script's last
// run on a device ended.
type ScriptDeviceState struct {
	ID                      string `json:"id"`
	RunState                string `json:"runState"` // success, fail, scriptError, pending
	ResultMessage           string `json:"resultMessage"`
	LastStateUpdateDateTime Time   `json:"lastStateUpdateDateTime"`
	ErrorCode               int    `json:"errorCode"`
	ErrorDescription        string `json:"errorDescription"`
}

// ScriptRunSummary is deviceManagementScriptRunSummary.
type ScriptRunSummary struct {
	ODataType          string `json:"@odata.type"`
	SuccessDeviceCount int    `json:"successDeviceCount"`
	ErrorDeviceCount   int    `json:"errorDeviceCount"`
	SuccessUserCount   int    `json:"successUserCount"`
	ErrorUserCount     int    `json:"errorUserCount"`
}

// Add counts a run.
func (s *ScriptRunSummary) Add(ofUser, ok bool) {
	switch {
	case ofUser && ok:
		s.SuccessUserCount++
	case ofUser:
		s.ErrorUserCount++
	case ok:
		s.SuccessDeviceCount++
	default:
		s.ErrorDeviceCount++
	}
}
