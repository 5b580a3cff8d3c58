package walk

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
)

// Life is one cell of the table: what failed how, and how that ended.
type Life struct {
	Exchange  Exchange `json:"exchange"`
	Fault     string   `json:"fault"`          // name of a [Kind]
	Outcome   string   `json:"outcome"`        // of [Outcomes]
	Screen    string   `json:"screen"`         // that the PC showed at the end
	Code      string   `json:"code"`           // HRESULT on it, "" where there is none
	Why       string   `json:"why"`            // the reason on the screen, the wait's rule, or what is wrong
	Seconds   float64  `json:"virtualSeconds"` // from the run's start to the end of the story
	Longer    float64  `json:"longerSeconds"`  // than without the fault
	TraceHash string   `json:"traceHash"`

	rule fault.Rule
}

// Result is a walk.
type Result struct {
	Scenario    string         `json:"scenario"`
	Seed        uint64         `json:"seed"`
	Home        string         `json:"home"`
	Device      string         `json:"device"`
	Exchanges   []Exchange     `json:"exchanges"`
	Counts      map[string]int `json:"counts"` // by outcome
	Lives       []Life         `json:"lives"`
	Interrupted bool           `json:"interrupted,omitempty"`

	scenario *scenario.Scenario
}

// Failures are the lives that ended as no PC with Windows does.
func (r *Result) Failures() (failed []Life) {
	for _, l := range r.Lives {
		if l.Outcome == Failure {
			failed = append(failed, l)
		}
	}
	return failed
}

// Replay is the shortest way to see a life again: a scenario file with its one
// PC and its one rule, for `windtunnel run`.
func (r *Result) Replay(l Life) ([]byte, error) {
	s := with(r.scenario, l.rule)
	s.Name = fmt.Sprintf("%s, %s", r.Scenario, l.rule.Name)
	s.Description = fmt.Sprintf("%s fails: %s.", l.Exchange, l.rule.Do)
	return scenario.Marshal(s, fmt.Sprintf("%s at exchange %d (%s) of %s: %s.", l.Fault, l.Exchange.N, l.Exchange, l.rule.When.Device, l.Outcome))
}

// JSON writes the walk as walk.json has it.
func (r *Result) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("walk: %w", err)
	}
	return append(b, '\n'), nil
}

// Text writes the table, a line each life, and the counts below it.
func (r *Result) Text(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "N\tEXCHANGE\tFAULT\tOUTCOME\tSCREEN\tCODE\tTIME\tWHY")
	for _, l := range r.Lives {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Exchange.N, l.Exchange, l.Fault, l.Outcome, dash(l.Screen), dash(l.Code), longer(l.Longer), line(l.Why))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	if _, err := fmt.Fprintln(to, r.Line()); err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	return nil
}

// Line sums up: "412 exchanges, 3021 lives: 2800 success, ...".
func (r *Result) Line() string {
	var counts []string
	for _, o := range Outcomes() {
		counts = append(counts, fmt.Sprintf("%d %s", r.Counts[o], o))
	}
	s := fmt.Sprintf("%d exchanges, %d lives: %s", len(r.Exchanges), len(r.Lives), strings.Join(counts, ", "))
	if r.Interrupted {
		s += " (interrupted)"
	}
	return s
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// longer is how much more virtual time a life took than the one without a fault.
func longer(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}

// line keeps a reason to its first line, and that to a width that can be read.
func line(s string) string {
	const width = 160
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}
