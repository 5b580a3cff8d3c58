package journal

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
)

// Memory is a sink that keeps the last events of each device, and as many of the world.
type Memory struct {
	keep int

	mu    sync.Mutex
	rings map[string]*ring
	spare []byte // the next tail
	room  []byte // to pack in
	read  reading
}

// reading is the timeline that was read last: who looks at a device again and again reads what is new of it alone.
type reading struct {
	of     *ring
	events []Event
	total  int // of the ring then
}

// ring keeps events as the lines that they are in a file, and packs them by the block: a fleet's timelines would be the
// largest part of what its PCs take. S2 makes a quarter of them; zstd would make a sixth, in four times the time.
type ring struct {
	blocks [][]byte // packed, blockLines each, oldest first
	tail   []byte   // lines since
	lines  int      // in tail
	total  int      // events that there have been
}

// blockLines is how many lines are packed together.
const blockLines = 64

// NewMemory keeps so many events a device; 0 keeps all.
func NewMemory(keepPerDevice int) *Memory {
	return &Memory{keep: keepPerDevice, rings: map[string]*ring{}}
}

// Write keeps e.
func (m *Memory) Write(e Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rings[e.Device]
	if r == nil {
		r = &ring{}
		m.rings[e.Device] = r
	}
	if r.tail == nil {
		r.tail, m.spare = m.spare, nil
	}
	r.tail = append(appendJSON(r.tail, e), '\n')
	r.total++
	if r.lines++; r.lines < blockLines {
		return nil
	}
	m.room = s2.Encode(m.room[:cap(m.room)], r.tail)
	r.blocks = append(r.blocks, bytes.Clone(m.room))
	m.spare, r.tail, r.lines = r.tail[:0], nil, 0
	if m.keep > 0 && (len(r.blocks)-1)*blockLines >= m.keep {
		r.blocks = slices.Clone(r.blocks[1:])
	}
	return nil
}

// Close does nothing: what was kept stays readable.
func (m *Memory) Close() error { return nil }

// Timeline is what is kept of a device ("" for the world), oldest first. Loose fields come after the others.
func (m *Memory) Timeline(device string) []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rings[device]
	if r == nil {
		return nil
	}
	if fresh := r.total - m.read.total; m.read.of == r && fresh <= r.lines {
		m.read.events = parseLines(m.read.events, r.last(fresh))
		if m.keep > 0 && len(m.read.events) > m.keep {
			m.read.events = slices.Clone(m.read.events[len(m.read.events)-m.keep:])
		}
	} else {
		m.read = reading{of: r, events: r.events(m.keep)}
	}
	m.read.total = r.total
	return slices.Clone(m.read.events)
}

// last are so many lines at the end of the tail.
func (r *ring) last(lines int) []byte {
	at := len(r.tail)
	for range lines {
		at = bytes.LastIndexByte(r.tail[:at-1], '\n') + 1
	}
	return r.tail[at:]
}

// events unpacks the last so many, all where keep is 0.
func (r *ring) events(keep int) []Event {
	if r == nil {
		return nil
	}
	var list []Event
	for _, packed := range r.blocks {
		block, err := s2.Decode(nil, packed)
		if err != nil {
			panic("journal: what was packed cannot be unpacked: " + err.Error())
		}
		list = parseLines(list, block)
	}
	list = parseLines(list, r.tail)
	if keep > 0 && len(list) > keep {
		list = list[len(list)-keep:]
	}
	return list
}

func parseLines(list []Event, lines []byte) []Event {
	for line := range bytes.Lines(lines) {
		e, err := parseJSON(line)
		if err != nil {
			panic("journal: what was written cannot be read: " + err.Error())
		}
		list = append(list, e)
	}
	return list
}

// Find lists the kept events of all devices that match, in the order of the run.
func (m *Memory) Find(match func(Event) bool) []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Event
	for _, r := range m.rings {
		for _, e := range r.events(m.keep) {
			if match(e) {
				found = append(found, e)
			}
		}
	}
	slices.SortFunc(found, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return found
}

// Devices lists the devices that have events, sorted, without the world.
func (m *Memory) Devices() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.rings {
		if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
