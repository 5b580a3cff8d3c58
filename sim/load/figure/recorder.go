package figure

import (
	"slices"
	"sync"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Limits on what a recorder keeps, so that its memory does not depend on what a
// target answers. Beyond them everything is counted as Other. A class has two
// histograms, of about 190 kB each.
const (
	maxSteps    = 256
	maxClasses  = 32  // of one step
	maxFailures = 512 // classes but "ok", of all steps together
)

// Other is the step, or the class of outcomes, of what came after the limit.
const Other = "other"

// Lag is the name under which the lateness of arrivals is kept: how long after
// the intended moment they began. It is no step.
const Lag = "lag"

// Options of a recorder.
type Options struct {
	// Begin is the moment that seconds are counted from, the warm-up included.
	Begin time.Time
}

// Recorder takes what became of arrivals, at any rate and from any number of
// goroutines, and gives figures at any time. Its memory does not grow with the
// number of arrivals.
type Recorder struct {
	mu      sync.Mutex
	o       Options
	rows    map[rowKey]*row
	second  secondState
	lag     *hdr.Histogram
	total   totals
	first   time.Time // of the intended starts that count
	last    time.Time // of the ends that count
	asked   float64   // arrivals that were asked for in the seconds that count
	seconds float64   // how long they are
	clamped int64
	waves   map[waveKey]*wave
	classes int // kept, but "ok" and Other
}

// rowKey is what histograms are kept by.
type rowKey struct{ step, bad string }

// waveKey is what the picture of a scope is kept by.
type waveKey struct{ scope, step string }

// row is a step of honest or misbehaving devices.
type row struct {
	classes map[string]*class
	errors  int64
	refused int64
	sent    int64
	recv    int64
}

// class is one kind of outcome of a step.
type class struct {
	count int64
	hist  [2]*hdr.Histogram // by Kind
	text  string            // the first cause
}

// totals are about arrivals, whatever their scope.
type totals struct {
	arrivals, errors, dropped, interrupted, warm int64
	sent, received                               int64
}

// wave is where a step lies inside its scope, summed up.
type wave struct {
	count        int64
	begin, taken time.Duration
}

// New makes a recorder that has seen nothing.
func New(o Options) *Recorder {
	return &Recorder{o: o, rows: map[rowKey]*row{}, lag: NewHistogram(), waves: map[waveKey]*wave{}, second: newSecond()}
}

// Add counts an arrival that has ended. What came during the warm-up is counted
// as such and nothing else.
func (r *Recorder) Add(a Arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Warm {
		r.total.warm++
		return
	}
	failed := !a.Outcome.OK()
	if a.Bad == "" {
		r.total.arrivals++
		if failed {
			r.total.errors++
		}
		if r.first.IsZero() || a.Intended.Before(r.first) {
			r.first = a.Intended
		}
		if a.Ended.After(r.last) {
			r.last = a.Ended
		}
		late, _ := micros(a.Started.Sub(a.Intended))
		_ = r.lag.RecordValue(late) // inside the bounds
	}
	var sent, received int64
	for i, s := range a.Steps {
		begin := s.Begin
		if i == 0 {
			begin = a.Intended // it waited as the arrival did
		}
		r.count(s.Name, a.Bad, s, s.End.Sub(begin))
		sent, received = sent+s.Sent, received+s.Received
		if a.Bad == "" && !failed {
			r.wave(a, s)
		}
	}
	whole := Step{Name: a.Scope, Begin: a.Started, End: a.Ended, Outcome: a.Outcome, Sent: sent, Received: received}
	w := r.count(a.Scope, a.Bad, whole, a.Ended.Sub(a.Intended))
	if a.Refused {
		w.refused++
	}
	if a.Bad == "" && failed {
		r.second.failed(a.Outcome)
	}
	r.total.sent, r.total.received = r.total.sent+sent, r.total.received+received
}

// count puts one latency into a step's histograms.
func (r *Recorder) count(step, bad string, s Step, intended time.Duration) *row {
	w := r.row(step, bad)
	c := r.class(w, s.Outcome)
	c.count++
	if c.text == "" {
		c.text = s.Outcome.Error
	}
	if !s.Outcome.OK() {
		w.errors++
	}
	w.sent, w.recv = w.sent+s.Sent, w.recv+s.Received
	for kind, d := range [2]time.Duration{intended, s.End.Sub(s.Begin)} {
		v, clamped := micros(d)
		if clamped {
			r.clamped++
		}
		_ = c.hist[kind].RecordValue(v) // inside the bounds
		if Kind(kind) == Intended && bad == "" {
			r.second.count(step, v, s.Outcome)
		}
	}
	return w
}

func (r *Recorder) row(step, bad string) *row {
	key := rowKey{step, bad}
	w := r.rows[key]
	if w == nil && len(r.rows) >= maxSteps {
		key.step = Other
		w = r.rows[key]
	}
	if w == nil {
		w = &row{classes: map[string]*class{}}
		r.rows[key] = w
	}
	return w
}

func (r *Recorder) class(w *row, o Outcome) *class {
	name := o.Class()
	c := w.classes[name]
	if c == nil && !o.OK() {
		if len(w.classes) < maxClasses && r.classes < maxFailures {
			r.classes++
		} else {
			name = Other
			c = w.classes[name]
		}
	}
	if c == nil {
		c = &class{hist: [2]*hdr.Histogram{NewHistogram(), NewHistogram()}}
		w.classes[name] = c
	}
	return c
}

// wave adds a step of an arrival that went well to the picture of its scope.
func (r *Recorder) wave(a Arrival, s Step) {
	key := waveKey{a.Scope, s.Name}
	v := r.waves[key]
	if v == nil {
		if len(r.waves) >= maxSteps {
			return
		}
		v = &wave{}
		r.waves[key] = v
	}
	v.count++
	v.begin += s.Begin.Sub(a.Started)
	v.taken += s.End.Sub(s.Begin)
}

// Dropped counts arrivals that never began: no device was free in time, or the
// load ended before.
func (r *Recorder) Dropped(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.dropped += int64(n)
	r.second.dropped += n
}

// Interrupted counts an arrival that was under way when the load's patience was
// over: it has no latency.
func (r *Recorder) Interrupted(a Arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Warm {
		r.total.warm++
		return
	}
	r.total.interrupted++
}

// Histogram is a copy of what was counted: of one class of a step's outcomes by
// honest devices, or of all where class is "". It is nil where there was none.
func (r *Recorder) Histogram(step string, kind Kind, className string) *hdr.Histogram {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.rows[rowKey{step, ""}]
	if w == nil {
		return nil
	}
	return w.merged(kind, className)
}

// merged puts the classes of a row together.
func (w *row) merged(kind Kind, className string) (all *hdr.Histogram) {
	for name, c := range w.classes {
		if className != "" && name != className {
			continue
		}
		if all == nil {
			all = NewHistogram()
		}
		all.Merge(c.hist[kind]) // the same bounds: nothing is dropped
	}
	return all
}

// Steps are the names of everything that honest devices did, scopes first, in
// alphabetical order within.
func (r *Recorder) Steps() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for key := range r.rows {
		if key.bad == "" {
			names = append(names, key.step)
		}
	}
	slices.Sort(names)
	return names
}
