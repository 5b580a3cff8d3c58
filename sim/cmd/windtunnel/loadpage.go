package main

import (
	"io"

	"windtunnel.test/sim/load/page"
)

// page writes the report: with curves of the scopes, and of steps where there
// are not too many to look at.
func (p *performed) page(w io.Writer) error {
	const most = 12
	var scopes, steps []string
	for _, f := range p.Steps {
		switch {
		case f.Bad != "":
		case f.Scope:
			scopes = append(scopes, f.Name)
		default:
			steps = append(steps, f.Name)
		}
	}
	names := append(scopes, steps[:min(len(steps), max(0, most-len(scopes)))]...)
	return page.Write(w, page.Data{Summary: p.Summary, Seconds: p.seconds, Curves: page.Curves(p.recorder, names)})
}
