package vtpm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// startCost is what a child costs before it does anything: about this much
	// CPU time (8 ms in a small binary), and 3.5 MB. One is started when callers
	// have waited as long as that for engines that were busy, so that a short run
	// never pays.
	startCost = 20 * time.Millisecond
	// answerLimit is the default of Options.EngineLimit. The longest command,
	// making an RSA key, takes 0.2 s at most on an idle core.
	answerLimit = 10 * time.Second
	// startTries is how often starting a child is tried before the pool goes on
	// without: somebody may kill one before its first word.
	startTries = 3
	// lossLimit is how many engines one command may cost that were not killed by
	// others.
	lossLimit = 3
	// lossesLimit is how many a lab replaces: where so many die, something on
	// the machine is against them.
	lossesLimit = 100
)

// pool is the engines of a lab: the one in this process, and children. Any
// engine serves any chip. Who finds all of them busy queues here, first come
// first served.
type pool struct {
	home
	file  *os.File // the chips' memory, for children
	limit time.Duration
	warn  func(string)
	start func(slots *os.File, limit time.Duration) (worker, error)

	keeping sync.WaitGroup // keep, and the watch over each child
	busy    sync.WaitGroup // operations

	mu       sync.Mutex
	closed   bool
	idle     []engine
	queue    []*caller
	children []worker // those that live
	room     int      // how many children there may be
	starting int
	orders   chan struct{} // to keep; nil: it does not run
	pressure time.Duration // that callers waited since the last start
	started  int
	lost     int
	faulted  int // lost because fault rules say so
}

// caller is somebody who waits for an engine.
type caller struct {
	careful bool // wants one that may be lost
	engine  chan engine
}

func newPool(h home, slots *slots, engines int, limit time.Duration, warn func(string)) (*pool, error) {
	file, err := slots.file.share()
	if err != nil {
		return nil, fmt.Errorf("vtpm: memory for chips: %w", err)
	}
	if limit == 0 {
		limit = answerLimit
	}
	return &pool{
		home: h, file: file, limit: limit, warn: warn, start: startChild,
		idle: []engine{h}, room: engines - 1,
	}, nil
}

// run does an operation on any engine. When that engine is lost, the chip is as
// it was before, and another does the same again.
func (p *pool) run(ctx context.Context, r *request) ([]byte, time.Duration, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, 0, ErrClosed
	}
	p.busy.Add(1)
	p.mu.Unlock()
	defer p.busy.Done()
	var why []string
	for {
		e, err := p.take(ctx, len(why) > 0)
		if err != nil {
			return nil, 0, err
		}
		response, took, err := p.try(e, r)
		var lost *lostError
		if !errors.As(err, &lost) {
			p.give(e, took)
			return response, took, err
		}
		if errors.Is(lost, errFaulted) {
			p.give(e, 0) // it is only taken for dead
			why = append(why, lost.Error())
			continue
		}
		p.lose(e.(worker))
		if lost.outside {
			continue // at most lossesLimit times
		}
		if why = append(why, lost.Error()); len(why) == lossLimit {
			return nil, 0, fmt.Errorf("vtpm: the command cost %d engines and is given up: %s", lossLimit, strings.Join(why, "; "))
		}
	}
}

// try has an engine do an operation; one that is to die does not get to it.
func (p *pool) try(e engine, r *request) ([]byte, time.Duration, error) {
	if !r.dies {
		return e.run(r)
	}
	r.dies = false
	p.mu.Lock()
	p.faulted++
	p.mu.Unlock()
	return nil, 0, &lostError{why: errFaulted}
}

// errFaulted is why an engine is lost of which a fault rule says so.
var errFaulted = errors.New("a fault rule says that the engine dies")

// take waits for an engine. A careful caller, whose command has just cost an
// engine, wants a child if there can be one: this process would not survive.
func (p *pool) take(ctx context.Context, careful bool) (engine, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	for i, e := range p.idle {
		if p.suits(careful, e) {
			p.idle = slices.Delete(p.idle, i, i+1)
			p.mu.Unlock()
			return e, nil
		}
	}
	c := &caller{careful: careful, engine: make(chan engine, 1)}
	p.queue = append(p.queue, c)
	p.mu.Unlock()
	select {
	case e, ok := <-c.engine:
		if !ok {
			return nil, ErrClosed
		}
		return e, nil
	case <-ctx.Done():
		p.leave(c)
		return nil, context.Cause(ctx)
	}
}

func (p *pool) suits(careful bool, e engine) bool {
	return !careful || e != engine(p.home) || len(p.children)+p.starting == 0
}

// leave takes a caller out of the queue, or gives back what it got meanwhile.
func (p *pool) leave(c *caller) {
	p.mu.Lock()
	if i := slices.Index(p.queue, c); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	p.mu.Unlock()
	select {
	case e, ok := <-c.engine:
		if ok {
			p.give(e, 0)
		}
	default:
	}
}

