package pcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/load"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// Pool is a load's source of PCs.
type Pool struct {
	World *sim.World

	ctx     context.Context // that PCs live below
	end     context.CancelCauseFunc
	scopes  map[string]*scope
	members []*member
	byName  map[string]*member // not changed once PCs live
	admins  *vclock.Queue[*sim.Administrator]
	menders vclock.Semaphore // who restore PCs
	mending atomic.Int64
	lost    atomic.Int64

	slowPause time.Duration

	mu  sync.Mutex
	why error // of the first that was lost
}

var _ load.Source = (*Pool)(nil)

// free are a scope's PCs that stand ready.
type free struct {
	queue *vclock.Queue[*member]
	ready atomic.Int64
	alive atomic.Int64 // ready, taken or being restored
}

func (f *free) put(m *member) {
	f.ready.Add(1)
	f.queue.TryPut(m)
}

// New makes the world and its PCs: the TPM images that are missing first, then
// the PCs, their registration where a scope needs it, and each PC as ready as
// its scope wants it. It takes as long as it takes; an error names the first PC
// that could not be made ready.
func New(ctx context.Context, o Options) (*Pool, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s, err := o.scaled()
	if err != nil {
		return nil, err
	}
	tell := progress(o.Progress)
	if err := o.Lab.Build(ctx, sim.Chips(s), func(done, total int) { tell("TPM images", done, total) }); err != nil {
		return nil, fmt.Errorf("load: make TPM images: %w", err)
	}
	p := &Pool{slowPause: cmp.Or(o.SlowPause, slowPause), scopes: map[string]*scope{}, byName: map[string]*member{}}
	if err := p.makeWorld(s, o); err != nil {
		return nil, err
	}
	if err := p.ready(ctx, o, tell); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// ready connects, registers and prepares.
func (p *Pool) ready(ctx context.Context, o Options, tell func(string, int, int)) error {
	if o.Target != nil {
		if err := o.Target.Connect(p.World); err != nil {
			return fmt.Errorf("load: connect: %w", err)
		}
	}
	for range 2 * runtime.GOMAXPROCS(0) {
		p.admins.TryPut(p.World.Administrator())
	}
	for _, s := range p.scopes {
		if !s.registered || o.Registered {
			continue
		}
		tell("registration", 0, len(p.members))
		if err := p.World.Register(ctx); err != nil {
			return fmt.Errorf("load: register PCs: %w", err)
		}
		tell("registration", len(p.members), len(p.members))
		break
	}
	return p.prepareAll(ctx, tell)
}

// atOnce is how many PCs are prepared or restored side by side: enough to keep
// the cores busy while some of them wait for an engine or an answer.
func atOnce() int64 { return int64(2 * runtime.GOMAXPROCS(0)) }

func (p *Pool) prepareAll(ctx context.Context, tell func(string, int, int)) error {
	clock := p.World.Clock
	work, stop := clock.WithCancel(ctx)
	defer stop(errOver)
	hands, over := clock.NewSemaphore("who prepare PCs", atOnce()), clock.NewCond("PCs that are being prepared")
	var mu sync.Mutex
	done, failed := 0, error(nil)
	tell("preparation", 0, len(p.members))
	for _, m := range p.members {
		clock.Go(work, "preparing "+m.dev.Name, func(ctx context.Context) {
			err := hands.Acquire(ctx, 1)
			if err == nil {
				err = m.prepare(ctx)
				hands.Release(1)
			}
			over.Change(func() {
				mu.Lock()
				defer mu.Unlock()
				done++
				if err != nil && failed == nil {
					failed = fmt.Errorf("load: prepare %s for %s: %w", m.dev.Name, m.scope.name, err)
					stop(failed)
				}
				tell("preparation", done, len(p.members))
			})
		})
	}
	// To the last one, failed or not: they are the pool's.
	if err := over.Await(vclock.Detach(ctx), func() bool { mu.Lock(); defer mu.Unlock(); return done == len(p.members) }); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	for _, m := range p.members {
		m.scope.free.put(m)
	}
	return nil
}

// Take gives a PC that stands ready, as soon as there is one. load.ErrNone says
// that none will come any more.
func (p *Pool) Take(ctx context.Context, scope, kind string) (load.Subject, error) {
	s := p.scopes[scope]
	if s == nil || kind != "" && (bad[kind] == nil || scope != AIK) {
		return nil, fmt.Errorf("a %s PC for %s: %w", kind, scope, load.ErrNone)
	}
	m, err := s.free.queue.Get(ctx)
	if errors.Is(err, vclock.ErrClosed) {
		return nil, fmt.Errorf("a PC for %s: %w: %w", scope, load.ErrNone, p.reason())
	}
	if err != nil {
		return nil, err
	}
	s.free.ready.Add(-1)
	return &visit{m: m, bad: kind}, nil
}

// Give takes a PC back, which comes again once it is restored.
func (p *Pool) Give(subject load.Subject) {
	v, ok := subject.(*visit)
	if !ok {
		return
	}
	m := v.m
	if m.scope.inPlace && m.dev.On() {
		m.rollBackDisk()
		m.scope.free.put(m)
		return
	}
	p.mending.Add(1)
	p.World.Clock.Go(p.ctx, "restoring "+m.dev.Name, func(ctx context.Context) {
		defer p.mending.Add(-1)
		err := p.menders.Acquire(ctx, 1)
		if err == nil {
			err = m.scope.restore(ctx, m)
			p.menders.Release(1)
		}
		if err != nil {
			p.lose(m, err)
			return
		}
		m.scope.free.put(m)
	})
}

// lose gives a PC up.
func (p *Pool) lose(m *member, why error) {
	p.lost.Add(1)
	p.mu.Lock()
	if p.why == nil {
		p.why = fmt.Errorf("restore %s: %w", m.dev.Name, why)
	}
	p.mu.Unlock()
	if m.scope.free.alive.Add(-1) == 0 {
		m.scope.free.queue.Close()
	}
}

func (p *Pool) reason() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// Lost is how many PCs could not be restored, and why the first one could not.
func (p *Pool) Lost() (int, error) { return int(p.lost.Load()), p.reason() }

// Free is how many PCs of a scope stand ready.
func (p *Pool) Free(scope string) int {
	if s := p.scopes[scope]; s != nil {
		return int(s.free.ready.Load())
	}
	return 0
}

// Restoring is how many PCs are being made ready again.
func (p *Pool) Restoring() int { return int(p.mending.Load()) }

// Devices is how many PCs a scope has.
func (p *Pool) Devices(scope string) int {
	return len(slices.DeleteFunc(slices.Clone(p.members), func(m *member) bool { return m.scope.name != scope }))
}

// Close ends the world. PCs that are taken must have been given back.
func (p *Pool) Close() error {
	p.end(errOver)
	return p.World.Close()
}

// visit is one arrival's PC.
type visit struct {
	m   *member
	bad string
}

// Do does the scope. What goes wrong is the arrival's outcome; the error is the
// context's, where that ended before the PC was through.
func (v *visit) Do(ctx context.Context, a *figure.Arrival) error {
	m, r := v.m, &record{clock: v.m.pool.World.Clock}
	m.now.Store(r)
	var err error
	if v.bad != "" {
		a.Refused, err = bad[v.bad](ctx, m, r)
	} else {
		err = m.scope.do(ctx, m, r)
	}
	m.now.Store(nil)
	steps, status := r.close()
	a.Device, a.Steps, a.Outcome = m.dev.Name, steps, outcomeOf(err, status)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// neighbour is another PC of the same scope.
func (p *Pool) neighbour(m *member) *member {
	for i := range p.members {
		if other := p.members[(m.at+1+i)%len(p.members)]; other != m && other.scope == m.scope {
			return other
		}
	}
	return nil
}

func progress(f func(stage string, done, total int)) func(string, int, int) {
	if f == nil {
		return func(string, int, int) {}
	}
	return f
}

func (p *Pool) exchanged(x vnet.Exchange) {
	if m := p.byName[x.Device]; m != nil {
		m.exchanged(x)
	}
}

func (p *Pool) heard(name, kind string) {
	if m := p.byName[name]; m != nil {
		m.heard(kind)
	}
}

func (p *Pool) program(string) device.Program {
	return func(w *device.Windows) error { return p.byName[w.Name].program(w) }
}
