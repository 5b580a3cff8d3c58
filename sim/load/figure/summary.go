package figure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Summary is what a load came to: summary.json. Latencies are in microseconds.
// Fields may be added, none is taken away or means another thing.
type Summary struct {
	Name     string    `json:"name"`               // of the scenario
	Scenario string    `json:"scenario"`           // digest of the resolved scenario file
	Seed     uint64    `json:"seed"`               //
	Build    string    `json:"build"`              // of windtunnel
	Machine  Machine   `json:"machine"`            //
	Target   string    `json:"target"`             // what was loaded, in words
	Began    time.Time `json:"began"`              //
	Seconds  float64   `json:"seconds"`            // of the part that counts, without warm-up
	Rate     Rate      `json:"rate"`               //
	Arrivals Arrivals  `json:"arrivals"`           //
	Steps    []Figures `json:"steps"`              // scopes first, then their steps by name
	Lag      Quantiles `json:"lag"`                // of begin after intended begin
	Bytes    Bytes     `json:"bytes"`              // of bodies
	Self     Generator `json:"generator"`          // what made the load
	Serving  *Process  `json:"serving,omitempty"`  // the target's process, where it is a child of ours
	Verdicts []Verdict `json:"thresholds"`         //
	Stopped  string    `json:"stopped,omitempty"`  // why it ended before its time, in words
	Clamped  int64     `json:"clamped,omitempty"`  // latencies outside a histogram's bounds
	Waves    []Wave    `json:"waterfall"`          // where steps lie inside their scopes
	Repeats  []string  `json:"repeats,omitempty"`  // folders of its repeats
	Command  string    `json:"command,omitempty"`  // that does it again
	Trials   []string  `json:"trials,omitempty"`   // of a search for the limit, in words
	Limit    float64   `json:"limit,omitempty"`    // that a search found, arrivals a second
	Interval []float64 `json:"interval,omitempty"` // that the limit lies in
}

// Machine is what the load was made on.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory uint64 `json:"memory"` // bytes
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// String names it in a line.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %d GiB, %s, %s", m.CPU, m.Cores, (m.Memory+1<<29)>>30, m.Kernel, m.Go)
}

// Rate is in arrivals a second, over the part that counts.
type Rate struct {
	Asked   float64 `json:"asked"`
	Reached float64 `json:"reached"` // begun
}

// Arrivals are honest devices, but for Bad.
type Arrivals struct {
	Ended       int64 `json:"ended"`
	Failed      int64 `json:"failed"` // of those
	Dropped     int64 `json:"dropped"`
	Interrupted int64 `json:"interrupted"`
	WarmUp      int64 `json:"warmUp"`
	Bad         int64 `json:"bad"`
	Refused     int64 `json:"refused"` // of the bad ones
}

// Bytes travelled in bodies.
type Bytes struct {
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
}

// Figures are those of a scope or of a step.
type Figures struct {
	Name     string            `json:"name"`
	Scope    bool              `json:"scope,omitempty"`
	Bad      string            `json:"bad,omitempty"` // kind of misbehaviour; missing: honest
	Count    int64             `json:"count"`
	Errors   int64             `json:"errors"`
	Refused  int64             `json:"refused,omitempty"`
	PerSec   float64           `json:"rate"`
	Outcomes map[string]int64  `json:"outcomes"`         // by class
	Causes   map[string]string `json:"causes,omitempty"` // the first of each class
	Intended Quantiles         `json:"intended"`
	Real     Quantiles         `json:"real"`
	Bytes    Bytes             `json:"bytes"`
}

// Generator is what made the load, and what it took for it.
type Generator struct {
	CPUSeconds    float64 `json:"cpuSeconds"`    // of this process
	PerArrival    float64 `json:"cpuPerArrival"` // microseconds
	Cores         float64 `json:"cores"`         // used on the average
	EngineSeconds float64 `json:"engineSeconds"` // of TPM engines
	EngineShare   float64 `json:"engineShare"`   // of all CPU time, 0 to 1
	Commands      uint64  `json:"tpmCommands"`
	PeakInFlight  int     `json:"peakInFlight"`
	PeakHeap      uint64  `json:"peakHeap"`            // bytes
	LimitedBy     string  `json:"limitedBy,omitempty"` // why the result says more of the generator than of the target
}

