package graph

// LogCollection is deviceLogCollectionResponse: diagnostics that were asked for
// (learn.microsoft.com/graph, managedDevice: createDeviceLogCollectionRequest).
type LogCollection struct {
	ID                           string    `json:"id"` // device's id, an underscore, and one of its own
	Status                       LogStatus `json:"status"`
	ManagedDeviceID              string    `json:"managedDeviceId"`
	ErrorCode                    int64     `json:"errorCode"`
	RequestedDateTimeUTC         Time      `json:"requestedDateTimeUTC"`
	ReceivedDateTimeUTC          Time      `json:"receivedDateTimeUTC"`
	InitiatedByUserPrincipalName string    `json:"initiatedByUserPrincipalName"`
	ExpirationDateTimeUTC        Time      `json:"expirationDateTimeUTC"`
	SizeInKB                     float64   `json:"sizeInKB"`
	EnrolledByUser               string    `json:"enrolledByUser"`
}

// LogStatus is appLogUploadState.
type LogStatus string

// How far a collection is.
const (
	LogsPending   LogStatus = "pending"
	LogsCompleted LogStatus = "completed"
	LogsFailed    LogStatus = "failed"
)

// LogRequest is the body of createDeviceLogCollectionRequest.
type LogRequest struct {
	TemplateType struct {
		ODataType    string `json:"@odata.type,omitempty"`
		ID           string `json:"id,omitempty"`
		TemplateType string `json:"templateType"` // "predefined"
	} `json:"templateType"`
}