// give puts an engine back after an operation of so long.
func (p *pool) give(e engine, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) > 0 {
		p.pressure += took
		if p.pressure >= startCost {
			p.order()
		}
	}
	p.place(e)
}

// place hands engines to who has waited longest, or makes them idle: the one of
// this process first, which is nearest, then those used last. p.mu is held.
func (p *pool) place(engines ...engine) {
	engines = slices.Clone(engines) // maybe p.idle
	p.idle = slices.DeleteFunc(p.idle, func(e engine) bool { return slices.Contains(engines, e) })
	for _, e := range slices.Backward(engines) {
		if w, ok := e.(worker); ok && !slices.Contains(p.children, w) {
			continue // it ended on its way back
		}
		i := slices.IndexFunc(p.queue, func(c *caller) bool { return p.suits(c.careful, e) })
		if i >= 0 {
			p.queue[i].engine <- e
			p.queue = slices.Delete(p.queue, i, i+1)
			continue
		}
		at := 0
		if e != engine(p.home) && len(p.idle) > 0 && p.idle[0] == engine(p.home) {
			at = 1
		}
		p.idle = slices.Insert(p.idle, at, e)
	}
}

// order has one more child started, if there is room. p.mu is held.
func (p *pool) order() {
	if p.closed || len(p.children)+p.starting >= p.room {
		return
	}
	if p.orders == nil {
		p.orders = make(chan struct{}, p.room)
		p.keeping.Go(func() { p.keep(p.orders) })
	}
	p.pressure = 0
	p.starting++
	p.orders <- struct{}{}
}

// keep starts children, all from one thread: a child is killed when the thread
// that started it ends (PR_SET_PDEATHSIG), and other threads may end any time.
// This one ends with the pool, as its goroutine never unlocks it.
func (p *pool) keep(orders <-chan struct{}) {
	runtime.LockOSThread()
	for range orders {
		var w worker
		err := ErrClosed
		for range startTries {
			if p.over() {
				break
			}
			if w, err = p.start(p.file, p.limit); err == nil {
				break
			}
		}
		p.arrive(w, err)
	}
}

// over tells whether the pool is closed.
func (p *pool) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// arrive takes a new child in, or does without.
func (p *pool) arrive(w worker, err error) {
	warning := ""
	defer func() { p.tell(warning) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starting--
	switch {
	case err != nil:
		if !p.closed && p.room > 0 {
			warning = fmt.Sprintf("vtpm: no more than %s: cannot start another process: %v", countOf(1+len(p.children)), err)
		}
		p.room = 0
		p.place(p.idle...) // somebody careful may have waited for it
	case p.closed:
		w.kill()
		fallthrough
	default:
		p.started++
		p.children = append(p.children, w)
		p.keeping.Go(func() { p.watch(w) })
		p.place(w)
	}
}

func countOf(engines int) string {
	if engines == 1 {
		return "1 engine"
	}
	return fmt.Sprintf("%d engines", engines)
}

// tell warns, without the lock: who listens may ask the lab something.
func (p *pool) tell(warning string) {
	if warning != "" {
		p.warn(warning)
	}
}

// watch is there when a child ends.
func (p *pool) watch(w worker) {
	<-w.over()
	p.lose(w)
	if err := w.release(); err != nil {
		p.warn(fmt.Sprintf("vtpm: after engine process %d: %v", w.pid(), err))
	}
}

// lose strikes a child that has ended off, and has another started in its
// place. Whoever notices calls it; the first does it.
func (p *pool) lose(w worker) {
	warning := ""
	defer func() { p.tell(warning) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.children, w)
	if i < 0 || p.closed {
		return
	}
	p.children = slices.Delete(p.children, i, i+1)
	if i := slices.Index(p.idle, engine(w)); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.lost++
	if p.lost == lossesLimit {
		warning = fmt.Sprintf("vtpm: %d engine processes were lost; no more are started", p.lost)
		p.room = 0
	}
	p.order()
	p.place(p.idle...)
}

// size is how many engines there may be.
func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return 1 + p.room
}

// pids are the children's process numbers.
func (p *pool) pids() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pids []int
	for _, w := range p.children {
		pids = append(pids, w.pid())
	}
	slices.Sort(pids)
	return pids
}

// counts tells how many engines there have been, how many were lost, and how
// many callers wait for one.
func (p *pool) counts() (started, lost, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return 1 + p.started, p.lost + p.faulted, len(p.queue)
}

// close ends all children, and returns when no operation is under way.
func (p *pool) close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	for _, c := range p.queue {
		close(c.engine)
	}
	p.queue = nil
	children := slices.Clone(p.children)
	if p.orders != nil {
		close(p.orders)
	}
	p.mu.Unlock()
	for _, w := range children {
		w.kill()
	}
	p.busy.Wait()
	p.keeping.Wait()
	return errors.Join(p.home.close(), p.file.Close())
}
