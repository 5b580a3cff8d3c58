package device_test

import (
	"errors"
	"io"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
)

// What is saved goes to the drive of whoever keeps it, and is an event whether
// or not anybody does: who looks changes nothing.
func TestSaveDiagnostics(t *testing.T) {
	for _, c := range []struct {
		name       string
		stick      bool
		collector  func(*device.Windows, io.Writer) error
		saved, err string
	}{
		{"nobody keeps it", false, nil, "", ""},
		{"saved", true, func(w *device.Windows, out io.Writer) error {
			_, err := io.WriteString(out, "of "+w.Name)
			return err
		}, "logs.zip: of PC-1", ""},
		{"no tool", true, nil, "", "not on this PC"},
		{"it fails", true, func(*device.Windows, io.Writer) error { return errors.New("disk full") }, "", "collect diagnostics: disk full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			saved := ""
			o := r.options("PC-1", func(w *device.Windows) error {
				err := w.SaveDiagnostics("logs.zip")
				if c.err == "" {
					r.Expect(err).NotTo(gomega.HaveOccurred())
				} else {
					r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.err)))
				}
				return device.ErrShutdown
			})
			o.Collector = c.collector
			if c.stick {
				o.Stick = func(pc *device.PC, name string, content []byte) { saved = name + ": " + string(content) }
			}
			r.run(device.New(o))
			r.Expect(saved).To(gomega.Equal(c.saved))
			r.Expect(r.kinds("PC-1", "diagnostics.")).To(gomega.Equal([]string{"diagnostics.saved"}))
		})
	}
}
