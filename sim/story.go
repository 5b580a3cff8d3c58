package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/installer"
)

// Story is one PC and what is planned for it. Zero members leave a part out: a
// PC without Technician is unpacked by its user as it came from the maker, one
// without User ends resealed.
type Story struct {
	Name         string
	Hardware     device.Hardware
	Installation device.Installation
	Protection   device.Protection
	Chip         vtpm.ChipID // zero: no TPM
	TPMState     vtpm.State  // that the chip is in when the PC comes
	RTC          device.RTC
	Packages     map[string][]byte         // provisioning packages of the maker, by file name
	Image        []installer.RegistryValue // values of the maker's image
	FreeSpace    int64                     // bytes on the disk; 0: what the disk has beside Windows
	GroupTag     string
	AssignedUser string // registered with the PC
	Unregistered bool   // never imported into the tenant
	Hasty        bool   // begins once its hash is imported, whether a profile is assigned or not

	Bench      string // site where it is pre-provisioned
	Technician *Crew
	Home       string // site where its user starts it
	User       *User
	// Arrives is when the PC comes to the bench or, without one, to its user,
	// once it is registered; nil: at once.
	Arrives func(registered time.Time) time.Time
	// Unpacked is when its user switches it on, once it is resealed; nil: at
	// once.
	Unpacked func(resealed time.Time) time.Time

	pc   *device.PC
	left bool // its PC's remains were taken
	over bool // it has ended
}

// AddPC builds a story's PC: hardware, a TPM chip from the lab, a network card
// at its first site, and Windows as the maker leaves it.
func (w *World) AddPC(s Story) (*device.PC, error) {
	place := s.Bench
	if s.Technician == nil {
		place = s.Home
	}
	site := w.Sites[place]
	if site == nil {
		return nil, fmt.Errorf("PC %s: no site %q", s.Name, place)
	}
	seed := w.Seed.Derive("pc", s.Name)
	var chip *vtpm.Chip
	if s.Chip != (vtpm.ChipID{}) {
		var err error
		if chip, err = w.deal(s); err != nil {
			return nil, fmt.Errorf("PC %s: %w", s.Name, err)
		}
	}
	story := s
	nic := w.Network.Attach(vnet.NICOptions{
		Device: s.Name, Site: site, Roots: w.trusted, Now: func() time.Time { return story.pc.FirmwareTime() }, Harm: func(a fault.Action) { story.pc.Suffer(a) },
	})
	story.pc = device.New(device.Options{
		Name: s.Name, Hardware: s.Hardware, Installation: s.Installation, Protection: s.Protection, Chip: chip, NIC: nic, RTC: s.RTC, Clock: w.Clock, Seed: seed,
		Journal: w.Journal, Faults: w.Faults, Timing: w.options.Pace, Roots: w.roots, Program: w.program(s.Name), Packages: s.Packages, Image: s.Image, FreeSpace: s.FreeSpace,
		History: w.history(s.Name), Collector: collector, Stick: w.stick(), Watch: w.watcher(s.Name),
	})
	if _, err := story.pc.HardwareHash(w.Clock.Now()); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.PCs = append(w.PCs, story.pc)
	w.stories = append(w.stories, &story)
	w.ends = append(w.ends, &End{Device: s.Name, Serial: s.Hardware.Serial, Outcome: Unfinished})
	w.mu.Unlock()
	w.Journal.Record(s.Name, "device.made", journal.F("serial", s.Hardware.Serial), journal.F("model", s.Hardware.Manufacturer+" "+s.Hardware.Model), journal.F("tpm", s.Chip.Model))
	return story.pc, nil
}

// program is what a PC boots.
func (w *World) program(name string) device.Program {
	if w.options.Program != nil {
		if p := w.options.Program(name); p != nil {
			return p
		}
	}
	return oobe.Program
}

// Start lets every story begin, once an administrator's import has put all PCs
// into the tenant.
func (w *World) Start(ctx context.Context) {
	w.mu.Lock()
	stories, ends := slices.Clone(w.stories), slices.Clone(w.ends)
	w.going += 1 + len(stories)
	w.mu.Unlock()
	w.Clock.Go(ctx, "administrator", func(ctx context.Context) {
		begin := func(hasty bool) {
			for i, s := range stories {
				if s.Hasty != hasty {
					continue
				}
				w.Clock.Go(ctx, "story of "+s.Name, func(ctx context.Context) {
					w.live(ctx, s, ends[i])
					w.leave(s)
					w.storyOver(s)
				})
			}
		}
		if err := w.register(ctx, func() { begin(true) }); err != nil {
			w.Journal.Record("", "registration.failed", journal.F("error", err.Error()))
		}
		begin(false)
		w.isThrough()
	})
}

