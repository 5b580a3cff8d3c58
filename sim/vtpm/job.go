package vtpm

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/vclock"
)

// job is work on one chip, beside the actor that asked for it. A chip has at
// most one at a time. It is done once, by the clock's worker or by whoever
// needs it over before that.
type job struct {
	taken atomic.Bool
	done  chan struct{}
	work  func()
}

// finish does the job, or waits for the one who does.
func (j *job) finish() {
	if j.taken.CompareAndSwap(false, true) {
		defer close(j.done)
		j.work()
		return
	}
	<-j.done
}

// drop leaves the job out if nobody took it.
func (j *job) drop() {
	if j.taken.CompareAndSwap(false, true) {
		close(j.done)
	}
	<-j.done
}

// Do runs f beside the calling actor, which goes on when the virtual time that
// the commands take is over: the model's latency for cost. All that f sends
// goes to the chip one after the other, with nobody else's commands between;
// whoever comes later waits for the chip in virtual time, first come first
// served.
//
// f must not use the clock, nor the chip other than through t, nor what
// another actor may touch. Once begun it is run to its end, even when ctx ends:
// a power cut comes before a job or after it. Errors are ErrPowerOff, those of
// the clock, and f's. tag is the job's main command, "TPM2_Sign" say; reports
// and fault rules know it by that name.
func (c *Chip) Do(ctx context.Context, tag string, cost Cost, f func(t transport.TPM) error) error {
	c.mu.Lock()
	boot := c.boots
	c.mu.Unlock()
	return c.run(ctx, tag, cost, func(t transport.TPM) error {
		if c.slot < 0 || c.boots != boot {
			return ErrPowerOff
		}
		return f(t)
	})
}

// run is Do without the question for power. f runs with c.mu held.
func (c *Chip) run(ctx context.Context, tag string, cost Cost, f func(t transport.TPM) error) error {
	if err := c.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.turn.Release(1)
	c.mu.Lock()
	board, on := c.board, c.slot >= 0
	c.mu.Unlock()
	if on && c.model.stuck(tag) {
		return c.clock.NewCond("answer of " + c.id.String() + " to " + tag).Wait(ctx) // there will be none
	}
	delay, dies, answer, err := c.submit(ctx, &board, tag)
	if err != nil {
		return err
	}
	err = answer
	port := &port{ctx: context.WithoutCancel(ctx), chip: c, now: c.clock.Now(), dying: dies, meter: newMeter(&c.model.Latency, cost)}
	j := &job{done: make(chan struct{}), work: func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if answer == nil {
			err = f(port)
		}
	}}
	c.mu.Lock()
	c.running = j
	c.mu.Unlock()
	stopped := c.clock.Offload(ctx, delay+c.model.Latency.Of(cost), tag, j.finish)
	switch {
	case stopped == nil || c.handedOver(ctx, stopped):
		j.finish()
	default:
		j.drop()
	}
	if stopped != nil {
		return stopped
	}
	board.record(tag, err)
	return err
}

// submit finds out what breaks at a job. Where the chip is to say that it wants
// the command again, it is given it again, as a TPM's driver does, so many times
// as the board says (TPM 2.0 Library Part 1, section 30.4: TPM_RC_RETRY,
// TPM_RC_YIELDED, TPM_RC_TESTING). What then stands is the last answer.
func (c *Chip) submit(ctx context.Context, board *Board, tag string) (delay time.Duration, dies bool, answer, err error) {
	for again := 0; ; again++ {
		delay, dies, answer = board.ask(tag)
		if err := context.Cause(ctx); err != nil {
			return 0, false, nil, err
		}
		if !wantsAgain(answer) || again >= board.Resubmissions {
			return delay, dies, answer, nil
		}
		board.record(tag, answer)
		took := delay + c.model.Latency.Of(Cost{Light: 1}) // a TPM says so before it begins
		if err := c.clock.Sleep(ctx, took+board.ResubmissionDelay, tag+" again"); err != nil {
			return 0, false, nil, err
		}
	}
}

// wantsAgain tells whether an answer is a warning that goes away by itself.
func wantsAgain(answer error) bool {
	for _, rc := range []tpm2.TPMRC{tpm2.TPMRCRetry, tpm2.TPMRCYielded, tpm2.TPMRCTesting} {
		if errors.Is(answer, rc) {
			return true
		}
	}
	return false
}

// handedOver tells, of an Offload that failed, whether the clock took the job:
// in virtual time it did, if the context ended only afterwards.
func (c *Chip) handedOver(ctx context.Context, why error) bool {
	cause := context.Cause(ctx)
	return c.clock.IsVirtual() && cause != nil && errors.Is(why, cause) && !errors.Is(why, vclock.ErrStopped)
}

// settle returns with c.mu locked and no job of the chip in flight: the one
// that was is over, and counts as done before.
func (c *Chip) settle() {
	c.mu.Lock()
	for c.running != nil {
		j := c.running
		c.mu.Unlock()
		j.finish()
		c.mu.Lock()
		if c.running == j {
			c.running = nil
		}
	}
}

// port is the chip as a job sees it.
type port struct {
	ctx   context.Context
	chip  *Chip
	now   time.Time // when the job began
	meter *meter
	dying bool // the engine of the next command dies
}

// dies tells whether the next command costs its engine, once.
func (p *port) dies() bool {
	dying := p.dying
	p.dying = false
	return dying
}

// Send runs a command; the chip's time moves on within a job as the commands'
// latencies say.
func (p *port) Send(command []byte) ([]byte, error) {
	c := p.chip
	if c.slot < 0 {
		return nil, ErrPowerOff
	}
	if len(command) < 10 {
		return nil, errShort
	}
	at := p.now.Sub(c.since) + p.meter.spent
	if err := p.meter.charge(tpm2.TPMCC(binary.BigEndian.Uint32(command[6:]))); err != nil {
		return nil, err
	}
	// Never backwards, which a TPM's time cannot go: a job with more light
	// commands than declared, or one in wall time, may be over before its
	// latencies are.
	c.millis = max(c.millis, uint64(at.Milliseconds()))
	if c.model.Family == family12 {
		return answer12(command), nil
	}
	response, err := c.lab.Exec(p.ctx, Slot{Index: c.slot, Entropy: c.entropy.next(), Millis: c.millis, Dies: p.dies()}, command)
	if err == nil {
		c.model.rewrite(command, response)
	}
	return response, err
}
