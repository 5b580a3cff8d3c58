package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// In JSON durations are texts ("30s"), as they are in YAML, and unknown members are errors.

type when When

// MarshalJSON writes durations as text.
func (w When) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		when
		From  text `json:"from,omitempty"`
		Until text `json:"until,omitempty"`
	}{when(w), text(w.From), text(w.Until)})
}

// UnmarshalJSON reads durations as text.
func (w *When) UnmarshalJSON(b []byte) error {
	var in struct {
		when
		From  text `json:"from"`
		Until text `json:"until"`
	}
	if err := strict(b, &in); err != nil {
		return fmt.Errorf("when: %w", err)
	}
	*w = When(in.when)
	w.From, w.Until = time.Duration(in.From), time.Duration(in.Until)
	return nil
}

type action Action

// MarshalJSON writes durations as text.
func (a Action) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		action
		RetryAfter text `json:"retryAfter,omitempty"`
		Delay      text `json:"delay,omitempty"`
	}{action(a), text(a.RetryAfter), text(a.Delay)})
}

// UnmarshalJSON reads durations as text.
func (a *Action) UnmarshalJSON(b []byte) error {
	var in struct {
		action
		RetryAfter text `json:"retryAfter"`
		Delay      text `json:"delay"`
	}
	if err := strict(b, &in); err != nil {
		return fmt.Errorf("do: %w", err)
	}
	*a = Action(in.action)
	a.RetryAfter, a.Delay = time.Duration(in.RetryAfter), time.Duration(in.Delay)
	return nil
}

func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// text is a duration that JSON writes as text.
type text time.Duration

// MarshalText is time.Duration's own form.
func (t text) MarshalText() ([]byte, error) { return []byte(time.Duration(t).String()), nil }

// UnmarshalText is time.ParseDuration.
func (t *text) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*t = text(d)
	return err
}

// Jump is how far a clock jumps, back where it is negative. Its text is a length of time with a minus where it goes back,
// "-48h", or whole days, "30d".
type Jump time.Duration

// String is time.Duration's own form.
func (j Jump) String() string { return time.Duration(j).String() }

// MarshalText is String.
func (j Jump) MarshalText() ([]byte, error) { return []byte(j.String()), nil }

// UnmarshalText reads either form.
func (j *Jump) UnmarshalText(b []byte) error {
	if days, ok := strings.CutSuffix(string(b), "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n > 36500 || n < -36500 {
			return fmt.Errorf("%q is no length of time; write one such as -48h or 30d", b)
		}
		*j = Jump(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no length of time; write one such as -48h or 30d", b)
	}
	*j = Jump(d)
	return nil
}

// String is the action in a few words, for the journal: "status 503, retryAfter 30s".
func (a Action) String() string {
	var parts []string
	add := func(set bool, s string) {
		if set {
			parts = append(parts, s)
		}
	}
	add(a.Delay > 0, "delay "+a.Delay.String())
	add(a.Status != 0, "status "+strconv.Itoa(a.Status))
	add(a.RetryAfter > 0, "retryAfter "+a.RetryAfter.String())
	add(a.Drop, "drop")
	add(a.Refuse, "refuse")
	add(a.NoSuchName, "noSuchName")
	add(a.Corrupt, "corrupt")
	add(a.Truncate, "truncate")
	add(a.CutPower, "cutPower")
	add(a.TPMResponse != 0, fmt.Sprintf("tpmResponse 0x%03X", a.TPMResponse))
	add(a.Intercept, "intercept")
	add(a.ClockJump != 0, "clockJump "+a.ClockJump.String())
	add(a.DiskFull, "diskFull")
	add(a.ExitCode != 0, fmt.Sprintf("exitCode 0x%X", a.ExitCode))
	add(a.EngineDeath, "engineDeath")
	return strings.Join(parts, ", ")
}
