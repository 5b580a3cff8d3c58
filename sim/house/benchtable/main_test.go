package main

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const good = `goos: linux
BenchmarkPromiseTPMMix-2   	     800	   2181904 ns/op	         1.031 mix-ratio	      1043 µs/round
BenchmarkPromiseTPMEngines-2   	     800	   1.88 engines2-speedup
BenchmarkPromiseTPMMemory-2   	       1	 33.1 live-KB	 3.2 parked-KB
BenchmarkPromiseTPMTechnician-2   	       1	 2.2 technician-cpu-ratio	 95 technician-devices/s
ok  	windtunnel.test/sim/vtpm	4.2s
`

func TestTable(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		ok   bool
		want []string
	}{
		"kept":         {good, true, []string{"1.03", "≤ 1.05", "≥ 80 devices/s", "memory, ours  "}},
		"broken":       {strings.Replace(good, "33.1", "41", 1), false, []string{"41 KB", "NO"}},
		"not measured": {strings.Replace(good, "1.88", "", 1), false, []string{"not measured"}},
		"median":       {good + "BenchmarkX-2 1 1.06 mix-ratio\nBenchmarkX-2 1 1.02 mix-ratio\n", true, []string{"1.03"}},
		"failed":       {good + "FAIL\twindtunnel.test/sim/vtpm\t1s\n", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var out bytes.Buffer
			ok, err := report(strings.NewReader(c.in), &out)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ok).To(Equal(c.ok), out.String())
			for _, text := range append(c.want, "goos: linux") {
				g.Expect(out.String()).To(ContainSubstring(text))
			}
		})
	}
}
