package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/load/figure"
	fleetpool "windtunnel.test/sim/load/pcs"
	"windtunnel.test/sim/load/target"
	"windtunnel.test/sim/scenario"
)

// aim is what is loaded.
type aim struct {
	at  *target.Target // nil: the services of this process
	own bool           // a windtunnel serve is to be started
}

// loadProfile is the timing of services under load, in this process and in
// others.
const loadProfile = "load"

// find reads what flags and scenario say of the target.
func (a *aim) find(f *loadFlags, s *scenario.Scenario) (err error) {
	a.at, a.own, err = target.Parse(target.Options{Flags: f.target, CA: f.ca, Owned: f.own, File: s.Load.Target})
	return asInput(err)
}

// take has the target started, where it is ours, and looked at.
func (a *aim) take(sh *shell, s *scenario.Scenario) (err error) {
	if a.own {
		paced := *s
		paced.Timing.Profile = loadProfile // what is measured is not what people and installers wait for
		paced.Tenant.Apps = slices.Clone(s.Tenant.Apps)
		for i := range paced.Tenant.Apps {
			paced.Tenant.Apps[i].Windtunnel.Duration = time.Millisecond
		}
		text, err := scenario.Marshal(&paced, "")
		if err != nil {
			return fmt.Errorf("resolved scenario: %w", err)
		}
		if a.at, err = target.Serve(sh.ctx, target.ServeOptions{Scenario: text}); err != nil {
			return err
		}
	}
	return asInput(a.at.Check(sh.ctx))
}

// asInput marks what is wrong with what the person gave us.
func asInput(err error) error {
	var wrong *target.InputError
	if errors.As(err, &wrong) {
		return inputErrorf("load: %w", wrong)
	}
	return err
}

// pool is the target as the PCs take it.
func (a *aim) pool() fleetpool.Target {
	if a.at == nil {
		return nil
	}
	return a.at
}

func (a *aim) String() string { return a.at.String() }

// used is what the target's process has used since; nil where it is not ours.
func (a *aim) used(before *figure.Process) *figure.Process {
	now := a.at.Use()
	if now != nil && before != nil {
		now.CPUSeconds -= before.CPUSeconds
	}
	return now
}

func (a *aim) close() error { return a.at.Close() }
