//go:build !linux || !amd64 || !cgo

package vtpm

import "errors"

// Replay needs the simulator.
func (l *Lab) Replay(*Recording) (Replayed, error) {
	return Replayed{}, errors.New("vtpm: no simulator here")
}
