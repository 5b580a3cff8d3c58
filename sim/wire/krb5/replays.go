package krb5

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Replays remembers authenticators for as long as their times would be good
// (RFC 4120 3.2.3). The zero value works; it is safe for several goroutines.
type Replays struct {
	mu    sync.Mutex
	seen  map[[32]byte]bool
	order []remembered
}

type remembered struct {
	what  [32]byte
	until time.Time
}

// Seen tells whether an authenticator came before, and remembers it.
func (r *Replays) Seen(sealed []byte, now time.Time, skew time.Duration) bool {
	what := sha256.Sum256(sealed)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now)
	if r.seen[what] {
		return true
	}
	if r.seen == nil {
		r.seen = map[[32]byte]bool{}
	}
	r.seen[what] = true
	// It may have been made as much as the skew in the future.
	r.order = append(r.order, remembered{what, now.Add(2 * skew)})
	return false
}

func (r *Replays) forget(now time.Time) {
	n := 0
	for n < len(r.order) && r.order[n].until.Before(now) {
		delete(r.seen, r.order[n].what)
		n++
	}
	if n == len(r.order) {
		r.order = nil
	} else {
		r.order = r.order[n:]
	}
}
