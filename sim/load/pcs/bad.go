package pcs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/aik"
)

// bad are the ways in which a PC of scope aik misbehaves. Each tells whether
// the service has done with it what it must: refused it or, where nothing is
// asked of it that it could refuse, served it or let it go.
var bad = map[string]func(ctx context.Context, m *member, r *record) (refused bool, err error){
	WrongEK: doWrongEK, Replay: doReplay, SlowReader: doSlowReader, Dropped: doDropped,
}

var errRecovered = errors.New("a TPM recovered a secret that was made for another")

// doWrongEK claims to have the TPM of another PC of the pool.
func doWrongEK(ctx context.Context, m *member, r *record) (bool, error) {
	other := m.pool.neighbour(m)
	if other == nil {
		return false, fmt.Errorf("%s needs a second PC in the pool", WrongEK)
	}
	e := m.aik.Again(ctx)
	e.Claim(other.aik)
	if err := e.Meet(); err != nil {
		return false, err
	}
	err := activate(e, r)
	if err == nil {
		return false, errRecovered
	}
	if !e.Challenged() {
		return rejected(err, r), err // refused at once
	}
	e.Guess()
	err = e.Answer()
	return rejected(err, r), err
}

// doReplay has a certificate, and asks for another with the same answer.
func doReplay(ctx context.Context, m *member, r *record) (bool, error) {
	e := m.aik.Again(ctx)
	if err := e.Meet(); err != nil {
		return false, err
	}
	if err := activate(e, r); err != nil {
		return false, err
	}
	if err := e.Answer(); err != nil {
		return false, err
	}
	r.answering()
	err := e.Resend()
	return rejected(err, r), err
}

// slowPause is how long a slow reader takes over a byte unless told otherwise:
// the answers of an exchange, some kilobytes, last seconds.
const slowPause = time.Millisecond

// rejected tells whether the AIK service has said no: by a reply in good order,
// or in plain HTTP.
func rejected(err error, r *record) bool {
	var no *aik.RejectedError
	return errors.As(err, &no) || err != nil && r.said()
}

// doSlowReader is served, and no other has to wait for it.
func doSlowReader(ctx context.Context, m *member, r *record) (bool, error) {
	err := doAIK(vnet.Slowly(ctx, m.pool.slowPause), m, r)
	return err == nil, err
}

// doDropped leaves the service with an open challenge.
func doDropped(ctx context.Context, m *member, r *record) (bool, error) {
	e := m.aik.Again(ctx)
	if err := e.Meet(); err != nil {
		return false, err
	}
	if err := activate(e, r); err != nil {
		return false, err
	}
	m.dev.NIC.Down()
	err := e.Answer()
	return err != nil && !rejected(err, r), err
}
