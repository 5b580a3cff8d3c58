package vtpm

import "time"

// Duration is a figure with its provenance.
type Duration struct {
	Value  time.Duration `yaml:"value"`
	Source string        `yaml:"source"`
	Mark   string        `yaml:"mark"` // documented, observed, community, assumed
}

// Latency says how long one command of each class takes in virtual time.
type Latency struct {
	Startup   Duration `yaml:"startup"`
	Light     Duration `yaml:"light"`
	NVRead    Duration `yaml:"nvRead"`
	NVWrite   Duration `yaml:"nvWrite"`
	Extend    Duration `yaml:"extend"`
	Load      Duration `yaml:"load"`
	Sign      Duration `yaml:"sign"`
	Decrypt   Duration `yaml:"decrypt"`
	CreateRSA Duration `yaml:"createRSA"`
	Clear     Duration `yaml:"clear"`
}
