package scenario

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// LoadTest is what `windtunnel load` does with a scenario: which part of a PC's way
// is done under load, how PCs arrive, against what, and what must be so. `windtunnel
// run` does not look at it.
type LoadTest struct {
	Mix          Weights        `yaml:"mix" need:"yes" doc:"What arriving PCs do: one scope (aik), or scopes with weights ({aik: 9, join: 1}). activation: the AIK service's challenge and the TPM's answer to it; aik: the AIK certificate; join: the attested Entra join; enrolment: MDM enrolment; technician: the whole technician flow; life: both flows, to the desktop."`
	Unit         LoadUnit       `yaml:"unit" default:"devices" doc:"What rates count: devices that arrive, or attestations that they bring; join and enrolment bring none."`
	Arrivals     []Stage        `yaml:"arrivals" doc:"Open loop: PCs arrive at these rates however slow the target is. Stages follow each other."`
	Closed       *ClosedLoop    `yaml:"closed" doc:"Closed loop in place of arrivals: so many PCs at once, each beginning again when it is through."`
	WarmUp       time.Duration  `yaml:"warmUp" max:"1h" doc:"Time at the begin that is not counted, at the first rate, before the stages."`
	GracefulStop time.Duration  `yaml:"gracefulStop" default:"30s" max:"1h" doc:"How long PCs that are under way at the end may take; what is not through then is broken off and counted as interrupted."`
	Devices      int            `yaml:"devices" min:"1" max:"1000000" doc:"PCs that there are, each with its own TPM; missing: fleet's count. Where PCs can do their part again they come again."`
	Misbehaving  Misbehaving    `yaml:"misbehaving" doc:"Parts of the PCs that misbehave in scope aik; they must be refused, or do no harm to others."`
	Thresholds   LoadThresholds `yaml:"thresholds" doc:"What the load must keep, such as aik.p99 < 200ms, errors.rate < 0.1%, rate >= 0.99 * target; a load that misses one exits with 1."`
	Target       *LoadTarget    `yaml:"target" doc:"What is loaded; missing: the services in this process. --target overrides it."`
	Repeats      int            `yaml:"repeats" default:"1" min:"1" max:"100" doc:"How often the load is done."`
}

// Scopes of a load, the shorter first.
const (
	ScopeActivation = "activation"
	ScopeAIK        = "aik"
	ScopeJoin       = "join"
	ScopeEnrolment  = "enrolment"
	ScopeTechnician = "technician"
	ScopeLife       = "life"
)

// Scopes lists them.
func Scopes() []string {
	return []string{ScopeActivation, ScopeAIK, ScopeJoin, ScopeEnrolment, ScopeTechnician, ScopeLife}
}

// Attests tells whether a PC brings an attestation in a scope.
func Attests(scope string) bool { return scope != ScopeJoin && scope != ScopeEnrolment }

// LoadUnit is what rates count.
type LoadUnit string

// Units of rates.
const (
	PerDevice      LoadUnit = "devices"
	PerAttestation LoadUnit = "attestations"
)

func (LoadUnit) choices() []string { return []string{"devices", "attestations"} }

// Shares are the scopes of the mix with their parts of the whole, in the order
// of the file.
func (l *LoadTest) Shares() (scopes []string, shares []float64) {
	sum := 0.0
	for _, w := range l.Mix {
		sum += w.Weight
	}
	for _, w := range l.Mix {
		scopes, shares = append(scopes, w.Name), append(shares, w.Weight/sum)
	}
	return scopes, shares
}

// Shape is how a stage's rate goes.
type Shape string

// Shapes of stages.
const (
	ConstantRate Shape = "constant"
	RampRate     Shape = "ramp"
	StepRate     Shape = "steps"
	PoissonRate  Shape = "poisson"
	SpikeRate    Shape = "spike"
)

func (Shape) choices() []string { return []string{"constant", "ramp", "steps", "poisson", "spike"} }

