package sim

import (
	"errors"
	"fmt"
)

// Outcomes of a PC's story.
const (
	Desktop    = "desktop"    // somebody works on it
	Resealed   = "resealed"   // pre-provisioned, and nobody was to unpack it
	FailedEnd  = "failed"     // it ended on a screen that it does not leave by itself
	Unfinished = "unfinished" // the run ended first
)

// End is how one PC's story ended.
type End struct {
	Device  string
	Serial  string
	Outcome string // Desktop, Resealed, FailedEnd, Unfinished or "stuck(screen, row)"
	Code    string // HRESULT on the screen, "" where there is none
	Phase   string
	Check   string // the check by which a service refused the PC last, "" where none did
	Reason  string
}

// Good tells whether the PC got where it was to go.
func (e End) Good() bool { return e.Outcome == Desktop || e.Outcome == Resealed }

// failed fills in how a person's flow ended badly.
func (e *End) failed(err error) {
	var stuck *Stuck
	var failed *Failed
	switch {
	case errors.As(err, &stuck):
		e.Outcome, e.Phase = fmt.Sprintf("stuck(%s, %s)", stuck.Screen, stuck.Row), stuck.Screen
		e.Reason = err.Error()
	case errors.As(err, &failed):
		e.Outcome, e.Code, e.Phase, e.Reason = FailedEnd, failed.Code, failed.Phase, failed.Reason
		if e.Phase == "" {
			e.Phase = failed.Screen
		}
	default:
		e.Outcome, e.Reason = FailedEnd, err.Error()
	}
}
