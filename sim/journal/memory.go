package journal

import (
	"cmp"
	"slices"
	"sync"
)

// Memory is a sink that keeps the last events of each device, and as many of the world.
type Memory struct {
	keep int

	mu    sync.Mutex
	rings map[string]*ring
}

type ring struct {
	events []Event
	next   int // where the oldest is, once the ring is full
}

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
	if m.keep <= 0 || len(r.events) < m.keep {
		r.events = append(r.events, e)
		return nil
	}
	r.events[r.next] = e
	r.next = (r.next + 1) % m.keep
	return nil
}

// Close does nothing: what was kept stays readable.
func (m *Memory) Close() error { return nil }

// Timeline is what is kept of a device ("" for the world), oldest first.
func (m *Memory) Timeline(device string) []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rings[device].ordered()
}

func (r *ring) ordered() []Event {
	if r == nil {
		return nil
	}
	return slices.Concat(r.events[r.next:], r.events[:r.next])
}

// Find lists the kept events of all devices that match, in the order of the run.
func (m *Memory) Find(match func(Event) bool) []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Event
	for _, r := range m.rings {
		for _, e := range r.events {
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
