// Command benchtable reads the output of `go test -bench` on its standard
// input, lets it through, and prints one table of the promises about virtual
// TPMs at the end. It exits with 1 when a promise is broken or was not
// measured, or when a benchmark failed.
//
// A benchmark takes part by its name, BenchmarkPromiseTPM..., and by reporting
// its figures under the keys below, as in
//
//	b.ReportMetric(float64(ours)/float64(bare), "mix-ratio")
//
// The keys, all from one run so that both sides of a ratio see the same
// machine:
//
//	mix-ratio             one mix of commands over 1,000 chips : on one bare simulator
//	engines2-speedup      throughput of 2 engines : of 1
//	live-KB parked-KB     resident memory of a chip with and without power, 10,000 of them
//	technician-cpu-ratio  CPU of the technician flow with warm images : of its TPM commands on a bare simulator
//	technician-devices/s  devices a second through the technician flow, warm, 2 cores
//	ours-200-KB ours-200-ms swtpm-200-KB swtpm-200-ms
//	                      memory and start time of 200 TPMs, ours and swtpm processes; stated only
//
// Figures of several runs (-count) count with their median.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/house/promise"
)

// rows is the table, keyed by the unit that the benchmark reports.
var rows = []struct {
	key string
	promise.Promise
}{
	{"mix-ratio", promise.Promise{Text: "a mix of commands over 1,000 chips : on one bare simulator", Limit: 1.05}},
	{"engines2-speedup", promise.Promise{Text: "2 engines : 1 engine, throughput", Limit: 1.7, Least: true}},
	{"live-KB", promise.Promise{Text: "10,000 live chips, each", Unit: "KB", Limit: 40}},
	{"parked-KB", promise.Promise{Text: "10,000 parked chips, each", Unit: "KB", Limit: 8}},
	{"technician-cpu-ratio", promise.Promise{Text: "technician flow, warm: CPU in all : CPU of its TPM commands", Limit: 2.5}},
	{"technician-devices/s", promise.Promise{Text: "technician flow, warm", Unit: "devices/s", Limit: 80, Least: true}},
	{"ours-200-KB", promise.Promise{Text: "200 TPMs: memory, ours", Unit: "KB", Stated: true}},
	{"swtpm-200-KB", promise.Promise{Text: "200 TPMs: memory, swtpm processes", Unit: "KB", Stated: true}},
	{"ours-200-ms", promise.Promise{Text: "200 TPMs: start, ours", Unit: "ms", Stated: true}},
	{"swtpm-200-ms", promise.Promise{Text: "200 TPMs: start, swtpm processes", Unit: "ms", Stated: true}},
}

func main() {
	ok, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// report lets the output through and prints the table behind it.
func report(in io.Reader, out io.Writer) (ok bool, err error) {
	ok = true
	figures := map[string][]float64{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		fmt.Fprintln(out, line)
		if strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "--- FAIL") {
			ok = false
		}
		read(line, figures)
	}
	if err := lines.Err(); err != nil {
		return false, err
	}
	var table []promise.Promise
	for _, row := range rows {
		p := row.Promise
		p.Measured, p.Missing = median(figures[row.key])
		ok = ok && p.Kept()
		table = append(table, p)
	}
	return ok, promise.Table(out, table)
}

// read takes the figures of one line, "BenchmarkX-2  10  1.2 ns/op  3 key".
func read(line string, figures map[string][]float64) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	for pair := fields[2:]; len(pair) >= 2; pair = pair[2:] {
		if v, err := strconv.ParseFloat(pair[0], 64); err == nil {
			figures[pair[1]] = append(figures[pair[1]], v)
		}
	}
}

func median(v []float64) (m float64, missing bool) {
	if len(v) == 0 {
		return 0, true
	}
	slices.Sort(v)
	return v[len(v)/2], false
}
