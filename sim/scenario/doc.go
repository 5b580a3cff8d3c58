// Package scenario is the scenario file: what a run consists of, as YAML that
// people write and as Go values that a world is built from.
//
//	s, problems := scenario.Load("office.yaml", data, scenario.Options{})
//	if len(problems) > 0 {
//		return problems.Err() // FILE:LINE:COL: message, all mistakes at once
//	}
//	s, problems = s.Resolve(scenario.Flags{Devices: 10})
//	for _, pc := range s.Devices() { ... }
//
// Keys of our own are strict: an unknown one, a wrong type or an impossible
// number is a mistake with its place. Objects of the tenant are Microsoft Graph
// resources, as types of sim/wire/graph, so that an export can be pasted in: a
// list or {"value": [...]}, annotations and read-only members included. What a
// resource has beyond what is modelled is listed in NotModelled. JSON is read
// as the YAML that it is.
//
// The Go types carry the whole definition of the file in their tags: key,
// meaning, default, limits. Decoder, encoder and JSON Schema walk the same
// tags, so that they cannot disagree. Marshal writes what Load reads back as
// the same scenario; a replay depends on it.
//
// The package builds nothing and knows no device: a world is made elsewhere,
// and so are the figures that Expectations are held against.
package scenario
