package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"windtunnel.test/sim/report"
)

var diagVerb = &verb{
	name: "diag", args: "DIR --device SERIAL", short: "write a PC's diagnostics package, as its Windows would collect it",
	long: `
DIR is what "windtunnel run --out" has made. The package is a zip with what
MDMDiagnosticsTool collects on a PC: a dump of the registry, event logs as .evtx,
XML and JSON lines, the logs of the Intune management extension, the cached
Autopilot profile, hardware hash, MDM report, what "dsregcmd /status" says
(dsregcmd.txt) and tpmtool output. It is of the moment at which the PC's story was
through.

  windtunnel run --devices 1 --out result
  windtunnel diag result --device PF4K2J7A            writes PF4K2J7A.zip
  windtunnel diag result --device PF4K2J7A -o a.zip   "-o -" is standard output`,
}

func init() { diagVerb.run = runDiag }

func runDiag(sh *shell) (int, error) {
	var serial, to string
	fs := sh.flags()
	fs.StringVar(&serial, "device", "", "`SERIAL`: of the PC, as tables and timelines show it; its name will do as well")
	fs.StringVar(&to, "o", "", "`FILE`: where to write the package (default: SERIAL.zip here)")
	names, err := sh.parse(fs, 1)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0:
		return 0, inputErrorf("diag: which folder? usage: %s", usage(sh.verb))
	case serial == "":
		return 0, inputErrorf("diag: which PC? usage: %s", usage(sh.verb))
	}
	past, err := report.Open(names[0])
	if err != nil {
		return 0, &inputError{err}
	}
	var zip bytes.Buffer
	var unknown *report.UnknownPC
	switch err := past.Diagnostics(&zip, serial); {
	case errors.As(err, &unknown):
		return 0, inputErrorf("diag: %w%s; %s", err, suggestion(serial, unknown.Known, ""), someOf(unknown.Known))
	case err != nil:
		return 0, inputErrorf("diag: %w", err)
	}
	if to == "" {
		to = strings.Map(func(r rune) rune {
			if r == '/' || r == '\\' || r < ' ' {
				return '_'
			}
			return r
		}, serial) + ".zip"
	}
	if to == "-" {
		_, err := sh.out.Write(zip.Bytes())
		return exitMet, err
	}
	if err := os.WriteFile(to, zip.Bytes(), 0o644); err != nil {
		return 0, inputErrorf("diag: %w", err)
	}
	if sh.json {
		return exitMet, sh.printJSON(map[string]any{"file": to, "bytes": zip.Len()})
	}
	_, err = fmt.Fprintf(sh.out, "%s  %s bytes\n", filepath.Clean(to), report.Count(zip.Len()))
	return exitMet, err
}

// someOf names a few of the PCs that there are.
func someOf(serials []string) string {
	const some = 5
	if len(serials) == 0 {
		return "the run had no PCs"
	}
	list := strings.Join(serials[:min(some, len(serials))], ", ")
	if len(serials) > some {
		list += ", ..."
	}
	return "there are " + list
}
