package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Discovery and the gateway's service name (secureworks/pytune, read against the service).
const (
	DiscoveryPath  = "/RestUserAuthLocationService/RestUserAuthLocationService/Certificate/ServiceAddresses"
	GatewayService = "SideCarGatewayService"
	APIVersion     = "1.5"
)

// CertificatePath is where the agent enrols for its client certificate, relative to the gateway's address: POST of a DER PKCS#10
// request (application/pkcs10) on a connection with the MDM client certificate; the answer is the DER of the certificate.
// That the agent has a certificate of its own is observed, the call is our model.
const CertificatePath = "/SideCarCertificates"

// AppRequest is the payload of a GetSelectedApp request: which apps are wanted. Our model; clients that send "[]" ask for the
// device's apps outside of the status page.
type AppRequest struct {
	ESPPhase ESPPhase `json:"EspPhase"`
	User     bool     `json:"User"` // those of the signed-in user, whose token the request carries
}

// DecodeAppRequest reads it; "" and "[]" are the zero value.
func DecodeAppRequest(payload string) (AppRequest, error) {
	var r AppRequest
	if payload == "" || payload == "[]" {
		return r, nil
	}
	if err := unmarshal("app request", []byte(payload), &r); err != nil {
		return AppRequest{}, err
	}
	if r.ESPPhase < ESPNone || r.ESPPhase > ESPAccountSetup {
		return AppRequest{}, fmt.Errorf("sidecar: app request: phase %d", r.ESPPhase)
	}
	return r, nil
}

// Location is one element of the discovery's answer, which is an array.
type Location struct {
	Services []Service `json:"Services"`
}

// Service is a name and where it is served.
type Service struct {
	ServiceName string `json:"ServiceName"`
	URL         string `json:"Url"`
}

// maxJSON bounds a document in bytes.
const maxJSON = 8 << 20

// unmarshal reads one JSON document within the bounds.
func unmarshal(what string, data []byte, to any) error {
	if len(data) > maxJSON {
		return fmt.Errorf("sidecar: %s: %d bytes", what, len(data))
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("sidecar: %s: %w", what, err)
	}
	return nil
}

// EncodeServiceAddresses writes the discovery's answer.
func EncodeServiceAddresses(services ...Service) ([]byte, error) {
	return json.Marshal([]Location{{Services: services}})
}

// ErrNoGateway says that discovery does not name the gateway.
var ErrNoGateway = errors.New("sidecar: service addresses: no " + GatewayService)

// DecodeServiceAddresses reads the answer and returns the gateway's address.
func DecodeServiceAddresses(data []byte) (string, error) {
	var locations []Location
	if err := unmarshal("service addresses", data, &locations); err != nil {
		return "", err
	}
	for _, location := range locations {
		for _, s := range location.Services {
			if s.ServiceName == GatewayService && s.URL != "" {
				return s.URL, nil
			}
		}
	}
	return "", ErrNoGateway
}

// ContentType is what a session asks for.
type ContentType string

// The content types. The two reports are our model.
const (
	PolicyRequest      ContentType = "PolicyRequest" // PowerShell scripts
	GetScript          ContentType = "GetScript"     // remediations
	GetSelectedApp     ContentType = "GetSelectedApp"
	GetAvailableApp    ContentType = "GetAvailableApp"
	RequestApplication ContentType = "RequestApplication"
	GetContentInfo     ContentType = "GetContentInfo"
	StatusReport       ContentType = "StatusReport"
	ScriptReport       ContentType = "ScriptReport"
)

// Session is the envelope of requests and answers: the gateway returns the request with ResponsePayload filled.
type Session struct {
	Key                     string      `json:"Key"`       // session id again
	SessionID               string      `json:"SessionId"` // GUID
	RequestContentType      ContentType `json:"RequestContentType"`
	RequestPayload          string      `json:"RequestPayload"`      // JSON text, "[]" if there is nothing to say
	ResponseContentType     *string     `json:"ResponseContentType"` // null in requests
	ClientInfo              string      `json:"ClientInfo"`          // JSON text of a [ClientInfo]
	ResponsePayload         *string     `json:"ResponsePayload"`     // null in requests
	EnabledFlights          *string     `json:"EnabledFlights"`
	CheckinIntervalMinutes  *int        `json:"CheckinIntervalMinutes"`
	GenericWorkloadRequests *string     `json:"GenericWorkloadRequests"`
	GenericWorkloadResponse *string     `json:"GenericWorkloadResponse"`
	CheckinReason           string      `json:"CheckinReason"` // "AgentRestart", "Schedule"
	CheckinReasonPayload    *string     `json:"CheckinReasonPayload"`
}

// ClientInfo is what the agent tells of itself.
type ClientInfo struct {
	DeviceName             string            `json:"DeviceName"`
	OperatingSystemVersion string            `json:"OperatingSystemVersion"` // "10.0.26100"
	SideCarAgentVersion    string            `json:"SideCarAgentVersion"`    // "1.83.107.0"
	Win10SMode             bool              `json:"Win10SMode"`
	AgentExecutionStart    string            `json:"AgentExecutionStartTime"`
	AgentExecutionEnd      string            `json:"AgentExecutionEndTime"`
	AgentCrashSeen         bool              `json:"AgentCrashSeen"`
	ExtendedInventoryMap   map[string]string `json:"ExtendedInventoryMap"`
}

// NewSession makes a request. payload is marshalled; nil gives "[]".
func NewSession(id string, kind ContentType, reason string, client ClientInfo, payload any) (*Session, error) {
	info, err := json.Marshal(client)
	if err != nil {
		return nil, fmt.Errorf("sidecar: client info: %w", err)
	}
	s := &Session{
		Key: id, SessionID: id, RequestContentType: kind, RequestPayload: "[]", ClientInfo: string(info), CheckinReason: reason,
	}
	if payload != nil {
		text, err := json.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("sidecar: %s: %w", kind, err)
		}
		s.RequestPayload = string(text)
	}
	return s, nil
}

// Answer is the request with this payload in it.
func (s *Session) Answer(payload string) *Session {
	a := *s
	a.ResponsePayload = &payload
	return &a
}

// Encode writes the envelope.
func (s *Session) Encode() ([]byte, error) { return json.Marshal(s) }

// DecodeSession reads an envelope.
func DecodeSession(data []byte) (*Session, error) {
	var s Session
	if err := unmarshal("session", data, &s); err != nil {
		return nil, err
	}
	if s.SessionID == "" || s.RequestContentType == "" {
		return nil, errors.New("sidecar: session: SessionId or RequestContentType is missing")
	}
	return &s, nil
}

// Client reads ClientInfo.
func (s *Session) Client() (ClientInfo, error) {
	var c ClientInfo
	return c, unmarshal("client info", []byte(s.ClientInfo), &c)
}

const sessionsCall = "/SideCarGatewaySessions('"

// SessionPath is where a session is PUT, relative to the gateway's address, with Prefer: return-content.
func SessionPath(id string) string { return SessionPathFor(id, APIVersion) }

// SessionPathFor is SessionPath of another version of the interface.
func SessionPathFor(id, version string) string {
	return sessionsCall + id + "')?api-version=" + version
}

// ParseSessionPath finds the session id in a request's path, in any case; false if it is another path.
func ParseSessionPath(path string) (id string, ok bool) {
	i := strings.LastIndex(strings.ToLower(path), strings.ToLower(sessionsCall))
	if i < 0 {
		return "", false
	}
	return strings.CutSuffix(path[i+len(sessionsCall):], "')")
}
