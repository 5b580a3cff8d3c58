package journal_test

import (
	"bytes"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
)

// What only speaks of the device is not its own.
func TestReadDevice(t *testing.T) {
	g := NewWithT(t)
	var file bytes.Buffer
	sink, err := journal.NewFileSink(&file)
	g.Expect(err).NotTo(HaveOccurred())
	h := &hand{now: start}
	j := journal.New(h, sink)
	story(j, h)
	j.Record("PC-2", "other", journal.F("device", "PC-1"), journal.F("text", `"device":"PC-1"`))
	j.Record("PC-10", "longer")
	g.Expect(j.Close()).To(Succeed())
	whole := file.Bytes()

	var kinds []string
	for e, err := range journal.ReadDevice(bytes.NewReader(whole), "PC-1") {
		g.Expect(err).NotTo(HaveOccurred())
		kinds = append(kinds, e.Kind)
	}
	g.Expect(kinds).To(Equal([]string{"device.power.on", journal.Refused}))

	var last error
	for _, err := range journal.ReadDevice(bytes.NewReader(whole[:len(whole)-4]), "PC-1") {
		last = err
	}
	g.Expect(last).To(MatchError(journal.ErrCut))
	for range journal.ReadDevice(bytes.NewReader(whole), "PC-1") {
		break // whoever has seen enough goes away
	}
}
