package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/vclock"
)

// Sink receives every event. Its calls come one at a time and in order, from within Record: it must not call the journal
// or the clock, and must not change the fields, which it shares with the other sinks.
type Sink interface {
	Write(Event) error
	Close() error
}

// SinkFunc is a sink that only looks.
type SinkFunc func(Event)

// Write calls f.
func (f SinkFunc) Write(e Event) error { f(e); return nil }

// Close does nothing.
func (f SinkFunc) Close() error { return nil }

// Journal numbers, times, hashes and hands on events. A nil Journal records nothing.
type Journal struct {
	clock vclock.Clock

	mu    sync.Mutex
	sinks []Sink
	err   error
	count uint64
	hash  hash.Hash
	buf   []byte
}

// New makes a journal whose times are the clock's.
func New(clock vclock.Clock, sinks ...Sink) *Journal {
	return &Journal{clock: clock, sinks: sinks, hash: sha256.New()}
}

// Record adds an event of the device ("" for the world) at this moment. A sink's error does not stop the run; it is kept
// for [Journal.Close].
func (j *Journal) Record(device, kind string, fields ...Field) {
	if j == nil {
		return
	}
	now := j.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count++
	e := Event{Seq: j.count, Time: now, Device: valid(device), Kind: kind, Fields: fields}
	j.buf = appendCanonical(j.buf[:0], e)
	j.hash.Write(j.buf)
	for _, s := range j.sinks {
		if err := s.Write(e); err != nil && j.err == nil {
			j.err = fmt.Errorf("journal: event %d: %w", e.Seq, err)
		}
	}
}

// Now is the journal's time; the zero time for a nil Journal.
func (j *Journal) Now() time.Time {
	if j == nil {
		return time.Time{}
	}
	return j.clock.Now().UTC().Round(0)
}

// Hash is the trace hash of all events so far, 64 hexadecimal digits.
func (j *Journal) Hash() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return hex.EncodeToString(j.hash.Sum(nil))
}

// Count is the number of events so far.
func (j *Journal) Count() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.count
}

// Close closes the sinks and returns the first error that any of them ever had. Events recorded later are counted and
// hashed, and reach no sink.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.err
	for _, s := range j.sinks {
		err = errors.Join(err, s.Close())
	}
	j.sinks, j.err = nil, nil
	return err
}

// Combine is the trace hash of a run from those of its cells, in their order.
func Combine(hashes []string) string {
	sum := sha256.Sum256([]byte(strings.Join(hashes, "\n") + "\n"))
	return hex.EncodeToString(sum[:])
}

// Tags of the canonical encoding.
const (
	tagString byte = iota + 1
	tagInt
	tagBool
	tagDuration
	tagTime
	tagList
)

// appendCanonical writes what the trace hash covers: time, device, kind and the fields that are not loose, in their order.
// Strings and lists have their length in front and values their type, so that no two events run together. The sequence
// number is implied.
func appendCanonical(b []byte, e Event) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixNano()))
	b = appendString(b, e.Device)
	b = appendString(b, e.Kind)
	tight := 0
	for _, f := range e.Fields {
		if !f.Loose {
			tight++
		}
	}
	b = binary.AppendUvarint(b, uint64(tight))
	for _, f := range e.Fields {
		if !f.Loose {
			b = appendValue(appendString(b, f.Key), f.Value)
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendString(append(b, tagString), v)
	case int:
		return binary.BigEndian.AppendUint64(append(b, tagInt), uint64(v))
	case bool:
		if v {
			return append(b, tagBool, 1)
		}
		return append(b, tagBool, 0)
	case time.Duration:
		return binary.BigEndian.AppendUint64(append(b, tagDuration), uint64(v))
	case time.Time:
		return binary.BigEndian.AppendUint64(append(b, tagTime), uint64(v.UnixNano()))
	case []string:
		b = binary.AppendUvarint(append(b, tagList), uint64(len(v)))
		for _, s := range v {
			b = appendString(b, s)
		}
		return b
	}
	panic(fmt.Sprintf("journal: a %T cannot be recorded; make fields with F", value))
}