// Process is another process's use of the machine.
type Process struct {
	CPUSeconds float64 `json:"cpuSeconds"`
	RSS        uint64  `json:"rss"` // bytes, the most
}

// Wave is where a step lies inside its scope on the average, in microseconds.
type Wave struct {
	Scope string `json:"scope"`
	Step  string `json:"step"`
	Count int64  `json:"count"`
	Begin int64  `json:"begin"` // after the scope's begin
	Taken int64  `json:"taken"`
}

// Summary sums up what was added so far. What a recorder does not know, from
// the scenario's name to the machine, is for its owner to fill in.
func (r *Recorder) Summary(scopes []string) Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Summary{
		Lag: QuantilesOf(r.lag), Clamped: r.clamped, Bytes: Bytes{r.total.sent, r.total.received},
		Arrivals: Arrivals{Ended: r.total.arrivals, Failed: r.total.errors, Dropped: r.total.dropped, Interrupted: r.total.interrupted, WarmUp: r.total.warm},
		Seconds:  r.seconds,
	}
	if r.seconds > 0 {
		s.Rate = Rate{Asked: r.asked / r.seconds, Reached: float64(r.total.arrivals+r.total.interrupted) / r.seconds}
	}
	keys := slices.SortedFunc(maps.Keys(r.rows), func(a, b rowKey) int {
		ai, bi := slices.Index(scopes, a.step), slices.Index(scopes, b.step)
		switch {
		case ai != bi && ai >= 0 && bi >= 0:
			return ai - bi
		case ai >= 0 && bi < 0:
			return -1
		case bi >= 0 && ai < 0:
			return 1
		case a.step != b.step:
			return strings.Compare(a.step, b.step)
		}
		return strings.Compare(a.bad, b.bad)
	})
	for _, key := range keys {
		f := r.rows[key].figures()
		f.Name, f.Bad, f.Scope = key.step, key.bad, slices.Contains(scopes, key.step)
		if r.seconds > 0 {
			f.PerSec = float64(f.Count) / r.seconds
		}
		if f.Scope && f.Bad != "" {
			s.Arrivals.Bad += f.Count
			s.Arrivals.Refused += f.Refused
		}
		s.Steps = append(s.Steps, f)
	}
	s.Waves = r.waterfall()
	return s
}

func (w *row) figures() Figures {
	f := Figures{Errors: w.errors, Refused: w.refused, Outcomes: map[string]int64{}, Bytes: Bytes{w.sent, w.recv}}
	for name, c := range w.classes {
		f.Count += c.count
		f.Outcomes[name] = c.count
		if c.text != "" {
			if f.Causes == nil {
				f.Causes = map[string]string{}
			}
			f.Causes[name] = c.text
		}
	}
	f.Intended, f.Real = QuantilesOf(w.merged(Intended, "")), QuantilesOf(w.merged(Real, ""))
	return f
}

func (r *Recorder) waterfall() []Wave {
	var all []Wave
	for key, v := range r.waves {
		all = append(all, Wave{Scope: key.scope, Step: key.step, Count: v.count, Begin: (v.begin / time.Duration(v.count)).Microseconds(), Taken: (v.taken / time.Duration(v.count)).Microseconds()})
	}
	slices.SortFunc(all, func(a, b Wave) int {
		if a.Scope != b.Scope {
			return strings.Compare(a.Scope, b.Scope)
		}
		if a.Begin != b.Begin {
			return int(a.Begin - b.Begin)
		}
		return strings.Compare(a.Step, b.Step)
	})
	return all
}

// Step finds the figures of honest devices' step.
func (s Summary) Step(name string) (Figures, bool) {
	i := slices.IndexFunc(s.Steps, func(f Figures) bool { return f.Name == name && f.Bad == "" })
	if i < 0 {
		return Figures{}, false
	}
	return s.Steps[i], true
}

// Met tells whether every threshold was kept.
func (s Summary) Met() bool {
	return !slices.ContainsFunc(s.Verdicts, func(v Verdict) bool { return !v.Met })
}

// JSON is the summary as a file has it.
func (s Summary) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // thresholds have < in them
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	return b.Bytes(), nil
}
