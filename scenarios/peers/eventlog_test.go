package peers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/tcglog"
)

// The tool writes YAML: a type for each event, and at the end the registers
// that it computed, by bank.
var (
	eventType = regexp.MustCompile(`(?m)^  EventType: (\S+)$`)
	bankLine  = regexp.MustCompile(`^  (sha\d+):$`)
	valueLine = regexp.MustCompile(`^    (\d+)\s*: 0x([0-9a-f]+)$`)
)

var _ = Describe("tpm2_eventlog", func() {
	DescribeTable("reads our event log, and computes the registers that we compute",
		func(path ...string) {
			raw, err := os.ReadFile(filepath.Join(path...))
			Expect(err).NotTo(HaveOccurred())
			log, err := tcglog.Parse(raw)
			Expect(err).NotTo(HaveOccurred())
			t := newTools("none")
			t.write("events", raw)
			said := t.run("tpm2_eventlog", "events")
			Expect(said).NotTo(ContainSubstring("WARN"))

			var types []string
			for _, m := range eventType.FindAllStringSubmatch(said, -1) {
				types = append(types, m[1])
			}
			want := []string{tcglog.NoAction.String()} // the Spec ID event
			for _, e := range log.Events {
				want = append(want, e.Type.String())
			}
			Expect(types).To(Equal(want))

			_, registers, found := strings.Cut(said, "\npcrs:\n")
			Expect(found).To(BeTrue(), said)
			bank, seen := "", 0
			banks := map[string]tcglog.Algorithm{"sha1": tcglog.SHA1, "sha256": tcglog.SHA256, "sha384": tcglog.SHA384, "sha512": tcglog.SHA512}
			for line := range strings.Lines(registers) {
				line = strings.TrimRight(line, "\n")
				if m := bankLine.FindStringSubmatch(line); m != nil {
					bank = m[1]
				} else if m := valueLine.FindStringSubmatch(line); m != nil {
					replayed, err := log.Replay(banks[bank])
					Expect(err).NotTo(HaveOccurred())
					pcr, err := strconv.Atoi(m[1])
					Expect(err).NotTo(HaveOccurred())
					Expect(m[2]).To(Equal(fmt.Sprintf("%x", replayed[pcr])), "%s register %d", bank, pcr)
					seen++
				}
			}
			used := map[int]bool{}
			for _, e := range log.Events {
				used[e.PCR] = true
			}
			Expect(seen).To(Equal(len(used) * len(log.Algorithms)))
		},
		Entry("of a PC", "..", "..", "sim", "device", "testdata", "boot.bin"),
		Entry("with an event of each kind", "..", "..", "sim", "wire", "tcglog", "testdata", "sample.bin"),
	)
})
