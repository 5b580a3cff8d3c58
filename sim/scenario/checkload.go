package scenario

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// load checks the load, if there is one.
func (c *checker) load() {
	l := c.s.Load
	if l == nil {
		return
	}
	c.mix(l)
	_, arrivals := c.places["load.arrivals"]
	switch {
	case len(l.Arrivals) > 0 && l.Closed != nil:
		c.wrong("load.closed", "a load is an open loop (arrivals) or a closed one, not both")
	case !arrivals && l.Closed == nil && !c.below("load"):
		c.wrong("load", "says nothing of how PCs arrive; add arrivals or closed")
	}
	c.notEmpty("load.arrivals", len(l.Arrivals))
	for i, s := range l.Arrivals {
		c.stage(fmt.Sprintf("load.arrivals[%d]", i), s)
	}
	if l.WarmUp > 0 && len(l.Arrivals) > 0 && l.Arrivals[0].first() == 0 && !c.below("load.arrivals") {
		c.wrong("load.warmUp", "nobody would come: it is at the first rate, and that is 0")
	}
	if n := c.s.LoadDevices(); n > 0 && n < len(l.Mix) {
		c.wrong("load.mix", "%d scopes for %d PCs; each needs one of its own; raise load.devices", len(l.Mix), n)
	}
	if l.Closed != nil && l.Closed.For == 0 && !c.below("load.closed.for") {
		c.wrong("load.closed", "for: how long? write a time such as 60s")
	}
	if l.Closed != nil && l.Closed.Devices > c.s.LoadDevices() && c.s.LoadDevices() > 0 {
		c.wrong("load.closed.devices", "%d PCs at once of %d that there are; raise load.devices", l.Closed.Devices, c.s.LoadDevices())
	}
	if l.Closed != nil && l.Unit == PerAttestation {
		c.wrong("load.unit", "a closed loop has no rate")
	}
	c.misbehaving(l)
	c.thresholds(l)
	c.loadTarget(l.Target)
}

func (c *checker) mix(l *LoadTest) {
	attests := false
	for i, w := range l.Mix {
		if !slices.Contains(Scopes(), w.Name) {
			c.wrong(fmt.Sprintf("load.mix[%d]", i), "there is no scope %q%s", w.Name, choose(w.Name, Scopes()))
		}
		attests = attests || Attests(w.Name)
		if slices.ContainsFunc(l.Mix[:i], func(o Weight) bool { return o.Name == w.Name }) {
			c.wrong(fmt.Sprintf("load.mix[%d]", i), "%s is there twice", w.Name)
		}
	}
	if l.Unit == PerAttestation && !attests && len(l.Mix) > 0 {
		c.wrong("load.unit", "no scope of the mix brings an attestation, so no rate brings so many")
	}
}

// maxSteps is how many rates a stage of steps may have.
const maxSteps = 1000

// stage checks that a stage has what its shape needs, and nothing else.
func (c *checker) stage(path string, s Stage) {
	if c.below(path) {
		return
	}
	used := map[Shape][]string{
		ConstantRate: {"rate", "for"}, RampRate: {"from", "to", "for"}, StepRate: {"from", "to", "step", "every"},
		PoissonRate: {"rate", "for"}, SpikeRate: {"rate", "peak", "hold", "for"},
	}[s.Shape]
	for _, key := range []string{"rate", "from", "to", "step", "every", "peak", "hold", "for"} {
		if _, given := c.places[path+"."+key]; given && !slices.Contains(used, key) {
			c.wrong(path+"."+key, "a stage of shape %s has no %s; it has %s", s.Shape, key, strings.Join(used, ", "))
		}
	}
	need := func(key string, ok bool, example string) {
		if ok {
			return
		}
		if _, given := c.places[path+"."+key]; given {
			c.wrong(path+"."+key, "is nothing; write one such as %s", example)
		} else {
			c.wrong(path, "a stage of shape %s needs %s, such as %s", s.Shape, key, example)
		}
	}
	switch s.Shape {
	case ConstantRate, PoissonRate:
		need("rate", s.Rate > 0, "50/s")
		need("for", s.For > 0, "60s")
	case RampRate:
		need("to", s.To > 0 || s.From > 0, "50/s")
		need("for", s.For > 0, "60s")
	case StepRate:
		need("to", s.To > 0, "50/s")
		need("step", s.Step > 0, "10/s")
		need("every", s.Every > 0, "10s")
		switch {
		case s.Step == 0 || s.To == 0:
		case s.steps() > maxSteps:
			c.wrong(path+".step", "makes more than %d steps", maxSteps)
		case s.steps() < 2:
			c.wrong(path+".step", "%s is no part of the way from %s to %s", s.Step, ArrivalRate(s.first()), s.To)
		}
	case SpikeRate:
		need("peak", s.Peak > 0, "200/s")
		need("hold", s.Hold > 0, "5s")
		need("for", s.For > 0, "60s")
		if s.Hold > s.For && s.For > 0 {
			c.wrong(path+".hold", "the peak lasts longer than the stage")
		}
		if s.Peak > 0 && s.Peak <= s.Rate {
			c.wrong(path+".peak", "%s is no more than the rate around it, %s", s.Peak, s.Rate)
		}
	}
}

func (c *checker) misbehaving(l *LoadTest) {
	kinds, shares := l.Misbehaving.Shares()
	sum := 0.0
	for i, kind := range kinds {
		sum += shares[i]
		if !slices.ContainsFunc(l.Mix, func(w Weight) bool { return w.Name == ScopeAIK }) {
			c.wrong("load.misbehaving."+kind, "only PCs in scope aik can; add it to the mix")
		}
	}
	if sum >= 1 {
		c.wrong("load.misbehaving", "nobody is left to be honest: the shares are %s together", percent(sum))
	}
}

func percent(v float64) string { return fmt.Sprintf("%.0f%%", v*100) }

func (c *checker) thresholds(l *LoadTest) {
	scopes, _ := l.Shares()
	for i, t := range l.Thresholds {
		path := fmt.Sprintf("load.thresholds[%d].expr", i)
		if strings.TrimSpace(t.Expr) == "" {
			if c.places[path] != (place{}) {
				c.wrong(path, "is empty; write one such as aik.p99 < 200ms")
			}
			continue
		}
		if c.options.Threshold == nil {
			continue
		}
		if err := c.options.Threshold(t.Expr, scopes); err != nil {
			c.wrong(path, "%v", err)
		}
	}
}

func (c *checker) loadTarget(t *LoadTarget) {
	if t == nil {
		return
	}
	if len(t.Hosts) == 0 && !c.below("load.target") {
		c.wrong("load.target", "names no hosts; without a target the services of this process are loaded")
	}
	for i, h := range t.Hosts {
		path := fmt.Sprintf("load.target.hosts[%d]", i)
		if rest := strings.TrimPrefix(h.Name, "*."); h.Name != "*" && !domainName.MatchString(rest) {
			c.wrong(path, "%q is no name; write a host's, *.suffix or *", h.Name)
		}
		host, port, err := net.SplitHostPort(h.Address)
		if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || host == "" || n == 0 {
			c.wrong(path, "%q is no address; write HOST:PORT", h.Address)
		}
	}
	if (t.Application == "") != (t.Secret == "") {
		c.wrong("load.target", "application and secret go together")
	}
}
