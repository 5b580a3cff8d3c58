package outcome

import (
	"strings"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
)

// End is how a PC's story ended.
type End struct {
	Device, Serial string
	Outcome        string // desktop, resealed, failed, unfinished, or "stuck(screen, row)"
	Code, Phase    string
	Check, Reason  string
}

// Judge listens to one cell of a run.
type Judge struct {
	items   []*scenario.ExpectItem // nil: a figure
	serials map[string]string      // of the PCs, by name
	screens map[string]string      // last one shown
	ends    []End
	seen    []map[string]*tally // of each item, by device
	begin   time.Time

	registry []map[string]string // of each item, by device: what was found, "" for nothing
	objects  []int               // of each item: Graph's objects that fit
	answers  []string            // of each item: what Graph had instead, or why it said nothing
}

// tally is what of an item a PC has seen.
type tally struct {
	count  int
	first  journal.Event // that fits
	near   journal.Event // the last of its kind that does not
	nears  int
	after  time.Time // of the first event that After asks for
	before bool      // an event that Before excludes has happened
}

// New makes a judge of what a scenario expects.
func New(expect scenario.Expectations) *Judge {
	j := &Judge{serials: map[string]string{}, screens: map[string]string{}}
	for _, x := range expect {
		j.items = append(j.items, x.Item)
		j.seen = append(j.seen, map[string]*tally{})
		j.registry = append(j.registry, map[string]string{})
		j.objects = append(j.objects, 0)
		j.answers = append(j.answers, "")
	}
	return j
}

// Any tells whether there is anything to judge.
func (j *Judge) Any() bool {
	for _, x := range j.items {
		if x != nil {
			return true
		}
	}
	return false
}

// Event takes what happens next.
func (j *Judge) Event(e journal.Event) {
	if j.begin.IsZero() {
		j.begin = e.Time
	}
	switch e.Kind {
	case "device.made":
		j.serials[e.Device] = e.Text("serial")
	case "screen.shown":
		if id := e.Text("screen"); id != "off" {
			j.screens[e.Device] = id
		}
	}
	for i, x := range j.items {
		if x != nil && x.Event != nil && (x.Device == "" || j.fits(x.Device, e.Device)) {
			j.judge(x, j.of(i, e.Device), e)
		}
	}
}

func (j *Judge) of(item int, device string) *tally {
	t := j.seen[item][device]
	if t == nil {
		t = &tally{}
		j.seen[item][device] = t
	}
	return t
}

func (j *Judge) judge(x *scenario.ExpectItem, t *tally, e journal.Event) {
	if x.After != nil && t.after.IsZero() && Fits(*x.After, e) {
		t.after = e.Time
		return
	}
	if x.Before != nil && Fits(*x.Before, e) {
		t.before = true
	}
	switch {
	case !fault.Match(x.Event.Event, e.Kind):
	case x.Event.Event == "*" && !hasField(x.Event.Where, e):
	case Fits(*x.Event, e) && j.inTime(x, t, e):
		if t.count++; t.count == 1 {
			t.first = e
		}
	default:
		t.near = e
		t.nears++
	}
}

// hasField tells whether an event of any kind has what is asked for.
func hasField(where []scenario.FieldIs, e journal.Event) bool {
	for _, f := range where {
		if _, ok := e.Get(f.Field); ok {
			return true
		}
	}
	return false
}

func (j *Judge) inTime(x *scenario.ExpectItem, t *tally, e journal.Event) bool {
	if x.After != nil && t.after.IsZero() || t.before {
		return false
	}
	from := j.begin
	if x.After != nil {
		from = t.after
	}
	return x.Within == nil || e.Time.Sub(from) <= *x.Within
}

// End takes how a PC's story ended. A later one of the same PC counts.
func (j *Judge) End(e End) {
	for i := range j.ends {
		if j.ends[i].Device == e.Device {
			j.ends[i] = e
			return
		}
	}
	j.ends = append(j.ends, e)
}

// Registry asks for the values of a PC's registry that are judged, when its story
// has ended.
func (j *Judge) Registry(device string, read func(key, name string) (value string, ok bool)) {
	for i, x := range j.items {
		if x == nil || x.Registry == nil || (x.Device != "" && !j.fits(x.Device, device)) {
			continue
		}
		value, ok := read(x.Registry.Key, x.Registry.Name)
		if !ok {
			value = absent
		}
		j.registry[i][device] = value
	}
}

// absent stands for a value that is not there; no registry has it.
const absent = "\x00"

// Graph asks for the collections that are judged, when all stories have ended:
// ask gives the objects, each as a decoded JSON object, or why there are none.
func (j *Judge) Graph(ask func(path string) ([]map[string]any, error)) {
	for i, x := range j.items {
		if x == nil || x.Graph == nil {
			continue
		}
		objects, err := ask(x.Graph.Path)
		if err != nil {
			j.answers[i] = err.Error()
			continue
		}
		for _, o := range objects {
			if objectFits(x.Graph.Where, o) {
				j.objects[i]++
			} else {
				j.answers[i] = "another is " + short(o, x.Graph.Where)
			}
		}
	}
}

// fits tells whether a glob is about a device, by its name or its serial number.
func (j *Judge) fits(glob, device string) bool {
	return device != "" && (fault.Match(glob, device) || fault.Match(glob, j.serials[device]))
}

// Fits tells whether an event is one of a pattern's.
func Fits(p scenario.EventPattern, e journal.Event) bool {
	if !fault.Match(p.Event, e.Kind) {
		return false
	}
	for _, f := range p.Where {
		if !same(f.Is, e.Text(f.Field)) {
			return false
		}
	}
	return true
}

// same compares a glob with a text. A code stands with its symbol behind it in
// many texts, "0x81039001 (autopilot_client_...)", and fits without.
func same(glob, text string) bool {
	if fault.Match(glob, text) {
		return true
	}
	if !strings.HasPrefix(text, "0x") {
		return false
	}
	number, _, _ := strings.Cut(text, " (")
	return fault.Match(glob, number)
}