// Stage is a time with a rate of arrivals.
type Stage struct {
	Shape Shape         `yaml:"shape" default:"constant" doc:"constant: evenly at rate. ramp: in a straight line from from to to. steps: from from to to by step, each for every. poisson: each by itself, at rate on the average. spike: at rate, in the middle of the stage at peak for hold."`
	Rate  ArrivalRate   `yaml:"rate" doc:"Of constant, poisson and spike: 50/s, 3000/min."`
	From  ArrivalRate   `yaml:"from" doc:"Of ramp and steps: the first rate; missing: 0, or of steps: step."`
	To    ArrivalRate   `yaml:"to" doc:"Of ramp and steps: the last rate."`
	Step  ArrivalRate   `yaml:"step" doc:"Of steps: by how much the rate changes."`
	Every time.Duration `yaml:"every" max:"24h" doc:"Of steps: how long each lasts."`
	Peak  ArrivalRate   `yaml:"peak" doc:"Of spike: the rate of its middle."`
	Hold  time.Duration `yaml:"hold" max:"24h" doc:"Of spike: how long the peak lasts."`
	For   time.Duration `yaml:"for" max:"24h" doc:"How long the stage lasts; of steps: follows."`
}

// Rates are the values that the stage's rate stays at, for steps.
func (s Stage) Rates() (rates []float64) {
	from, to, step := s.first(), float64(s.To), float64(s.Step)
	if to < from {
		step = -step
	}
	for i := range int(s.steps()) {
		rates = append(rates, from+float64(i)*step)
	}
	return rates
}

// first is the stage's rate at its begin.
func (s Stage) first() float64 {
	switch {
	case s.Shape == RampRate, s.Shape == StepRate && s.From > 0:
		return float64(s.From)
	case s.Shape == StepRate:
		return float64(s.Step)
	}
	return float64(s.Rate)
}

// steps is how many rates a stage of steps has. It may be more than an int holds.
func (s Stage) steps() float64 {
	return 1 + math.Floor(math.Abs(float64(s.To)-s.first())/float64(s.Step)+1e-9)
}

// Length is how long the stage lasts.
func (s Stage) Length() time.Duration {
	if s.Shape == StepRate && s.Step > 0 {
		return time.Duration(len(s.Rates())) * s.Every
	}
	return s.For
}

// ArrivalRate is in arrivals a second: "50/s", "3000/min", "1.5".
type ArrivalRate float64

// MaxRate is the highest rate that a stage may have, in arrivals a second.
const MaxRate = 1e6

var rateUnits = map[string]float64{"": 1, "/s": 1, "/sec": 1, "/second": 1, "/m": 1. / 60, "/min": 1. / 60, "/minute": 1. / 60, "/h": 1. / 3600, "/hour": 1. / 3600}

// String is the form that UnmarshalText reads.
func (r ArrivalRate) String() string { return strconv.FormatFloat(float64(r), 'g', -1, 64) + "/s" }

// MarshalText is String.
func (r ArrivalRate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a rate.
func (r *ArrivalRate) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	digits, unit := text, ""
	if i := strings.IndexByte(text, '/'); i >= 0 {
		digits, unit = strings.TrimSpace(text[:i]), "/"+strings.TrimSpace(text[i+1:])
	}
	factor, ok := rateUnits[unit]
	v, err := strconv.ParseFloat(digits, 64)
	switch {
	case !ok || err != nil || math.IsNaN(v):
		return fmt.Errorf("%q is no rate; write one such as 50/s or 3000/min", b)
	case v < 0:
		return fmt.Errorf("%q: a rate can't be negative", b)
	case v*factor > MaxRate:
		return fmt.Errorf("%q is more than %.0f/s, which no machine asks for", b, float64(MaxRate))
	}
	*r = ArrivalRate(v * factor)
	return nil
}

// ClosedLoop is a load by so many PCs at once.
type ClosedLoop struct {
	Devices int           `yaml:"devices" need:"yes" min:"1" max:"1000000" doc:"PCs that are under way at any time."`
	For     time.Duration `yaml:"for" need:"yes" max:"24h" doc:"How long."`
	Think   time.Duration `yaml:"think" max:"1h" doc:"Pause of each between two goes."`
}

