package report

import (
	"strconv"
	"time"

	"windtunnel.test/sim/journal"
)

// onePiece is how soon the next piece of a download follows for a story to tell
// of one download: Windows writes its progress down piece by piece.
const onePiece = 15 * time.Second

// wholeTransfers tells of downloads that came in pieces once, where the last
// piece came, with all their bytes. A piece that broke off is told by itself.
func wholeTransfers(events []journal.Event) []journal.Event {
	out := make([]journal.Event, 0, len(events))
	before := map[string]int{} // the last piece from a host, in out
	for _, e := range events {
		if e.Kind != "http.transfer" || e.Text("code") != "" {
			out = append(out, e)
			continue
		}
		host := e.Text("host")
		if i, ok := before[host]; ok && e.Time.Sub(out[i].Time) <= onePiece {
			e = withBytes(e, transferred(out[i])+transferred(e))
			out[i].Kind = "" // told by this one
		}
		before[host] = len(out)
		out = append(out, e)
	}
	told := out[:0]
	for _, e := range out {
		if e.Kind != "" {
			told = append(told, e)
		}
	}
	return told
}

func transferred(e journal.Event) int64 {
	n, _ := strconv.ParseInt(e.Text("bytes"), 10, 64)
	return n
}

// withBytes is the same transfer with another size.
func withBytes(e journal.Event, n int64) journal.Event {
	fields := make([]journal.Field, len(e.Fields))
	copy(fields, e.Fields)
	for i := range fields {
		if fields[i].Key == "bytes" {
			fields[i].Value = n
		}
	}
	e.Fields = fields
	return e
}
