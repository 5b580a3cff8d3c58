package load

import "time"

// Use is what this process has used so far, with the engine processes that it
// started.
type Use struct {
	CPU      time.Duration // of all threads and engine processes
	Engine   time.Duration // of that, by TPM engines
	Commands uint64        // that TPM engines ran
	Queue    int           // commands that wait for an engine now
	Engines  int           // that there are
	Heap     uint64        // bytes in use by Go objects, now
	Cores    int           // that the process may use
}

// Meter reads it.
type Meter interface{ Read() Use }
