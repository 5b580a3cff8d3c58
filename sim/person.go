package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// person is what technician and user have in common: eyes, hands and patience.
// Whatever they do goes through the screen and the keys of a PC.
type person struct {
	name     string
	clock    vclock.Clock
	rand     *draws
	pace     timing.Range  // from seeing a screen to acting on it
	patience time.Duration // with a screen on which there is nothing to do
}

// draws is a person's stream. A technician who looks after several PCs draws for
// all of them from one.
type draws struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func (d *draws) from(r timing.Range) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return r.Draw(d.rand)
}

// errPatience ends a person's wait.
var errPatience = errors.New("out of patience")

// Stuck says that a person gave up in front of a screen that never went on.
type Stuck struct {
	Screen string // identifier of the screen
	Row    string // progress row that was being worked on, "" where the screen has none
	After  time.Duration
}

func (s *Stuck) Error() string {
	return fmt.Sprintf("stuck(%s, %s) after %s", s.Screen, s.Row, s.After)
}

// attention is a person's look at one PC: what was seen last, and since when
// it has been the same page.
type attention struct {
	*person
	pc    *device.PC
	seen  int // number of the screen that was acted on
	page  string
	since time.Time
	off   time.Time // when the PC first went off by itself; zero: never

	progress device.Screen // last page seen that only shows progress
}

func (p *person) look(pc *device.PC) *attention { return &attention{person: p, pc: pc} }

// next waits for a screen on which the person can do something and has not yet
// done it, or for the PC to be off, and then for as long as a person takes to
// act. A person who has waited too long, or been sent back to the same page
// for too long, gives up.
func (a *attention) next(ctx context.Context) (device.Screen, error) {
	begin := a.clock.Now()
	wait, cancel := a.clock.WithTimeout(ctx, a.patience, errPatience)
	s, err := a.pc.AwaitScreen(wait, func(s device.Screen) bool {
		if len(s.Buttons) == 0 && len(s.Rows) > 0 {
			a.progress = s
		}
		return s.ID == device.Off.ID || (len(s.Buttons) > 0 && s.Shown != a.seen)
	})
	cancel()
	if errors.Is(err, errPatience) {
		return s, a.stuck(s, a.clock.Now().Sub(begin))
	}
	if err != nil {
		return s, err
	}
	if s.ID != a.page {
		a.page, a.since = s.ID, begin
	}
	if again := a.clock.Now().Sub(a.since); again > a.patience {
		return s, a.stuck(s, again)
	}
	a.seen = s.Shown
	return s, a.clock.Sleep(ctx, a.rand.from(a.pace), a.name+" reads "+s.ID)
}

// stuck is what a person says who gives up. One who only ever unlocks the PC
// waits for what goes on behind the lock.
func (a *attention) stuck(s device.Screen, after time.Duration) *Stuck {
	if s.ID == oobe.ScreenLock {
		s = a.progress
	}
	return &Stuck{Screen: s.ID, Row: workingRow(s), After: after}
}

// restart switches a PC on again that went off by itself. A person to whom the
// same PC does that for longer than their patience lasts gives up.
func (a *attention) restart(ctx context.Context) error {
	now := a.clock.Now()
	if a.off.IsZero() {
		a.off = now
	}
	if after := now.Sub(a.off); after > a.patience {
		return &Stuck{Screen: device.Off.ID, After: after}
	}
	return a.pc.PowerOn(ctx)
}

// workingRow names the row that a progress page is waiting for: the first that
// is under way.
func workingRow(s device.Screen) string {
	for _, r := range s.Rows {
		if r.Working {
			return r.Name
		}
	}
	return ""
}

// act is one thing that a person does about a screen.
type act struct {
	button string
	typed  map[string]string
	key    string
	times  int
}

func press(button string) act { return act{button: button} }

func fill(button string, typed map[string]string) act { return act{button: button, typed: typed} }

func strike(key string, times int) act { return act{key: key, times: times} }

func (a act) do(ctx context.Context, pc *device.PC) error {
	if a.key != "" {
		return pc.Strike(ctx, a.key, a.times)
	}
	return pc.Press(ctx, a.button, a.typed)
}