// Misbehaving is which part of the PCs does what they must not.
type Misbehaving struct {
	WrongEK    Share `yaml:"wrongEK" doc:"They show the endorsement certificate of another TPM."`
	Replay     Share `yaml:"replay" doc:"They answer a challenge with the answer to an earlier one."`
	SlowReader Share `yaml:"slowReader" doc:"They take in the answer slowly."`
	Dropped    Share `yaml:"dropped" doc:"They break off half way."`
}

// Kinds of misbehaviour.
const (
	BadWrongEK    = "wrongEK"
	BadReplay     = "replay"
	BadSlowReader = "slowReader"
	BadDropped    = "dropped"
)

// Shares are the kinds with their parts of the PCs, those above 0.
func (m Misbehaving) Shares() (kinds []string, shares []float64) {
	for _, x := range []struct {
		kind  string
		share Share
	}{{BadWrongEK, m.WrongEK}, {BadReplay, m.Replay}, {BadSlowReader, m.SlowReader}, {BadDropped, m.Dropped}} {
		if x.share > 0 {
			kinds, shares = append(kinds, x.kind), append(shares, float64(x.share))
		}
	}
	return kinds, shares
}

// LoadThresholds are a list of texts, or of mappings with expr.
type LoadThresholds []LoadThreshold

// LoadThreshold is one thing that a load must keep.
type LoadThreshold struct {
	Expr  string        `yaml:"expr" need:"yes" doc:"STEP.STAT OPERATOR VALUE."`
	Abort bool          `yaml:"abortOnFail" doc:"The load ends as soon as it is missed."`
	After time.Duration `yaml:"after" default:"10s" doc:"With abortOnFail: not before this much is measured."`
}

// loadThreshold has the tags only.
type loadThreshold LoadThreshold

func (t *LoadThreshold) decodeNode(d *decoder, n *node, path string) {
	switch n.kind {
	case kindString:
		*t = LoadThreshold{Expr: n.text, After: 10 * time.Second}
		d.places[path+".expr"] = place{n.line, n.col}
	case kindMap:
		d.value(n, addressed((*loadThreshold)(t)), path)
	default:
		d.wrongType(n, path, "a text such as aik.p99 < 200ms, or a mapping with expr")
	}
}

// LoadTarget is a service that is not in this process.
type LoadTarget struct {
	Hosts       LoadHosts `yaml:"hosts" doc:"Where names are served: by name, *.suffix or *, HOST:PORT. Names that are not here stay in this process."`
	CA          string    `yaml:"ca" doc:"File with the certificates that its TLS certificates are to be below, PEM."`
	Trust       string    `yaml:"trust" doc:"File with roots that PCs trust as well, such as the AIK service's, PEM."`
	Application string    `yaml:"application" doc:"Client id of the application that PCs are registered with."`
	Secret      string    `yaml:"secret" doc:"Its secret."`
	Registered  bool      `yaml:"registered" doc:"The PCs are registered there already."`
}

// LoadDevices is how many PCs a load has.
func (s *Scenario) LoadDevices() int {
	if s.Load != nil && s.Load.Devices > 0 {
		return s.Load.Devices
	}
	return s.Fleet.Count()
}

// LoadHosts are names with the addresses at which they are served; the first
// that fits a name counts.
type LoadHosts []LoadHost

// LoadHost is where a name is served.
type LoadHost struct{ Name, Address string }

// decodeNode reads a mapping of names.
func (h *LoadHosts) decodeNode(d *decoder, n *node, path string) {
	if n.kind != kindMap {
		d.wrongType(n, path, "names with HOST:PORT")
		return
	}
	for i, p := range n.pairs {
		d.places[fmt.Sprintf("%s[%d]", path, i)] = place{p.line, p.col}
		if p.value.kind != kindString {
			d.wrongType(p.value, path+"."+p.key, "HOST:PORT")
			continue
		}
		*h = append(*h, LoadHost{p.key, p.value.text})
	}
}

func (h LoadHosts) tree() any {
	m := mapping{}
	for _, x := range h {
		m = append(m, entry{x.Name, x.Address})
	}
	return m
}
