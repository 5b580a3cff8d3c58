package evtx

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Level is how grave an event is, as winmeta.xml numbers them.
type Level uint8

// Levels.
const (
	Critical    Level = 1
	Error       Level = 2
	Warning     Level = 3
	Information Level = 4
	Verbose     Level = 5
)

var levelNames = [...]string{Critical: "Critical", Error: "Error", Warning: "Warning", Information: "Information", Verbose: "Verbose"}

// String is the level's name in English.
func (l Level) String() string {
	if int(l) < len(levelNames) && levelNames[l] != "" {
		return levelNames[l]
	}
	return strconv.Itoa(int(l))
}

// ParseLevel finds a level by its name; Information for one that it does not
// know.
func ParseLevel(name string) Level {
	for l, n := range levelNames {
		if n != "" && strings.EqualFold(n, name) {
			return Level(l)
		}
	}
	return Information
}

// Event is one record.
type Event struct {
	Provider string
	GUID     string // of the provider, with braces; "" leaves it out
	ID       uint16
	Level    Level
	Time     time.Time
	Record   uint64 // from 1, in the channel
	Channel  string
	Computer string
	UserID   string // SID of the account that wrote it; "" leaves it out
	Process  uint32
	Thread   uint32
	Data     []string // the values, in their order
	Message  string
}

const namespace = "http://schemas.microsoft.com/win/2004/08/events/event"

// tree is the record in the event schema (learn.microsoft.com, "Event Schema").
func (e Event) tree() node {
	provider := element("Provider").with("Name", e.Provider)
	if e.GUID != "" {
		provider = provider.with("Guid", e.GUID)
	}
	security := element("Security")
	if e.UserID != "" {
		security.attrs = []attribute{{"UserID", text(e.UserID)}}
	}
	system := element("System",
		provider,
		element("EventID").holding(uint16Value(e.ID)),
		element("Version").holding(uint8Value(0)),
		element("Level").holding(uint8Value(uint8(e.Level))),
		element("Task").holding(uint16Value(0)),
		element("Opcode").holding(uint8Value(0)),
		element("Keywords").holding(hexValue(1<<63)),
		node{name: "TimeCreated", attrs: []attribute{{"SystemTime", timeValue(e.Time)}}},
		element("EventRecordID").holding(uint64Value(e.Record)),
		element("Correlation"),
		node{name: "Execution", attrs: []attribute{{"ProcessID", uint32Value(e.Process)}, {"ThreadID", uint32Value(e.Thread)}}},
		element("Channel").holding(text(e.Channel)),
		element("Computer").holding(text(e.Computer)),
		security)
	data := element("EventData")
	for _, d := range e.Data {
		data.children = append(data.children, element("Data").holding(text(d)))
	}
	rendering := element("RenderingInfo", element("Message").holding(text(e.Message)), element("Level").holding(text(e.Level.String())))
	return element("Event", system, data, rendering.with("Culture", "en-US")).with("xmlns", namespace)
}

// shape names the template that a record is of: records of one shape have the
// same tree but for its values.
func (e Event) shape() string {
	return fmt.Sprintf("%s|%s|%t|%d", e.Provider, e.GUID, e.UserID != "", len(e.Data))
}

// WriteXML writes records as one document with an Events element, as Event
// Viewer saves them.
func WriteXML(w io.Writer, events []Event) error {
	var b bytes.Buffer
	b.WriteString(xml.Header[:len(xml.Header)-1] + "<Events>\n")
	for _, e := range events {
		e.tree().writeText(&b)
		b.WriteByte('\n')
	}
	b.WriteString("</Events>\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("evtx: write XML: %w", err)
	}
	return nil
}