// watcher hears of a PC's events.
func (w *World) watcher(name string) func(kind string) {
	if w.options.Watch == nil {
		return nil
	}
	return func(kind string) { w.options.Watch(name, kind) }
}

// Stories are what is planned for the PCs, in the order in which they were
// added.
func (w *World) Stories() []Story {
	w.mu.Lock()
	defer w.mu.Unlock()
	stories := make([]Story, len(w.stories))
	for i, s := range w.stories {
		stories[i] = *s
	}
	return stories
}

// PC is the story's.
func (s *Story) PC() *device.PC { return s.pc }

// isThrough counts one story less that goes on.
func (w *World) isThrough() { w.storyOver(&Story{}) }

func (w *World) storyOver(s *Story) {
	w.through.Change(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		s.over = true
		w.going--
	})
}

// live is one PC's way through other people's hands.
func (w *World) live(ctx context.Context, s *Story, end *End) {
	if w.until(ctx, s, s.Arrives, " is on its way") != nil {
		return
	}
	if s.Technician != nil {
		if err := w.atBench(ctx, s); err != nil {
			w.settle(ctx, s, end, err)
			return
		}
		w.outcome(end, Resealed)
	}
	if s.User == nil {
		w.Journal.Record(s.Name, "story.ended", journal.F("outcome", end.Outcome))
		w.ended(ctx, s, end)
		return
	}
	begin := w.Clock.Now()
	if s.Technician != nil {
		if w.until(ctx, s, s.Unpacked, " is on the shelf") != nil {
			return
		}
		w.phase(s.Name, "shelf", begin)
	}
	s.pc.NIC.Move(w.Sites[s.Home])
	begin = w.Clock.Now()
	s.User.desktop = func() {
		w.phase(s.Name, "user", begin)
		w.outcome(end, Desktop)
	}
	if err := s.User.Unpack(ctx, s.pc); err != nil && end.Outcome != Desktop {
		w.settle(ctx, s, end, err)
		return
	}
	w.ended(ctx, s, end)
}

// ended shows a PC at the end of its story to whoever looks.
func (w *World) ended(ctx context.Context, s *Story, end *End) {
	if w.options.Ended != nil {
		w.options.Ended(ctx, w, s.pc, *end)
	}
}

// until sleeps until the moment that when makes of now. The PC, which is off,
// is older by all of that wait, however fast it passes: otherwise the token that
// the technician's last sync left behind would still be good, and its user would
// sign in as if within Microsoft's 90 minutes of the reseal.
func (w *World) until(ctx context.Context, s *Story, when func(time.Time) time.Time, tag string) error {
	if when == nil {
		return nil
	}
	now := w.Clock.Now()
	wait := when(now).Sub(now)
	taken := w.hurried(wait)
	if err := w.Clock.Sleep(ctx, taken, s.Name+tag); err != nil {
		return err
	}
	join.Age(s.pc.Disk, wait-taken)
	return nil
}

// hurried is how long a wait takes that no protocol hangs on.
func (w *World) hurried(d time.Duration) time.Duration {
	if w.options.Haste == 0 {
		return d
	}
	return time.Duration(float64(d) / w.options.Haste)
}

// outcome notes how far a story has come. Only the story itself writes its end.
func (w *World) outcome(end *End, outcome string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	end.Outcome = outcome
}

// After is a moment so long after another.
func After(d time.Duration) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.Add(d) }
}

// atBench waits for a place at the bench and has the PC pre-provisioned there.
func (w *World) atBench(ctx context.Context, s *Story) error {
	arrived := w.Clock.Now()
	t, err := s.Technician.take(ctx)
	if err != nil {
		return err
	}
	defer s.Technician.leave(t)
	w.phase(s.Name, "queue", arrived)
	begin := w.Clock.Now()
	if err := t.Provision(ctx, s.pc); err != nil {
		return err
	}
	w.phase(s.Name, "technician", begin)
	return nil
}

// settle is the end of a story that did not go well: whoever was in front of
// the PC switches it off, unless the run itself is over.
func (w *World) settle(ctx context.Context, s *Story, end *End, err error) {
	if errors.Is(err, vclock.ErrStopped) {
		return
	}
	w.mu.Lock()
	end.failed(err)
	end.Check = w.checks[s.Name]
	w.mu.Unlock()
	w.Journal.Record(s.Name, "story.ended", journal.F("outcome", end.Outcome), journal.F("code", end.Code), journal.F("phase", end.Phase), journal.F("check", end.Check))
	w.ended(ctx, s, end)
	s.pc.CutPower()
}

// phase journals the end of a part of a PC's life and counts its duration.
func (w *World) phase(name, phase string, begin time.Time) {
	took := w.Clock.Now().Sub(begin)
	w.mu.Lock()
	w.phases.add(phase, took)
	w.mu.Unlock()
	w.Journal.Record(name, "phase.end", journal.F("phase", phase), journal.F("took", took))
}
