// Package output is what the specs about other programs have in common.
package output

import (
	"strings"
	"sync"
)

// Log is what a program says, shown when a spec fails. The zero value is ready.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write adds to it; programs write from goroutines of their own.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String is all that was said so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
