package bench_promises

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// How the thousand are dealt: as many worlds as a scenario with cells of 100
// would have. There are images for 200 chips only, since a thousand would take
// minutes to make; each is dealt in five worlds, which know nothing of each
// other. What a chip takes of memory does not depend on its number.
const (
	parkedCells = 10
	parkedEach  = 100
	parked      = parkedCells * parkedEach
)

// A thousand PCs go through the technician flow, are resealed and switched
// off, and lie on the shelf, each with a user who will unpack it in a year.
// What is counted is all that the process holds for them: disks, chips, the
// services' records, timelines, and actors. Then six months go by.
func BenchmarkPromiseThousandParked(b *testing.B) {
	twoCores(b)
	s := fleet(b)
	for range b.N {
		lab := openLab(b)
		if err := lab.Build(b.Context(), chipIDs(s), nil); err != nil {
			b.Fatal(err)
		}
		warmUp(b, s, lab)
		before := resident(b)
		worlds := make([]*sim.World, parkedCells)
		for n := range worlds {
			worlds[n] = park(b, s, lab, n)
		}
		each := (resident(b) - before) / parked
		board.Hold(b, promise.Promise{Text: "1000 devices parked, each", Unit: "KB", Measured: each / 1000, Limit: 150})

		events := scheduled(worlds)
		begin := time.Now()
		for _, w := range worlds {
			now := w.Clock.Now()
			if err := w.Run(b.Context(), now.AddDate(0, 6, 0)); err != nil {
				b.Fatal(err)
			}
			if went := w.Clock.Now().Sub(now); went < 180*24*time.Hour {
				b.Errorf("only %s went by", went)
			}
		}
		took := time.Since(begin)
		board.Hold(b, promise.Promise{Text: "six months over 1000 devices that are off", Unit: "s", Measured: took.Seconds(), Limit: 1})
		board.Note("six months over 1000 devices and an idle tenant: %d scheduler events", scheduled(worlds)-events)
		for _, w := range worlds {
			if err := w.Close(); err != nil {
				b.Error(err)
			}
		}
		closeLab(b, lab)
	}
}

// chipIDs are the chips of the built-in fleet, whose images are there once the
// benchmark of its cold run is through.
func chipIDs(s *scenario.Scenario) []vtpm.ChipID {
	var ids []vtpm.ChipID
	for _, d := range s.Devices() {
		ids = append(ids, vtpm.ChipID{Model: d.TPM, N: d.Chip})
	}
	return ids
}

// warmUp lets one PC live, so that what the process keeps once for all (key
// pools, parsed tables, buffers) is not counted as the devices'.
func warmUp(b *testing.B, s *scenario.Scenario, lab *vtpm.Lab) {
	b.Helper()
	w := cell(b, s, lab, parkedCells, 1)
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

func park(b *testing.B, s *scenario.Scenario, lab *vtpm.Lab, n int) *sim.World {
	b.Helper()
	return cell(b, s, lab, n, parkedEach)
}

// cell makes a world of so many PCs and runs it until all of them are resealed
// and off.
func cell(b *testing.B, s *scenario.Scenario, lab *vtpm.Lab, n, count int) *sim.World {
	b.Helper()
	w, err := sim.NewWorld(sim.Options{Tenant: s.Tenant, Start: s.Start, Seed: s.Seed.Derive("parked", fmt.Sprint(n)), Lab: lab})
	if err != nil {
		b.Fatal(err)
	}
	for _, site := range s.Sites {
		if err := w.AddSite(site.Config(nil)); err != nil {
			b.Fatal(err)
		}
	}
	crew := w.Hire("OEM bench", 8, 8, sim.Technician{})
	users, ids := s.Tenant.AllUsers(), chipIDs(s)
	for i := range count {
		name := fmt.Sprintf("PC-%03d", i)
		user := users[i%len(users)]
		if _, err := w.AddPC(sim.Story{
			Name: name, Hardware: device.Makes[i%2].Build(w.Seed.Stream("hardware", name)), Chip: ids[(n*count+i)%len(ids)],
			Installation: device.Installation{Build: "26200.6584", Edition: "Pro"},
			Bench:        "OEM bench", Technician: crew, Home: "home",
			User:     w.NewUser(sim.User{UPN: user.UserPrincipalName, Password: user.Password, Language: "en-US"}),
			Unpacked: sim.After(365 * 24 * time.Hour),
		}); err != nil {
			b.Fatal(err)
		}
	}
	w.Start(context.Background())
	if err := w.Run(b.Context(), s.Start.AddDate(0, 0, 7)); err != nil {
		b.Fatal(err)
	}
	for _, pc := range w.PCs {
		resealed := slices.ContainsFunc(w.Timeline.Timeline(pc.Name), func(e journal.Event) bool { return e.Kind == "device.resealed" })
		if !resealed || pc.On() {
			b.Fatalf("%s is not resealed and off:\n%s", pc.Name, pc.Screen())
		}
	}
	return w
}

func scheduled(worlds []*sim.World) (n uint64) {
	for _, w := range worlds {
		n += w.Virtual().Stats().Events
	}
	return n
}
