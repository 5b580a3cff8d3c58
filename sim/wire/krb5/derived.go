package krb5

import "sync"

// derivation is all that a key depends on.
type derivation struct {
	etype          int32
	password, salt string
}

// derived remembers what [StringToKey] made last. It takes 4,096 rounds, which
// keep those from guessing who have a ticket and no password; here both ends
// have the password, and a computer derives its key at each start, its
// controller at each, and its user on each PC. A memo of a function changes no
// result.
var derived = &memo{most: 8192}

type memo struct {
	mu   sync.Mutex
	keys map[derivation]Key
	most int
}

func (m *memo) get(d derivation) (Key, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[d]
	return k, ok
}

// put forgets everything when there is too much of it.
func (m *memo) put(d derivation, k Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys == nil || len(m.keys) >= m.most {
		m.keys = map[derivation]Key{}
	}
	m.keys[d] = k
}
