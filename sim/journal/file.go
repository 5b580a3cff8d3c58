package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Flushing: after so many events, or when the run's clock has moved on by so much since the last flush.
const (
	flushEvents = 1024
	flushAfter  = time.Minute
)

// maxLine is longer than any event should ever be.
const maxLine = 16 << 20

// FileSink writes one JSON object a line, compressed with zstd (RFC 8878). What was flushed before a run is killed is whole
// lines and can be read.
type FileSink struct {
	z       *zstd.Encoder
	line    []byte
	pending int
	flushed time.Time
}

// NewFileSink writes to w, which stays the caller's to close. It starts no goroutine.
func NewFileSink(w io.Writer) (*FileSink, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("journal: file: %w", err)
	}
	return &FileSink{z: z}, nil
}

// Write adds a line.
func (s *FileSink) Write(e Event) error {
	s.line = append(appendJSON(s.line[:0], e), '\n')
	if _, err := s.z.Write(s.line); err != nil {
		return fmt.Errorf("file: %w", err)
	}
	if s.pending++; s.pending >= flushEvents || e.Time.Sub(s.flushed) >= flushAfter {
		s.flushed = e.Time
		return s.Flush()
	}
	return nil
}

// Flush hands all lines so far to the writer. Not to be called while a journal may be writing.
func (s *FileSink) Flush() error {
	s.pending = 0
	if err := s.z.Flush(); err != nil {
		return fmt.Errorf("file: flush: %w", err)
	}
	return nil
}

// Close ends the compressed stream.
func (s *FileSink) Close() error {
	if err := s.z.Close(); err != nil {
		return fmt.Errorf("file: close: %w", err)
	}
	return nil
}

// ErrCut says that a file ends in the middle, as a killed run leaves it; what came before is whole.
var ErrCut = errors.New("journal: the file was cut off")

// ReadFile reads what a FileSink wrote. The last pair is (Event{}, err) where the file could not be read to its end:
// errors.Is(err, ErrCut) for a cut tail, anything else for a file that is not a journal. Loose fields come after the others.
func ReadFile(r io.Reader) iter.Seq2[Event, error] { return readLines(r, nil) }

// ReadDevice reads the events of one device. It looks at the others only as far
// as it must, which takes a tenth of the time.
func ReadDevice(r io.Reader, device string) iter.Seq2[Event, error] {
	mine := appendQuoted([]byte(`"device":`), device)
	events := readLines(r, func(line []byte) bool { return bytes.Contains(line, mine) })
	return func(yield func(Event, error) bool) {
		for e, err := range events {
			if (err != nil || e.Device == device) && !yield(e, err) {
				return
			}
		}
	}
}

// readLines reads the lines that wanted is true for; nil: all.
func readLines(r io.Reader, wanted func(line []byte) bool) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			yield(Event{}, fmt.Errorf("journal: file: %w", err))
			return
		}
		defer z.Close()
		lines := bufio.NewScanner(z)
		lines.Buffer(make([]byte, 0, 64<<10), maxLine)
		lines.Split(wholeLines)
		for n := 1; lines.Scan(); n++ {
			if wanted != nil && !wanted(lines.Bytes()) {
				continue
			}
			e, err := parseJSON(lines.Bytes())
			if err != nil {
				yield(Event{}, fmt.Errorf("journal: file: line %d: %w", n, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case err == nil:
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errHalfLine):
			yield(Event{}, ErrCut)
		default:
			yield(Event{}, fmt.Errorf("journal: file: %w", err))
		}
	}
}

var errHalfLine = errors.New("half a line")

// wholeLines is bufio.ScanLines without its kindness to a last line that has no end.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	advance, token, err := bufio.ScanLines(data, false)
	if advance == 0 && err == nil && atEOF && len(data) > 0 {
		return 0, nil, errHalfLine
	}
	return advance, token, err
}
