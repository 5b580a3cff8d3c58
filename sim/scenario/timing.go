package scenario

import (
	"maps"
	"slices"

	"windtunnel.test/sim/timing"
)

// Timing chooses a timing profile and changes single values of it.
type Timing struct {
	Profile   string   `yaml:"profile" default:"windows" doc:"windows: figures of Windows and Microsoft's services. fast: the same order of things with short waits. load: what no protocol hangs on takes no time, for load tests."`
	Overrides Settings `yaml:"overrides" doc:"Values of the profile by their path: esp.timeout: 90m"`
	Switches  Settings `yaml:"switches" doc:"Behaviours on which sources disagree, by their path: reseal.unjoinsEntra: true"`
}

// Settings are values by dotted path: text, int64, float64 or bool. In a file
// groups may be mappings of their own.
type Settings map[string]any

func (s Settings) paths() []string { return slices.Sorted(maps.Keys(s)) }

// NewProfile makes the timing profile. It cannot fail for a scenario that was loaded.
func (t Timing) NewProfile() (*timing.Profile, error) {
	p, err := timing.Load(t.Profile)
	if err != nil {
		return nil, err
	}
	if err := p.Override(t.Overrides); err != nil {
		return nil, err
	}
	return p, p.Override(t.Switches)
}
