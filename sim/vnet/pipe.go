package vnet

import (
	"container/heap"
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"windtunnel.test/sim/vclock"
)

// pipe is one direction of a site's link. Everything that flows at the same time gets the same share of it (processor
// sharing, which is what fair queueing tends to: Demers, Keshav, Shenker 1989).
//
// It counts how many bits each flow has been served since the pipe was last idle. A flow is done when that count reaches
// the value it had on arrival plus the flow's size, so that arrivals and departures change one number and no flow's. Only
// the flow that will be done first keeps a timer; it hands over when it leaves.
type pipe struct {
	clock vclock.Clock
	tag   string
	rate  float64 // bits a second; 0: unlimited

	mu     sync.Mutex
	served float64   // bits given to each flow of this busy period
	at     time.Time // moment that served is valid for
	seq    uint64
	flows  flowHeap
}

type flow struct {
	owner  *NIC
	start  float64 // served on arrival
	finish float64
	seq    uint64 // arrival order: ties are served first come, first out
	index  int    // place in the heap; -1: left
	err    error  // the link went down under it
	wake   *vclock.Queue[struct{}]
}

var errSlice = errors.New("vnet: first flow's time is up")

func newPipe(c vclock.Clock, tag string, bitsPerSecond int64) *pipe {
	return &pipe{clock: c, tag: tag, rate: float64(bitsPerSecond)}
}

// brief is what a small message takes beside the flows that are there now, without becoming one itself.
func (p *pipe) brief(bytes int64) time.Duration {
	if p.rate == 0 || bytes == 0 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return seconds(float64(bytes) * 8 * float64(len(p.flows)+1) / p.rate)
}

// send takes bytes through the pipe and says how many have passed, fewer than asked only with an error.
func (p *pipe) send(ctx context.Context, owner *NIC, bytes int64) (int64, error) {
	if p.rate == 0 || bytes <= 0 {
		return max(bytes, 0), context.Cause(ctx)
	}
	f := p.join(owner, bytes)
	for {
		v := p.look(f)
		switch {
		case v.gone && v.err == nil:
			return bytes, nil
		case v.gone:
			return v.passed, v.err
		}
		if err := p.pause(ctx, f, v.first, v.due); err != nil {
			return p.leave(f), err
		}
	}
}

// pause waits until f is due, or until something has changed that f has to look at.
func (p *pipe) pause(ctx context.Context, f *flow, first bool, d time.Duration) error {
	if !first {
		_, err := f.wake.Get(ctx)
		return err
	}
	timed, cancel := p.clock.WithTimeout(ctx, d, errSlice)
	defer cancel()
	if _, err := f.wake.Get(timed); err != nil && !errors.Is(err, errSlice) {
		return err
	}
	return nil
}

func (p *pipe) join(owner *NIC, bytes int64) *flow {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	f := &flow{
		owner: owner, start: p.served, finish: p.served + float64(bytes)*8, seq: p.seq,
		wake: vclock.NewQueue[struct{}](p.clock, p.tag, 1),
	}
	p.seq++
	heap.Push(&p.flows, f)
	return f
}

// view is how one flow stands.
type view struct {
	first  bool          // it will be the next one to be done
	due    time.Duration // and that is when, if nothing changes
	gone   bool          // it is done, or was cut off with err
	passed int64         // bytes, once gone
	err    error
}

// look brings the pipe up to now.
func (p *pipe) look(f *flow) view {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	if f.index < 0 {
		return view{gone: true, passed: f.passed(f.finish), err: f.err}
	}
	return view{first: f.index == 0, due: seconds((f.finish - p.served) * float64(len(p.flows)) / p.rate)}
}

// leave takes f out before its time.
func (p *pipe) leave(f *flow) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	passed := f.passed(p.served)
	p.remove(f)
	return passed
}

// kill ends every flow of a card whose link went down.
func (p *pipe) kill(owner *NIC, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	var hit []*flow
	for _, f := range p.flows {
		if f.owner == owner {
			hit = append(hit, f)
		}
	}
	for _, f := range hit {
		f.err, f.finish = err, max(p.served, f.start)
		p.remove(f)
		f.wake.TryPut(struct{}{})
	}
}

// passed is whole bytes; a thousandth of one makes up for what floats lose.
func (f *flow) passed(served float64) int64 {
	return int64((min(served, f.finish)-f.start)/8 + 1e-3)
}

// advance serves all flows up to now and lets go those that are done. The caller holds mu.
func (p *pipe) advance() {
	now := p.clock.Now()
	if len(p.flows) > 0 && now.After(p.at) {
		p.served += p.rate * now.Sub(p.at).Seconds() / float64(len(p.flows))
	}
	p.at = now
	// Timers have whole nanoseconds and floats have 53 bits: what is due within a nanosecond is done.
	slack := max(p.rate*1e-9, 1e-3)
	for len(p.flows) > 0 && p.flows[0].finish <= p.served+slack {
		f := p.flows[0]
		p.remove(f)
		f.wake.TryPut(struct{}{})
	}
}

// remove takes a flow out and tells whoever is first now, whose end has come nearer.
func (p *pipe) remove(f *flow) {
	if f.index < 0 {
		return
	}
	heap.Remove(&p.flows, f.index)
	if len(p.flows) == 0 {
		return
	}
	p.flows[0].wake.TryPut(struct{}{})
}

func seconds(s float64) time.Duration { return time.Duration(math.Ceil(s*1e9 - 1e-3)) }

type flowHeap []*flow

func (h flowHeap) Len() int { return len(h) }
func (h flowHeap) Less(i, j int) bool {
	if h[i].finish != h[j].finish {
		return h[i].finish < h[j].finish
	}
	return h[i].seq < h[j].seq
}
func (h flowHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *flowHeap) Push(x any) {
	f := x.(*flow)
	f.index = len(*h)
	*h = append(*h, f)
}
func (h *flowHeap) Pop() any {
	old := *h
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	f.index = -1
	return f
}
