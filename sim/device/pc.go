package device

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/installer"
)

// How a boot ends. A Program returns ErrReboot or ErrShutdown; the other two
// come to it as the cause of its context.
var (
	ErrReboot    = errors.New("Windows restarts")
	ErrShutdown  = errors.New("Windows shuts down")
	ErrPowerLost = errors.New("power lost")
	errBootOver  = errors.New("this boot is over")
)

// Program is what a PC runs once its firmware is done: it is called for every
// boot, finds on the disk where the last one stopped, and returns ErrReboot,
// ErrShutdown, or any error that follows from the loss of power. Another error
// is a stop screen: the PC stays on and does nothing more.
type Program func(w *Windows) error

// Installation says which Windows was put on the disk in the factory.
type Installation struct {
	Build   string `json:"build" yaml:"build"`     // "26100.4652"
	Edition string `json:"edition" yaml:"edition"` // "Pro", "Enterprise", "Education", "Home"
}

// Options are what a PC is made of. Chip may be nil: a PC without a TPM.
// Faults may be nil. Roots are the certificate authorities that Windows trusts
// out of the box.
type Options struct {
	Name         string
	Hardware     Hardware
	Installation Installation
	Protection   Protection
	Chip         *vtpm.Chip
	NIC          *vnet.NIC
	RTC          RTC
	Clock        vclock.Clock
	Seed         vclock.Seed // of this PC
	Journal      *journal.Journal
	Faults       *fault.Injector
	Timing       *timing.Profile
	Roots        *x509.CertPool
	Program      Program
	// Packages are the provisioning packages that the maker, or whoever prepared
	// the PC, left on the recovery partition, by file name. A wipe keeps them.
	Packages map[string][]byte
	// Image are the registry values that the maker's image brings. A wipe brings
	// them back.
	Image []installer.RegistryValue
	// FreeSpace is what is free on the disk at first, in bytes, because somebody
	// put something on it; 0: what the disk has beside Windows. A wipe takes that
	// off.
	FreeSpace int64

	// History gives the PC's own events of the journal back, oldest first, for
	// its logs; nil: nobody keeps them.
	History iter.Seq[journal.Event]
	// Collector makes the package that Windows' diagnostics tool collects: a
	// zip; nil: no such tool is on this PC.
	Collector func(w *Windows, out io.Writer) error
	// Watch hears of every event of the PC, by its kind, on the actor that it
	// happens to; nil: nobody does. It must not wait.
	Watch func(kind string)
	// Stick takes the files that somebody saves to a removable drive; nil:
	// nobody keeps them.
	Stick func(pc *PC, name string, content []byte)
}

// PC is the machine. Its methods may be called by any actor.
type PC struct {
	Options
	Disk *Disk

	dark atomic.Bool // the power has gone, or Windows goes down, and what ran has not all noticed yet

	mu            sync.Mutex
	rand          *rand.Rand // of this boot
	on            bool
	powerless     bool // the power has gone
	unclean       bool // the last life ended with the power
	boots         int
	events        int
	cut           context.CancelCauseFunc // takes the power away; nil until the PC has begun to live
	screen        Screen
	inputs        *vclock.Queue[Input]
	screenChanged vclock.Cond
	measured      *measuredBoot // of the last boot; nil: none
	cover         *Cover
	shown         int       // screens so far
	touched       time.Time // when somebody last pressed something
	installing    []string  // products whose packages have Windows Installer's lock
	tracked       string    // the one of them that the status page waits for as an app
}

// New makes a PC that is off, with a disk as it leaves the factory.
func New(o Options) *PC {
	if o.RTC.Set.IsZero() {
		o.RTC.Set = o.Clock.Now()
	}
	pc := &PC{Options: o, Disk: newDisk(o.Hardware.DiskBytes), screen: Off, screenChanged: o.Clock.NewCond("screen of " + o.Name)}
	if o.FreeSpace > 0 {
		pc.Disk.Free = min(pc.Disk.Free, o.FreeSpace)
	}
	pc.Disk.standOn(&pc.dark)
	pc.leavePackages()
	pc.NIC.Down()
	pc.fitChip()
	return pc
}

// On tells whether the PC has power.
func (pc *PC) On() bool {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.on
}

// WentDark tells whether the PC's power has gone without anybody shutting
// Windows down, which everybody who is there sees. It holds until the PC is
// switched on again.
func (pc *PC) WentDark() bool {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.powerless || pc.unclean
}

