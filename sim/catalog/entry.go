package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Entry is a known issue.
type Entry struct {
	ID         string   `yaml:"id"`
	Title      string   `yaml:"title"`
	Phase      Words    `yaml:"phase"` // one or more of Phases
	Class      Words    `yaml:"class"` // one or more of Classes
	Status     string   `yaml:"status"`
	Versions   Versions `yaml:"versions"`
	Cause      string   `yaml:"cause"` // what must be so
	Seen       Seen     `yaml:"seen"`
	Remedy     string   `yaml:"remedy"` // in words
	Sources    []string `yaml:"sources"`
	Provenance string   `yaml:"provenance"` // one of Provenances
	State      State    `yaml:"state"`
	Reason     string   `yaml:"reason"`   // why it is not reproduced
	Disputed   string   `yaml:"disputed"` // what sources do not agree about, and which setting decides here

	Scenario yaml.MapSlice `yaml:"scenario"` // overlay over the scenario that its key base names
	Expect   []any         `yaml:"expect"`   // as in a scenario file
	Moment   any           `yaml:"moment"`   // the item of Expect that names the event that decides
	Helped   *Helped       `yaml:"helped"`
	Fixed    *Side         `yaml:"fixed"`
	Seeds    *Seeds        `yaml:"seeds"`

	File string `yaml:"-"` // where it stands
}

// Versions are the builds of Windows, or versions of a component, that have the
// issue and those that do not any more, in words.
type Versions struct {
	Affected string `yaml:"affected"`
	Fixed    string `yaml:"fixed"`
}

// Seen is by what somebody recognises the issue.
type Seen struct {
	Codes   []string   `yaml:"codes"`   // "0x81039001"
	Screens []string   `yaml:"screens"` // identifiers of screens
	Events  []LogEvent `yaml:"events"`
	Text    []string   `yaml:"text"` // of a page, a log or a report
}

// LogEvent is a row of a Windows event log.
type LogEvent struct {
	Channel string `yaml:"channel"`
	ID      int    `yaml:"id"`
}

// Side is another scenario, laid over the entry's own, and what it comes to.
type Side struct {
	Text     string        `yaml:"text"`
	Scenario yaml.MapSlice `yaml:"scenario"`
	Expect   []any         `yaml:"expect"` // missing: every PC gets to the desktop
}

// Helped is the documented remedy, applied; or None says why there is none.
type Helped struct {
	Side `yaml:",inline"`
	None string `yaml:"none"`
}

// Seeds are one with which an interleaving shows the issue and one that hides it.
type Seeds struct {
	Shows  uint64 `yaml:"shows"`
	Hides  uint64 `yaml:"hides"`
	Hidden []any  `yaml:"hidden"` // what holds then; missing: every PC gets to the desktop
}

// State is how far an issue can be seen here.
type State string

// States.
const (
	Reproduced State = "reproduced"   // it follows from what the scenario says
	ModelOnly  State = "model-only"   // it does, but how Windows or the service gets there is our guess
	ReportOnly State = "report-only"  // only a portal's page or a screen's looks are concerned
	OutOfReach State = "out-of-reach" // it cannot be seen here
)

// Values that a file may have.
var (
	States      = []State{Reproduced, ModelOnly, ReportOnly, OutOfReach}
	Phases      = []string{"REG", "OOBE", "T-PREP", "T-SETUP", "U-PREP", "U-SETUP", "U", "HYB", "POST", "PORTAL", "ANY"}
	Classes     = []string{"CFG", "NET", "TPM", "TIME", "BUILD", "RACE", "UI"}
	Provenances = []string{"documented", "observed", "community", "model"}
)

// Words are a word or a list of them.
type Words []string

// UnmarshalYAML reads either.
func (w *Words) UnmarshalYAML(unmarshal func(any) error) error {
	var list []string
	if unmarshal(&list) == nil {
		*w = list
		return nil
	}
	var one string
	if err := unmarshal(&one); err != nil {
		return err
	}
	*w = Words{one}
	return nil
}

// Runs tells whether the entry has a scenario.
func (e *Entry) Runs() bool { return len(e.Scenario) > 0 }

// check says what is missing or not known in an entry.
func (e *Entry) check() (wrong []string) {
	add := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	for key, text := range map[string]string{"id": e.ID, "title": e.Title, "status": e.Status, "cause": e.Cause, "remedy": e.Remedy} {
		add(text == "", "%s is missing", key)
	}
	add(len(e.Phase) == 0, "phase is missing")
	add(len(e.Class) == 0, "class is missing")
	add(len(e.Sources) == 0, "sources are missing")
	for _, s := range e.Sources {
		add(!strings.HasPrefix(s, "https://"), "source %q is no address", s)
	}
	for _, p := range e.Phase {
		add(!slices.Contains(Phases, p), "phase %q; there are %s", p, strings.Join(Phases, ", "))
	}
	for _, c := range e.Class {
		add(!slices.Contains(Classes, c), "class %q; there are %s", c, strings.Join(Classes, ", "))
	}
	add(!slices.Contains(Provenances, e.Provenance), "provenance %q; there are %s", e.Provenance, strings.Join(Provenances, ", "))
	add(!slices.Contains(States, e.State), "state %q; there are %v", e.State, States)
	add(e.State != Reproduced && e.Reason == "", "reason is missing: why is it %s?", e.State)
	add(e.State == Reproduced && !e.Runs(), "it is reproduced by no scenario")
	add(e.State == OutOfReach && e.Runs(), "it is out of reach and has a scenario")
	if e.Runs() {
		add(len(e.Expect) == 0, "expect is missing")
		add(e.State == Reproduced && e.Moment == nil, "moment is missing: the event that decides, as an item of expect")
		add(e.Helped == nil, "helped is missing: the remedy as a change of the scenario, or {none: why there is none}")
		add(slices.Contains(e.Class, "BUILD") && e.Fixed == nil, "fixed is missing: the other side of the build")
		add(slices.Contains(e.Class, "RACE") && e.Seeds == nil, "seeds are missing: one that shows it and one that hides it")
	}
	slices.Sort(wrong)
	return wrong
}
