package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/load/export"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/scenario"
)

// sendLimit is how long what waits for a collector may take at the end.
const sendLimit = 5 * time.Second

// ears are who listens to a load from outside.
type ears struct {
	prometheus *export.Prometheus // nil: nobody scrapes
	traces     *export.Traces     // nil: nobody collects
	tell       func(string)
}

// listen opens what flags ask for.
func (e *ears) listen(sh *shell, f *loadFlags, s *scenario.Scenario) (err error) {
	e.tell = func(line string) {
		if !sh.json {
			fmt.Fprintln(sh.err, line)
		}
	}
	if f.prometheus != "" {
		if e.prometheus, err = export.Listen(f.prometheus); err != nil {
			return inputErrorf("load: --prometheus: %w", err)
		}
		e.tell("figures for Prometheus: " + e.prometheus.URL())
	}
	if f.otlp != "" {
		// It outlives Ctrl-C, to send what came until then.
		e.traces, err = export.Trace(context.WithoutCancel(sh.ctx), export.Options{
			Endpoint: f.otlp, Scenario: s.Name, Build: build(), Seed: uint64(s.Seed),
			Told: func(err error) { e.tell("windtunnel: --otlp: " + err.Error()) },
		})
		if err != nil {
			return inputErrorf("load: --otlp: %w", err)
		}
	}
	return nil
}

func (e *ears) second(s figure.Second) {
	if e.prometheus != nil {
		e.prometheus.Second(s)
	}
	if e.traces != nil {
		e.traces.Second(s)
	}
}

func (e *ears) arrival(a figure.Arrival) {
	if e.prometheus != nil {
		e.prometheus.Arrival(a)
	}
	if e.traces != nil {
		e.traces.Arrival(a)
	}
}

// close takes leave of them, and says what became of traces.
func (e *ears) close() error {
	ctx, done := context.WithTimeout(context.Background(), sendLimit)
	defer done()
	var errs []error
	if e.traces != nil {
		counts, err := e.traces.Close(ctx)
		if err != nil {
			e.tell(fmt.Sprintf("windtunnel: --otlp: %v", err)) // the load is no worse for it
		}
		e.tell("--otlp: " + counts.String())
	}
	if e.prometheus != nil {
		errs = append(errs, e.prometheus.Close(ctx))
	}
	return errors.Join(errs...)
}