// Boots tells how often the PC was booted.
func (pc *PC) Boots() int {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.boots
}

// FirmwareTime is what the PC's own clock shows.
func (pc *PC) FirmwareTime() time.Time {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.RTC.Read(pc.Clock.Now())
}

// SetFirmwareTime sets the PC's own clock, as a time service does.
func (pc *PC) SetFirmwareTime(shown time.Time) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.RTC.Adjust(pc.Clock.Now(), shown)
}

// PowerOn presses the power button of a PC that is off. The PC lives on as an
// actor of its own below ctx until it is shut down or loses power.
func (pc *PC) PowerOn(ctx context.Context) error {
	pc.mu.Lock()
	if pc.on || pc.screen.ID != Off.ID {
		pc.mu.Unlock()
		return fmt.Errorf("power on %s: it is on already", pc.Name)
	}
	pc.on, pc.unclean = true, false
	pc.mu.Unlock()
	pc.screenChanged.Change(func() { // whoever looks from now on sees a PC that is on
		pc.mu.Lock()
		defer pc.mu.Unlock()
		pc.screen = Screen{ID: "dark", Title: "(starting)", Shown: pc.number()}
	})
	pc.Clock.Go(ctx, pc.Name, pc.live)
	return nil
}

// CutPower takes the power away: the running boot dies where it stands, and
// only the disk, the TPM's NV memory and the firmware clock survive. A PC that
// is off does not mind.
func (pc *PC) CutPower() {
	pc.mu.Lock()
	on, cut := pc.on, pc.cut
	if on {
		pc.powerless = true
		pc.dark.Store(true)
	}
	pc.mu.Unlock()
	if on && cut != nil {
		cut(ErrPowerLost)
	}
}

// live is the loop around boot.
func (pc *PC) live(ctx context.Context) {
	power, cut := pc.Clock.WithCancel(ctx)
	defer cut(errBootOver)
	pc.mu.Lock()
	pc.cut = cut
	pc.mu.Unlock()
	if pc.WentDark() { // it went before anything had begun
		cut(ErrPowerLost)
	}
	for {
		err := context.Cause(power)
		if err == nil {
			err = pc.boot(power)
		}
		if !errors.Is(err, ErrReboot) {
			pc.goOff(err)
			return
		}
		pc.Event("device.reboot")
	}
}

// goOff is the end of a life: nothing of it is kept that is not on the disk, in
// the TPM or in the firmware. Where the whole simulation was stopped nothing
// has happened to the PC.
func (pc *PC) goOff(why error) {
	pc.NIC.Down()
	if errors.Is(why, vclock.ErrStopped) {
		return
	}
	pc.mu.Lock()
	pc.on, pc.cut, pc.rand, pc.cover = false, nil, nil, nil
	pc.powerless, pc.unclean = false, errors.Is(why, ErrPowerLost)
	pc.dark.Store(false)
	pc.mu.Unlock()
	pc.Event("device.power.off", field("why", cause(why)))
	pc.show(Off)
}

// boot runs firmware and program once and gives how that ended. power is the
// context that ends where the power goes.
func (pc *PC) boot(power context.Context) error {
	ctx, cancel := pc.Clock.WithCancel(power)
	defer cancel(errBootOver)
	pc.mu.Lock()
	pc.boots++
	pc.inputs = vclock.NewQueue[Input](pc.Clock, "keyboard of "+pc.Name, 64)
	pc.rand = pc.Seed.Stream("machine", strconv.Itoa(pc.boots))
	boots := pc.boots
	pc.mu.Unlock()
	defer func() {
		pc.mu.Lock()
		pc.inputs = nil
		pc.mu.Unlock()
	}()

	pc.Event("device.power.on", field("boot", boots))
	pc.show(Screen{ID: "firmware", Title: pc.Hardware.Manufacturer})
	if pc.Chip != nil {
		if err := pc.Chip.PowerOn(ctx); err != nil {
			pc.Chip.PowerOff()
			if rc := tpm2.TPMRC(0); context.Cause(ctx) != nil || !errors.As(err, &rc) {
				return pc.ended(ctx, fmt.Errorf("TPM start-up: %w", err))
			}
			// Firmware goes on without a TPM that it could not start, and so does
			// Windows (EDK II, Tcg2Pei.c: the error is noted and the boot goes on).
			pc.Event("tpm.startup.failed", field("error", err.Error()))
		}
		defer pc.Chip.PowerOff() // after an orderly Shutdown this only frees the engine's slot
	}
	begin := pc.Clock.Now()
	if err := pc.measure(ctx); err != nil {
		return pc.ended(ctx, err)
	}
	measuring := pc.Clock.Now().Sub(begin) // is part of what the start takes
	if err := pc.Clock.Sleep(ctx, max(0, pc.draw(pc.Timing.Device.Firmware)+pc.draw(pc.Timing.Device.Boot)-measuring), "firmware and Windows start"); err != nil {
		return pc.ended(ctx, err)
	}
	if !pc.Hardware.Wireless || pc.knowsNetwork() {
		pc.NIC.Up() // the cable is in; a wireless card waits for somebody to choose a network
	}
	w := newWindows(ctx, cancel, pc, boots)
	w.joinStaged()
	w.Registry().DeleteTree(KeyRebootPending) // what waited for a start has it
	if len(w.Registry().Subkeys(KeyJoinInfo)) > 0 {
		w.EncryptDevice() // where the power went before it could, or firmware setup was changed
	}
	err := pc.ended(ctx, pc.Program(w))
	cancel(errBootOver)                   // the services' waits end here, whatever they wait for
	w.awaitServices(vclock.Detach(power)) // power or no power: they have to be gone before the next boot
	pc.lightUp()
	pc.uncover()
	pc.NIC.CloseIdle()
	if errors.Is(err, ErrReboot) || errors.Is(err, ErrShutdown) {
		return pc.shutdown(power, err)
	}
	return err
}

