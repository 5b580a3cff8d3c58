package figure

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Second is what ended in one second of the load: a line of series.jsonl. An
// arrival belongs to the second in which it ended. Latencies count from the
// intended start, in microseconds.
type Second struct {
	At float64 `json:"at"` // seconds since the load began, at this one's end
	Gauges
	Steps   map[string]StepSecond `json:"steps"`
	Errors  map[string]int        `json:"errors,omitempty"` // arrivals that failed, by class
	Dropped int                   `json:"dropped,omitempty"`
}

// StepSecond is a step's part of a second.
type StepSecond struct {
	Count  int   `json:"count"`
	Errors int   `json:"errors,omitempty"`
	P50    int64 `json:"p50"`
	P90    int64 `json:"p90"`
	P99    int64 `json:"p99"`
	Max    int64 `json:"max"`
}

// secondState is the second that is under way.
type secondState struct {
	steps   map[string]*stepSecond
	errors  map[string]int
	dropped int
}

type stepSecond struct {
	hist   *hdr.Histogram
	errors int
}

func newSecond() secondState {
	return secondState{steps: map[string]*stepSecond{}, errors: map[string]int{}}
}

func (s *secondState) count(step string, v int64, o Outcome) {
	w := s.steps[step]
	if w == nil && len(s.steps) >= maxSteps {
		step = Other
		w = s.steps[step]
	}
	if w == nil {
		w = &stepSecond{hist: NewHistogram()}
		s.steps[step] = w
	}
	_ = w.hist.RecordValue(v) // inside the bounds
	if !o.OK() {
		w.errors++
	}
}

// failed counts an arrival that did not go well.
func (s *secondState) failed(o Outcome) {
	class := o.Class()
	if len(s.errors) >= maxClasses && s.errors[class] == 0 {
		class = Other
	}
	s.errors[class]++
}

// Tick closes the second that is under way and gives it. counts tells whether
// it is one of those that the load is about, and not of the warm-up or of the
// end; then part is how much of it is.
func (r *Recorder) Tick(now time.Time, g Gauges, counts bool, part time.Duration) Second {
	r.mu.Lock()
	defer r.mu.Unlock()
	if counts {
		r.asked += g.Target * part.Seconds()
		r.seconds += part.Seconds()
	}
	out := Second{At: now.Sub(r.o.Begin).Seconds(), Gauges: g, Steps: map[string]StepSecond{}, Dropped: r.second.dropped}
	for name, s := range r.second.steps {
		n := int(s.hist.TotalCount())
		if n == 0 {
			continue
		}
		v := percentiles(s.hist, 50, 90, 99)
		out.Steps[name] = StepSecond{Count: n, Errors: s.errors, P50: v[0], P90: v[1], P99: v[2], Max: s.hist.Max()}
		s.hist.Reset()
		s.errors = 0
	}
	if len(r.second.errors) > 0 {
		out.Errors = r.second.errors
		r.second.errors = map[string]int{}
	}
	r.second.dropped = 0
	return out
}

// WriteSecond appends a line to series.jsonl.
func WriteSecond(w io.Writer, s Second) error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("series: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// ReadSeries reads series.jsonl.
func ReadSeries(r io.Reader) ([]Second, error) {
	var all []Second
	for d := json.NewDecoder(r); ; {
		var s Second
		switch err := d.Decode(&s); {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return all, fmt.Errorf("series, line %d: %w", len(all)+1, err)
		}
		all = append(all, s)
	}
}
