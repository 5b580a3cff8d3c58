package load

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"windtunnel.test/sim/vtpm"
)

// Use is what this process has used so far, with the engine processes that it
// started.
type Use struct {
	CPU      time.Duration // of all threads and engine processes
	Engine   time.Duration // of that, by TPM engines
	Commands uint64        // that TPM engines ran
	Queue    int           // commands that wait for an engine now
	Engines  int           // that there are
	Heap     uint64        // bytes of Go objects, now
	Cores    int           // that the process may use
}

// Meter reads it. A load reads it once a second, and one actor at a time does.
type Meter interface{ Read() Use }

// NewMeter is a meter of this process and of a lab's engines; without a lab,
// of the process alone.
func NewMeter(lab *vtpm.Lab) Meter {
	return &meter{lab: lab, children: map[int]time.Duration{}, heap: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
}

type meter struct {
	lab  *vtpm.Lab
	heap []metrics.Sample // read in place, so that reading makes no garbage

	mu       sync.Mutex
	children map[int]time.Duration // engine processes with what they had used when last seen
}

// Read looks at the operating system's own accounts, so that garbage collection
// and system calls are in them. An engine process that has ended counts as it
// was last seen.
func (m *meter) Read() Use {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := Use{CPU: ownCPU(), Cores: min(runtime.NumCPU(), runtime.GOMAXPROCS(0))}
	metrics.Read(m.heap)
	if m.heap[0].Value.Kind() == metrics.KindUint64 {
		u.Heap = m.heap[0].Value.Uint64()
	}
	if m.lab == nil {
		return u
	}
	s := m.lab.Stats()
	u.Engine = time.Duration(s.EngineSeconds * float64(time.Second))
	u.Commands, u.Queue = s.Commands, s.Waiting
	pids := m.lab.EnginePIDs()
	u.Engines = 1 + len(pids) // and the one in this process
	for _, pid := range pids {
		m.children[pid] = max(m.children[pid], childCPU(pid))
	}
	for _, used := range m.children {
		u.CPU += used
	}
	return u
}
