package sim

import (
	"cmp"
	"fmt"
	"sync"

	"windtunnel.test/sim/vclock"
)

// mind is what somebody has learnt at one PC and knows at the next: somebody
// with three PCs who was made to change the domain's password at the first
// types the new one at the others, and thinks of a third where it has expired
// in turn.
type mind struct {
	upn string

	mu       sync.Mutex
	password string // the domain's, once changed at a PC
	thought  string // the new one last thought of
	thoughts int    // how many there were
}

// mind finds somebody's, in the world that they live in.
func (w *World) mind(upn string) *mind {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.minds == nil {
		w.minds = map[string]*mind{}
	}
	if w.minds[upn] == nil {
		w.minds[upn] = &mind{upn: upn}
	}
	return w.minds[upn]
}

// known is the password that was changed to, or else the given one. Where that
// was refused, the new one comes to mind that is just being given to another PC,
// and the next time the old one again.
func (m *mind) known(first string, refused int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.thought != "" && refused%2 == 1 {
		return m.thought
	}
	return cmp.Or(m.password, first)
}

// learn keeps a password that the domain has taken.
func (m *mind) learn(password string) {
	m.mu.Lock()
	m.password = password
	m.mu.Unlock()
}

// think comes up with a new password: first the one prepared, then others that
// meet the complexity rule and have no reason to hold a part of a name.
func (m *mind) think(prepared string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.thoughts++
	if m.thought = prepared; m.thoughts > 1 {
		m.thought = newPassword(m.upn, m.thoughts)
	}
	return m.thought
}

// newPassword is what somebody thinks of the nth time.
func newPassword(upn string, n int) string {
	return "Wt-" + vclock.Seed(0).UUID("new password", upn, fmt.Sprint(n))[:13]
}
