package figure

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// WriteHGRM writes a histogram as a percentile distribution in milliseconds, in
// the form that HdrHistogram's own tools write and its plotter reads
// (hdrhistogram.github.io/HdrHistogram/plotFiles.html).
func WriteHGRM(w io.Writer, h *hdr.Histogram) error {
	_, err := h.PercentilesPrint(w, 5, 1000)
	return err
}

// WriteHGRMs writes the histograms of every step into a folder: STEP.intended.hgrm
// and STEP.real.hgrm.
func (r *Recorder) WriteHGRMs(dir string) error {
	for _, step := range r.Steps() {
		for _, kind := range []Kind{Intended, Real} {
			h := r.Histogram(step, kind, "")
			if h == nil {
				continue
			}
			if err := writeHGRM(filepath.Join(dir, fileName(step)+"."+kind.String()+".hgrm"), h); err != nil {
				return fmt.Errorf("histogram of %s: %w", step, err)
			}
		}
	}
	return nil
}

func writeHGRM(name string, h *hdr.Histogram) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := WriteHGRM(f, h); err != nil {
		_ = f.Close() // the write's error is the one to tell
		return err
	}
	return f.Close()
}

// fileName makes a file's name of a step's.
func fileName(step string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
			return c
		}
		return '_'
	}, step)
}
