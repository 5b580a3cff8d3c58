package device

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// errNoCollector is the answer of a PC without the tool.
var errNoCollector = errors.New("the diagnostics tool is not on this PC")

// Collect writes the package that MDMDiagnosticsTool collects to out.
func (w *Windows) Collect(out io.Writer) error {
	if w.Collector == nil {
		return fmt.Errorf("collect diagnostics: %w", errNoCollector)
	}
	if err := w.Collector(w, out); err != nil {
		return fmt.Errorf("collect diagnostics: %w", err)
	}
	return nil
}

// SaveDiagnostics saves that package to the removable drive of whoever stands
// before the PC, under a name: what "Export logs" and "View diagnostics" do. The
// package is only made where somebody keeps it.
func (w *Windows) SaveDiagnostics(name string) error {
	w.Event("diagnostics.saved", field("file", name))
	if w.Stick == nil {
		return nil
	}
	var zip bytes.Buffer
	if err := w.Collect(&zip); err != nil {
		return err
	}
	w.Stick(w.PC, name, zip.Bytes())
	return nil
}
