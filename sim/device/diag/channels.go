package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/evtx"
)

// channel is one log of the event log.
type channel struct {
	name     string
	provider string
	guid     string // "" where it is not public
}

const deployment = "Microsoft-Windows-ModernDeployment-Diagnostics-Provider"

// channels are those that the collector takes, with the providers that write to
// them, as `wevtutil gp` shows them.
var channels = []channel{
	{device.LogAutopilot, deployment, ""},
	{device.LogManagement, deployment, ""},
	{device.LogMDM, "Microsoft-Windows-DeviceManagement-Enterprise-Diagnostics-Provider", "{3da494e4-0fe2-415c-b895-fb5265c5c83b}"},
	{device.LogRegistration, "Microsoft-Windows-User Device Registration", "{23b8d46b-67dd-40a3-b636-d43e50552c6d}"},
	{device.LogAAD, "Microsoft-Windows-AAD", "{4de9bc9c-b27a-43c9-8994-0915f1a5e24f}"},
	{device.LogAADAnalytic, "Microsoft-Windows-AAD", "{4de9bc9c-b27a-43c9-8994-0915f1a5e24f}"},
	{device.LogShell, "Microsoft-Windows-Shell-Core", "{30336ed4-e327-447c-9de0-51b652c86108}"},
	{device.LogTPM, "Microsoft-Windows-TPM-WMI", "{7d5387b0-cbe0-11da-a94d-0800200c9a66}"},
}

// fileName is how the collector calls a channel's file, without its ending.
func (c channel) fileName() string { return strings.ReplaceAll(strings.ToLower(c.name), "/", "-") }

// logs are a PC's logs, in the order in which they were written.
type logs struct {
	records map[string][]evtx.Event // by channel
	files   map[string]*bytes.Buffer
	names   []string // of files, in the order of their first lines
	lines   int
	since   time.Time // of the first event that is known; zero: none is
}

// local is what writes as SYSTEM.
const local = "S-1-5-18"

// logsOf sorts the PC's events. Those before the last time that the disk was
// emptied are gone with it.
func logsOf(s Source) *logs {
	l := &logs{}
	l.clear()
	if s.Events == nil {
		return l
	}
	for e := range s.Events {
		if l.since.IsZero() {
			l.since = e.Time
		}
		switch e.Kind {
		case device.EventWiped:
			l.clear()
			l.since = e.Time
		case device.EventLogged:
			l.record(s, e)
		case device.EventLine:
			l.line(e)
		}
	}
	return l
}

func (l *logs) clear() {
	l.records, l.files, l.names, l.lines = map[string][]evtx.Event{}, map[string]*bytes.Buffer{}, nil, 0
}

// clock is what the PC's own clock showed.
func clock(e journal.Event) time.Time {
	if t, ok := e.Get("clock"); ok {
		if t, ok := t.(time.Time); ok {
			return t
		}
	}
	return e.Time
}

func number(e journal.Event, key string) int {
	v, _ := e.Get(key)
	n, _ := v.(int)
	return n
}

func (l *logs) record(s Source, e journal.Event) {
	name := e.Text("channel")
	c := channel{name: name, provider: name}
	for _, known := range channels {
		if known.name == name {
			c = known
		}
	}
	properties, _ := e.Get("properties")
	data, _ := properties.([]string)
	computer := e.Text("computer")
	if computer == "" {
		computer = s.Computer
	}
	l.records[name] = append(l.records[name], evtx.Event{
		Provider: c.provider, GUID: c.guid, ID: uint16(number(e, "id")), Level: evtx.ParseLevel(e.Text("level")), Time: clock(e),
		Record: uint64(len(l.records[name]) + 1), Channel: name, Computer: computer, UserID: local,
		Process: process(c.provider), Thread: process(name), Data: data, Message: e.Text("message"),
	})
}

// process makes up the number of the process that a part of Windows runs in.
func process(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // into memory
	return 1000 + h.Sum32()%8000/4*4
}

// jsonRecord is a line of the JSON form.
type jsonRecord struct {
	TimeCreated time.Time `json:"timeCreated"`
	Record      uint64    `json:"recordId"`
	Channel     string    `json:"channel"`
	Provider    string    `json:"provider"`
	ID          uint16    `json:"id"`
	Level       string    `json:"level"`
	Computer    string    `json:"computer"`
	Properties  []string  `json:"properties"`
	Message     string    `json:"message"`
}

// jsonLines is the JSON form of a channel.
func jsonLines(events []evtx.Event) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range events {
		data := e.Data
		if data == nil {
			data = []string{}
		}
		if err := enc.Encode(jsonRecord{e.Time.UTC(), e.Record, e.Channel, e.Provider, e.ID, e.Level.String(), e.Computer, data, e.Message}); err != nil {
			return nil, fmt.Errorf("diagnostics: %s: %w", e.Channel, err)
		}
	}
	return b.Bytes(), nil
}
