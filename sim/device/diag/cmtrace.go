package diag

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
)

// line adds a line to a log file. Those of the Intune management extension are
// in the form of CMTrace; others, as setupact.log, are plain.
func (l *logs) line(e journal.Event) {
	name := e.Text("file")
	b := l.files[name]
	if b == nil {
		b = &bytes.Buffer{}
		l.files[name] = b
		l.names = append(l.names, name)
	}
	l.lines++
	local := clock(e).UTC().Add(-time.Duration(number(e, "bias")) * time.Minute)
	message := e.Text("message")
	if !strings.EqualFold(folder(name), folder(device.LogIME)) {
		fmt.Fprintf(b, "%s, %-23s %s\r\n", local.Format("2006-01-02 15:04:05"), severity(message), message)
		return
	}
	b.WriteString(CMTrace(local, e.Text("component"), process(e.Text("component"))/4%64, message))
	b.WriteString("\r\n")
}

// CMTrace is a line of a log as Microsoft's CMTrace reads it: local time, and no
// zone.
func CMTrace(local time.Time, component string, thread uint32, message string) string {
	return fmt.Sprintf(`<![LOG[%s]LOG]!><time="%s" date="%s" component="%s" context="" type="%d" thread="%d" file="">`,
		message, local.Format("15:04:05.0000000"), local.Format("1-2-2006"), component, lineType(message), thread)
}

// lineType is 1 for information, 2 for a warning and 3 for an error.
func lineType(message string) int {
	switch severity(message) {
	case "Error":
		return 3
	case "Warning":
		return 2
	}
	return 1
}

// severity is read off a message: the journal keeps none for lines.
func severity(message string) string {
	lower := strings.ToLower(message)
	switch {
	case strings.HasPrefix(lower, "error"), strings.Contains(lower, "exception"), strings.Contains(lower, "] failed"):
		return "Error"
	case strings.HasPrefix(lower, "warning"):
		return "Warning"
	}
	return "Info"
}

func folder(path string) string { return path[:strings.LastIndexByte(path, '\\')+1] }

func base(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }
