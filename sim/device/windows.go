package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// Windows is one boot of the operating system. Everything in it is volatile;
// what must outlive the boot is written to PC.Disk at once.
type Windows struct {
	*PC
	// Ctx ends with this boot; its cause is ErrPowerLost where the power went,
	// ErrReboot or ErrShutdown where something in Windows ended it.
	Ctx context.Context
	// Boot counts from 1.
	Boot int

	*session

	registry *Registry // of a view whose writes are noted
	undo     *Undo
}

// session is what all views of one boot share.
type session struct {
	ctx      context.Context // the boot's own
	end      context.CancelCauseFunc
	mu       sync.Mutex
	over     bool // somebody has ended the boot from within
	services int
	idle     vclock.Cond
	running  map[string]bool
	signals  map[string]*Signal
	clients  map[string]*http.Client
	random   *rand.Rand
	open     map[string]*vtpm.Key // of this boot, by container
	local    map[any]any
	provided map[string]func(ctx context.Context)
}

func newWindows(ctx context.Context, end context.CancelCauseFunc, pc *PC, boot int) *Windows {
	return &Windows{PC: pc, Ctx: ctx, Boot: boot, session: &session{
		ctx:     ctx,
		end:     end,
		idle:    pc.Clock.NewCond("services of " + pc.Name),
		running: map[string]bool{}, signals: map[string]*Signal{}, clients: map[string]*http.Client{},
		random: pc.Seed.Stream("boot", strconv.Itoa(boot)),
		open:   map[string]*vtpm.Key{},
		local:  map[any]any{}, provided: map[string]func(context.Context){},
	}}
}

// Under gives the same boot as seen by work that has a shorter life, such as
// a step that the enrollment status page waits for only so long.
func (w *Windows) Under(ctx context.Context) *Windows {
	return &Windows{PC: w.PC, Ctx: ctx, Boot: w.Boot, session: w.session}
}

// Registry is the installation's registry.
func (w *Windows) Registry() *Registry {
	if w.registry != nil {
		return w.registry
	}
	return w.Disk.Registry
}

// ComputerName is the name that the PC goes by: what its Autopilot profile's
// template makes of it, else what setup made up.
func (pc *PC) ComputerName() string {
	if n := pc.Disk.Registry.String(KeyOOBE, "ComputerName"); n != "" {
		return n
	}
	return "DESKTOP-" + pc.Hardware.Serial[max(0, len(pc.Hardware.Serial)-7):]
}

// Now is the time that Windows believes it is.
func (w *Windows) Now() time.Time { return w.FirmwareTime() }

// Has tells whether this build of Windows has a fault.
func (w *Windows) Has(d defects.Defect) bool { return defects.Has(w.Installation.Build, d) }

// Sleep waits in virtual time. It fails where the boot ends.
func (w *Windows) Sleep(d time.Duration, tag string) error {
	return w.Clock.Sleep(w.Ctx, d, tag)
}

// Service starts a background service of this boot, once: a second start of
// the same name does nothing. It lives as long as the boot, whatever the life
// of the work that starts it. f must return when ctx ends.
func (w *Windows) Service(name string, f func(ctx context.Context)) {
	w.session.mu.Lock()
	if w.running[name] {
		w.session.mu.Unlock()
		return
	}
	w.running[name] = true
	w.services++
	w.session.mu.Unlock()
	w.Clock.Go(w.session.ctx, w.Name+"/"+name, func(ctx context.Context) {
		defer w.idle.Change(func() {
			w.session.mu.Lock()
			defer w.session.mu.Unlock()
			w.services--
			w.running[name] = false
		})
		f(ctx)
	})
}

// awaitServices returns once no service of this boot runs any more, or the
// clock was stopped.
func (w *Windows) awaitServices(ctx context.Context) {
	_ = w.idle.Await(ctx, func() bool {
		w.session.mu.Lock()
		defer w.session.mu.Unlock()
		return w.services == 0
	})
}

// Once gives the boot's own instance of something, made at the first call; key
// should be of a private type of the package that owns it.
func Once[T any](w *Windows, key any, make func() T) T {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	if v, ok := w.local[key]; ok {
		return v.(T)
	}
	v := make()
	w.local[key] = v
	return v
}

// Random gives n bytes of this boot's own stream, for nonces and identifiers
// that Windows makes up.
func (w *Windows) Random(n int) []byte {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.random.Uint32())
	}
	return b
}

// RandomReader gives a stream of its own, for work that draws while others of
// this boot draw too.
func (w *Windows) RandomReader() io.Reader { return rand.NewChaCha8([32]byte(w.Random(32))) }

// GUID makes up an identifier, in lower case without braces.
func (w *Windows) GUID() string {
	b := w.Random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return formatUUID([16]byte(b))
}

// Show puts a screen up and goes on.
func (w *Windows) Show(s Screen) { w.show(s) }

// Ask puts a screen up and waits for what a person does about it: one of its
// buttons or keys. What was meant for an earlier screen is gone.
func (w *Windows) Ask(s Screen) (Input, error) {
	shown := w.show(s)
	for {
		in, err := w.inputs.Get(w.Ctx)
		if err != nil {
			return Input{}, err
		}
		if in.shown == shown && (s.Has(in.Button) || slices.Contains(s.Keys, in.Key)) {
			return in, nil
		}
	}
}

// NewKey makes a key in the TPM and keeps its wrapped form on the disk under a
// container name; an older key of that name is replaced.
func (w *Windows) NewKey(ctx context.Context, container string) (*vtpm.Key, error) {
	if w.Chip == nil {
		return nil, fmt.Errorf("new key %s: this PC has no TPM", container)
	}
	key, err := w.Chip.NewKey(ctx, container)
	if errors.Is(err, vtpm.ErrNoKey) { // it was cleared: Windows takes ownership by itself
		if err = w.Chip.Provision(ctx); err == nil {
			w.Event("tpm.provisioned")
			key, err = w.Chip.NewKey(ctx, container)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("new key %s: %w", container, err)
	}
	w.Disk.Keys.Put(container, key.Blob())
	w.keepOpen(container, key)
	return key, nil
}

// Key opens the key of a container.
func (w *Windows) Key(ctx context.Context, container string) (*vtpm.Key, error) {
	blob := w.Disk.Keys.Get(container)
	if blob == nil || w.Chip == nil {
		return nil, fmt.Errorf("key container %q: %w", container, ErrNoKey)
	}
	w.session.mu.Lock()
	key := w.open[container]
	w.session.mu.Unlock()
	if key != nil && bytes.Equal(key.Blob(), blob) {
		return key, nil
	}
	key, err := w.Chip.LoadKey(ctx, blob)
	if errors.Is(err, tpm2.TPMRCIntegrity) || errors.Is(err, tpm2.TPMRCHandle) {
		err = fmt.Errorf("%w: %w", ErrNoKey, err) // of another owner of the TPM: it was cleared since
	}
	if err != nil {
		return nil, fmt.Errorf("key container %q: %w", container, err)
	}
	w.keepOpen(container, key)
	return key, nil
}

func (w *Windows) keepOpen(container string, key *vtpm.Key) {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	w.open[container] = key
}
