package connector

import (
	"encoding/json"
	"fmt"

	"windtunnel.test/sim/journal"
	wire "windtunnel.test/sim/wire/connector"
)

// EventKind is the kind of the connector's events in the journal; their device
// is the server's name.
const EventKind = "connector.event"

// Channel is the channel of the server's event log that they are in.
const Channel = "Microsoft-Intune-ODJConnectorService/Operational"

// Events (learn.microsoft.com, "Deploy Microsoft Entra hybrid joined devices by
// using Intune and Windows Autopilot" and "Troubleshooting Windows device
// enrollment errors in Intune"): 30120 a request to Intune went well, 30130 a
// blob was made, 30140 it was uploaded. Of the error twins only 30132 is public;
// that the others are two higher as well, and the numbers below those, are our
// model.
const (
	EventPolled       = 30120
	EventPollFailed   = 30122
	EventJoined       = 30130
	EventJoinFailed   = 30132
	EventUploaded     = 30140
	EventUploadFailed = 30142
	EventStarted      = 30100
	EventSetupFailed  = 30102
)

// names are what the events' JSON calls them.
var names = map[int]string{
	EventPolled: "RequestDownload_Success", EventPollFailed: "RequestDownload_Failure",
	EventJoined: "RequestOfflineDomainJoinBlob_Success", EventJoinFailed: "RequestOfflineDomainJoinBlob_Failure",
	EventUploaded: "UploadOfflineDomainJoinBlob_Success", EventUploadFailed: "UploadOfflineDomainJoinBlob_Failure",
	EventStarted: "ServiceStart_Success", EventSetupFailed: "ServiceStart_Failure",
}

// dimensions are what an event tells, under the names of the real one.
type dimensions struct {
	RequestID        string `json:"RequestId,omitempty"`
	DeviceID         string `json:"DeviceId,omitempty"`
	DomainName       string `json:"DomainName,omitempty"`
	ComputerName     string `json:"ComputerName,omitempty"`
	RetryCount       string `json:"RetryCount,omitempty"`
	ErrorDescription string `json:"ErrorDescription,omitempty"`
	InstanceID       string `json:"InstanceId,omitempty"`
	DiagnosticCode   string `json:"DiagnosticCode,omitempty"`
	ErrorCode        string `json:"ErrorCode,omitempty"`
	DiagnosticText   string `json:"DiagnosticText,omitempty"`
}

// log writes an event.
func (c *Connector) log(id int, d dimensions) {
	level := "Information"
	if id%10 == 2 {
		level = "Error"
		c.mu.Lock()
		c.state.LastError = d.ErrorDescription
		c.mu.Unlock()
	}
	d.InstanceID = c.Status().ID
	type metric struct {
		Dimensions dimensions
		Name       string
		Value      int
	}
	text, err := json.Marshal(struct{ Metric metric }{metric{d, names[id], 0}})
	if err != nil {
		text = []byte(err.Error()) // strings always marshal
	}
	fields := []journal.Field{journal.F("channel", Channel), journal.F("id", id), journal.F("level", level), journal.F("message", string(text))}
	for _, f := range []struct{ name, value string }{{"request", d.RequestID}, {"computer", d.ComputerName}, {"errorCode", d.ErrorCode}, {"diagnosticCode", d.DiagnosticCode}, {"text", d.DiagnosticText}} {
		if f.value != "" {
			fields = append(fields, journal.F(f.name, f.value))
		}
	}
	c.o.Journal.Record(c.o.Name, EventKind, fields...)
}

// about is what the events of a request begin with.
func about(r wire.Request) dimensions {
	return dimensions{RequestID: r.ID, DeviceID: r.DeviceID, DomainName: r.Domain, RetryCount: fmt.Sprint(r.Try)}
}

// setupFailed is an event of a service that does not come up.
func (c *Connector) setupFailed(text string) {
	c.log(EventSetupFailed, dimensions{DomainName: c.o.Domain, ErrorDescription: text, DiagnosticText: text})
}