// shutdown is the orderly end: the TPM is told to save its state. One that
// does not listen keeps no PC on; it will know at its next start.
func (pc *PC) shutdown(ctx context.Context, why error) error {
	if pc.Chip != nil {
		if err := pc.Chip.Shutdown(ctx); context.Cause(ctx) != nil || errors.Is(err, vclock.ErrStopped) {
			return errors.Join(context.Cause(ctx), err)
		} else if err != nil {
			pc.Event("tpm.shutdown.failed", field("error", err.Error()))
		}
	}
	if err := pc.Clock.Sleep(ctx, pc.draw(pc.Timing.Device.Shutdown), "Windows shutdown"); err != nil {
		return err
	}
	return why
}

// ended tells the loss of power from all other errors: what a program makes of
// a cancelled request is of no interest once the power is gone. A program that
// ends with an error of its own has stopped Windows; nobody but a person's hand
// on the power button gets it out of that.
func (pc *PC) ended(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	if err == nil || errors.Is(err, ErrReboot) || errors.Is(err, ErrShutdown) || errors.Is(err, vclock.ErrStopped) {
		return err
	}
	pc.Event("device.stopped", field("error", err.Error()))
	pc.show(Screen{ID: "stop", Title: "Your device ran into a problem", Lines: []Line{{"Error", err.Error()}}})
	if serr := pc.Clock.NewCond("stop screen of " + pc.Name).Wait(ctx); serr != nil {
		return serr
	}
	return err
}

// Event journals something that happened on this PC. Events are numbered, so
// that a fault rule can take the power away at the nth of them. Nothing happens
// on a PC any more once its power has gone.
func (pc *PC) Event(kind string, fields ...journal.Field) {
	if pc.dark.Load() {
		return
	}
	pc.mu.Lock()
	pc.events++
	n := pc.events
	pc.mu.Unlock()
	pc.Journal.Record(pc.Name, kind, fields...)
	if pc.Watch != nil {
		pc.Watch(kind)
	}
	if a, ok := pc.Faults.At(fault.Point{Layer: "event", Operation: kind, Device: pc.Name, N: n}); ok {
		pc.Suffer(a)
	}
}

// Suffer does what a fault rule says about the PC itself: its disk is full, its
// clock jumps, its power goes.
func (pc *PC) Suffer(a fault.Action) {
	if a.DiskFull {
		pc.Disk.fillUp()
	}
	if a.ClockJump != 0 {
		pc.SetFirmwareTime(pc.FirmwareTime().Add(time.Duration(a.ClockJump)))
	}
	if a.CutPower {
		pc.CutPower()
	}
}

// draw takes a duration from a range; the PC's own stream decides.
func (pc *PC) draw(r timing.Range) time.Duration {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return r.Draw(pc.rand)
}

// Draw does the same for the programs that run on the PC.
func (w *Windows) Draw(r timing.Range) time.Duration { return w.draw(r) }

func field(k string, v any) journal.Field { return journal.F(k, v) }

func cause(err error) string {
	if err == nil {
		return "the program ended"
	}
	return err.Error()
}
