package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/journal"
)

// RemainsName is the file with what is left of each PC.
const RemainsName = "remains.jsonl.zst"

// remainsForm is the form of its lines. It is raised when an older build could
// not read them, or a newer one not those of before.
const remainsForm = 1

// remainsLine is a line of the file.
type remainsLine struct {
	Form int `json:"form"`
	diag.Source
}

// remains writes the file: a frame of its own for each PC, so that what a
// killed run has left can be read as far as it goes.
type remains struct {
	z    *zstd.Encoder
	mu   sync.Mutex
	file *os.File
	err  error
}

func createRemains(path string) (*remains, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &remains{z: z, file: f}, nil
}

// Remains takes what is left of a PC; it may be called by several cells at once.
// An error is told by Close.
func (d *Dir) Remains(s diag.Source) {
	line, err := json.Marshal(remainsLine{remainsForm, s})
	d.remains.mu.Lock()
	defer d.remains.mu.Unlock()
	if err == nil && d.remains.err == nil {
		_, err = d.remains.file.Write(d.remains.z.EncodeAll(append(line, '\n'), nil))
	}
	if err != nil && d.remains.err == nil {
		d.remains.err = fmt.Errorf("output: %s: %w", RemainsName, err)
	}
}

func (r *remains) close() error { return errors.Join(r.err, r.file.Close()) }

// Saved takes a file that somebody has saved from a PC to a removable drive.
func (d *Dir) Saved(serial, name string, content []byte) {
	err := d.write(filepath.Join(DevicesName, fileName(serial), fileName(name)), content)
	d.remains.mu.Lock()
	defer d.remains.mu.Unlock()
	if err != nil && d.remains.err == nil {
		d.remains.err = err
	}
}

// ErrNoRemains says that a folder has nothing of a PC that its run has had.
var ErrNoRemains = errors.New("nothing is left of the PC")

// UnknownPC says that no PC of a run has that serial number or name.
type UnknownPC struct {
	Serial string
	Known  []string // serial numbers of PCs whose remains there are
}

func (e *UnknownPC) Error() string {
	return fmt.Sprintf("no PC of this run has the serial number %s", e.Serial)
}

// Diagnostics writes the diagnostics package of a PC of the run to out. The PC
// is named by its serial number, or as the scenario calls it.
func (p *Past) Diagnostics(out io.Writer, pc string) error {
	s, err := p.source(pc)
	if err != nil {
		return err
	}
	var readErr error
	s.Events = func(yield func(journal.Event) bool) {
		f, err := os.Open(filepath.Join(p.Path, JournalName))
		if err != nil {
			readErr = err
			return
		}
		defer f.Close()
		for e, err := range journal.ReadDevice(f, s.Name) {
			if err != nil {
				if !errors.Is(err, journal.ErrCut) {
					readErr = err
				}
				return
			}
			if !yield(e) {
				return
			}
		}
	}
	var zip bytes.Buffer
	if err := errors.Join(diag.Collect(&zip, s), readErr); err != nil {
		return err
	}
	_, err = out.Write(zip.Bytes())
	return err
}

// source finds what is left of a PC.
func (p *Past) source(pc string) (diag.Source, error) {
	f, err := os.Open(filepath.Join(p.Path, RemainsName))
	if errors.Is(err, fs.ErrNotExist) {
		return diag.Source{}, fmt.Errorf("%s has no %s: it was made by a build that did not keep what is left of PCs (%s); run its scenario again: windtunnel run %s --out FOLDER",
			p.Path, RemainsName, p.Header.Build, Quote(p.Scenario))
	}
	if err != nil {
		return diag.Source{}, fmt.Errorf("diagnostics: %w", err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return diag.Source{}, fmt.Errorf("diagnostics: %w", err)
	}
	defer z.Close()
	unknown := &UnknownPC{Serial: pc}
	lines := bufio.NewReaderSize(z, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil { // io.EOF, or the end of what a killed run has written
			break
		}
		var who struct {
			Form         int
			Name, Serial string
		}
		head, _, _ := bytes.Cut(line, []byte(`,"computer":`))
		if err := json.Unmarshal(append(bytes.Clone(head), '}'), &who); err != nil || who.Form != remainsForm {
			return diag.Source{}, fmt.Errorf("%s: %s has another form than this build reads; it was made by %s: use that build, or run the scenario again: windtunnel run %s --out FOLDER",
				p.Path, RemainsName, p.Header.Build, Quote(p.Scenario))
		}
		unknown.Known = append(unknown.Known, who.Serial)
		if !strings.EqualFold(who.Serial, pc) && !strings.EqualFold(who.Name, pc) {
			continue
		}
		var found remainsLine
		if err := json.Unmarshal(line, &found); err != nil {
			return diag.Source{}, fmt.Errorf("diagnostics: %s: %w", RemainsName, err)
		}
		return found.Source, nil
	}
	if p.Summary == nil {
		return diag.Source{}, fmt.Errorf("%w %s: the run was killed before its story was through, or it has no such PC; what happened until then is in the journal, and `windtunnel replay %s --timeline %s` tells it", ErrNoRemains, pc, Quote(p.Path), Quote(pc))
	}
	return diag.Source{}, unknown
}
