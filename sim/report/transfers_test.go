package report

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
)

// A download in pieces is one line, where it ended; one that comes later is
// another, and one that broke off is told as such.
func TestDownloadsInPieces(t *testing.T) {
	g := gomega.NewWithT(t)
	start := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	at := func(s int, host string, n int64, code string) journal.Event {
		e := journal.Event{Time: start.Add(time.Duration(s) * time.Second), Device: "PC-1", Kind: "http.transfer",
			Fields: []journal.Field{journal.F("host", host), journal.F("bytes", n)}}
		if code != "" {
			e.Fields = append(e.Fields, journal.F("code", code))
		}
		return e
	}
	events := []journal.Event{
		at(0, "cdn", 100e6, ""), at(1, "other", 5e6, ""), at(3, "cdn", 100e6, ""), at(4, "cdn", 50e6, ""),
		at(60, "cdn", 7e6, ""), at(61, "cdn", 1e6, "0x80072EFE"),
	}
	var b strings.Builder
	g.Expect(Timeline(&b, events, TimelineOptions{})).To(gomega.Succeed())
	g.Expect(strings.Count(b.String(), " from ")).To(gomega.Equal(4))
	for _, want := range []string{"5.0 MB from other", "250 MB from cdn", "7.0 MB from cdn", "1.0 MB from cdn: broke off"} {
		g.Expect(b.String()).To(gomega.ContainSubstring(want))
	}
	g.Expect(events[0].Kind).To(gomega.Equal("http.transfer"), "the caller's events stay")
	b.Reset()
	g.Expect(Timeline(&b, events, TimelineOptions{Detail: Everything})).To(gomega.Succeed())
	g.Expect(strings.Count(b.String(), " from ")).To(gomega.Equal(6))
}
