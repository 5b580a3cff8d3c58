package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/outcome"
	"windtunnel.test/sim/scenario"
)

// Summary is what a run came to: the content of summary.json. Durations are
// in seconds; what is measured in real time has "wall" in its name and is not
// the same in two runs.
type Summary struct {
	Build          string         `json:"build"`
	Scenario       string         `json:"scenario"`
	Seed           uint64         `json:"seed"`
	Home           string         `json:"home"`
	Devices        int            `json:"devices"`
	Cells          int            `json:"cells"`
	Outcomes       map[string]int `json:"outcomes"` // desktop, resealed, failed, stuck(screen, row), unfinished
	TraceHash      string         `json:"traceHash"`
	CellHashes     []string       `json:"cellHashes"`
	Start          time.Time      `json:"start"` // virtual
	End            time.Time      `json:"end"`   // virtual; of the cell that went on longest
	VirtualSeconds float64        `json:"virtualSeconds"`
	WallSeconds    float64        `json:"wallSeconds"`
	Events         uint64         `json:"events"`               // journaled
	Refusals       int            `json:"refusals"`             // requests that a service refused
	Faults         int            `json:"faults"`               // times that a fault rule fired
	IdleFaults     []string       `json:"idleFaults,omitempty"` // names of the scenario's rules that never did
	Scheduled      uint64         `json:"schedulerEvents"`      // of the clocks
	Phases         []PhaseStats   `json:"phases"`
	TPM            TPMStats       `json:"tpm"`
	Failures       []FailureGroup `json:"failures"`
	Expectations   []Expectation  `json:"expectations"`
	Problems       []string       `json:"problems,omitempty"`    // what administrators and the timeline could not do
	NotModelled    []string       `json:"notModelled,omitempty"` // members of Graph objects that nothing reads
	Interrupted    bool           `json:"interrupted,omitempty"`
}

// PhaseStats are the virtual durations of one phase over all PCs that went
// through it.
type PhaseStats struct {
	Name  string  `json:"name"` // technician, shelf, user, ...
	Count int     `json:"count"`
	Min   float64 `json:"min"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// TPMStats are the TPM engine's figures. The CPU time that it took is not the
// same in two runs.
type TPMStats struct {
	Commands      uint64        `json:"commands"`
	EngineSeconds float64       `json:"engineSeconds"`
	DistinctEKs   int           `json:"distinctEKs"`
	Attested      int           `json:"attested"` // PCs with a valid AIK certificate that was issued for their own EK
	ImagesMade    int           `json:"imagesMade"`
	ImagesFound   int           `json:"imagesFound"`
	Images        []ModelImages `json:"images,omitempty"`
	EnginesLost   int           `json:"enginesLost,omitempty"` // engine processes that died and were replaced; the result is the same
}

// FailureGroup are the PCs that ended alike.
type FailureGroup struct {
	Outcome string `json:"outcome"`
	Code    string `json:"code"`
	Phase   string `json:"phase"`
	Check   string `json:"check"` // the service's check that decided, "" where none did
	Count   int    `json:"count"`
	Sample  string `json:"sample"` // serial number of the first
	Reason  string `json:"reason"`
	Replay  string `json:"replay"` // the command that shows it again
}

// Expectation is one line of the scenario's `expect` and whether it was met.
type Expectation struct {
	Expected string  `json:"expected"`
	Text     string  `json:"text"` // what was expected, and what was found
	Met      bool    `json:"met"`
	Got      float64 `json:"got"`            // the figure, or how many PCs, events or objects fit
	Line     int     `json:"line,omitempty"` // in the scenario's file
	// Evidence is the event that decided it: the first that fits or, where none
	// did, the nearest. Event is the same, for who has run it.
	Evidence string         `json:"evidence,omitempty"`
	Event    *journal.Event `json:"-"`
}

// Met tells whether all expectations are.
func (s *Summary) Met() bool {
	for _, e := range s.Expectations {
		if !e.Met {
			return false
		}
	}
	return true
}

// Metrics are the figures that expectations and thresholds name.
func (s *Summary) Metrics() map[string]float64 {
	m := map[string]float64{
		scenario.MetricDevices: float64(s.Devices), scenario.MetricFailures: 0, scenario.MetricVirtual: s.VirtualSeconds,
		scenario.MetricEKs: float64(s.TPM.DistinctEKs), scenario.MetricCommands: float64(s.TPM.Commands),
		scenario.MetricAttested: float64(s.TPM.Attested),
		scenario.MetricRefusals: float64(s.Refusals), scenario.MetricFaults: float64(s.Faults),
	}
	for _, f := range s.Failures {
		m[scenario.MetricFailures] += float64(f.Count)
	}
	for outcome, n := range s.Outcomes {
		name, _, _ := strings.Cut(outcome, "(") // stuck(screen, row)
		m["outcome."+name] += float64(n)
	}
	for _, p := range s.Phases {
		for name, v := range map[string]float64{"min": p.Min, "mean": p.Mean, "p50": p.P50, "p90": p.P90, "p99": p.P99, "max": p.Max} {
			m["phase."+p.Name+"."+name] = v
		}
	}
	return m
}

// judge holds figures, ends and events against what the scenario expects.
func (s *Summary) judge(of *scenario.Scenario, cells []*cell) {
	var judges []*outcome.Judge
	for _, c := range cells {
		if c != nil {
			judges = append(judges, c.judge)
		}
	}
	items := outcome.Verdicts(of.Expect, judges...)
	for i, r := range of.Expect.Evaluate(s.Metrics()) {
		x := Expectation{Expected: r.Expectation.String(), Text: r.String(), Met: r.Met, Got: r.Got}
		if r.Item != nil {
			x = Expectation{Expected: x.Expected, Text: items[i].Text, Met: items[i].Met, Got: items[i].Got, Event: items[i].Evidence}
			if x.Event != nil {
				x.Evidence = x.Event.String()
			}
		}
		if i < len(of.ExpectLines) {
			x.Line = of.ExpectLines[i]
		}
		s.Expectations = append(s.Expectations, x)
	}
}

// JSON writes the summary as summary.json has it.
func (s *Summary) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	return append(b, '\n'), nil
}

// Progress is how far a run is, for whoever watches it.
type Progress struct {
	Stage   string // "tpm images" while those are made, then "fleet"
	Done    int    // PCs (or images) that are through
	Total   int
	Phases  map[string]int // how many PCs are in each phase now
	Virtual time.Time      // of the cell that is furthest behind
}
