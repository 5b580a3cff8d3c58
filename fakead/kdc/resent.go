package kdc

import (
	"crypto/sha256"
	"net"
	"sync"
	"time"
)

// answers remembers what datagrams were answered with, so that one that is sent
// again because its answer got lost is answered the same, and not as a replay.
type answers struct {
	mu    sync.Mutex
	known map[[32]byte][]byte
	order []answered
}

type answered struct {
	what [32]byte
	at   time.Time
}

// How long and how many: our own choice, after what clients do (they send again
// after seconds).
const (
	answersFor = time.Minute
	mostKept   = 512
)

func packetOf(from net.Addr, packet []byte) [32]byte {
	h := sha256.New()
	if from != nil {
		h.Write([]byte(from.String()))
	}
	h.Write([]byte{0})
	h.Write(packet)
	return [32]byte(h.Sum(nil))
}

func (a *answers) find(from net.Addr, packet []byte, now time.Time) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now, mostKept)
	return a.known[packetOf(from, packet)]
}

func (a *answers) keep(from net.Addr, packet, answer []byte, now time.Time) {
	what := packetOf(from, packet)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now, mostKept-1)
	if a.known == nil {
		a.known = map[[32]byte][]byte{}
	}
	a.known[what] = answer
	a.order = append(a.order, answered{what, now})
}

func (a *answers) forget(now time.Time, most int) {
	for len(a.order) > 0 && (len(a.order) > most || now.Sub(a.order[0].at) > answersFor) {
		delete(a.known, a.order[0].what)
		a.order = a.order[1:]
	}
}
