package pcs

import (
	"context"
	"fmt"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// haste lets what people and installers wait for pass at once.
const haste = 1e12

// makeWorld makes the world, its PCs, and who handles each.
func (p *Pool) makeWorld(s *scenario.Scenario, o Options) error {
	clock := o.Clock
	if clock == nil {
		clock = vclock.NewWall()
	}
	web := o.Web
	if web == nil {
		var err error
		if web, err = pki.NewRoot(clock.Now(), 0, "Windtunnel Web Root", pki.Options{}); err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	paced := s.Timing
	paced.Profile = timing.ForLoad
	profile, err := paced.NewProfile()
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	world, err := sim.NewLive(sim.LiveOptions{
		Scenario: s, Clock: clock, Timing: profile, Pace: profile, Lab: o.Lab, Web: web, Haste: haste,
		Idle: true, Quiet: true, Program: p.program, Watch: p.heard, Exchanged: p.exchanged,
	})
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	p.World = world
	p.ctx, p.end = clock.WithCancel(context.Background())
	p.admins = vclock.NewQueue[*sim.Administrator](clock, "administrators", 0)
	p.menders = clock.NewSemaphore("who restore PCs", atOnce())
	p.deal(o)
	return nil
}

// deal gives each PC its scope, scopes in turn, so that a fleet of several
// groups is in each of them.
func (p *Pool) deal(o Options) {
	stories := p.World.Stories()
	all, shares := scopes(), o.shares(len(stories))
	for name := range shares {
		s := all[name]
		s.free = &free{queue: vclock.NewQueue[*member](p.World.Clock, "PCs ready for "+name, 0)}
		p.scopes[name] = s
	}
	turn := interleave(shares, all)
	for i, story := range stories {
		s := turn[i]
		s.free.alive.Add(1)
		m := &member{pool: p, at: i, scope: s, story: story, dev: story.PC()}
		m.booted = vclock.NewQueue[*device.Windows](p.World.Clock, "boots of "+story.Name, 0)
		m.technician = p.World.NewTechnician("technician of "+story.Name, sim.Technician{})
		p.members = append(p.members, m)
		p.byName[story.Name] = m
	}
}

// interleave lists the scopes, each as often as its share, spread evenly.
func interleave(shares map[string]int, all map[string]*scope) []*scope {
	total := 0
	for _, n := range shares {
		total += n
	}
	turn := make([]*scope, 0, total)
	given := map[string]int{}
	for i := range total {
		var next string
		most := -1.0
		for _, name := range Scopes() {
			if n := shares[name]; n > given[name] {
				if behind := float64(n)*float64(i+1)/float64(total) - float64(given[name]); behind > most {
					next, most = name, behind
				}
			}
		}
		given[next]++
		turn = append(turn, all[next])
	}
	return turn
}
