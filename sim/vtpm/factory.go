package vtpm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"windtunnel.test/sim/vclock"
)

// factorySeed is where everything random in a chip comes from while it is
// made, with the chip's identity and the recipe.
const factorySeed vclock.Seed = 0x464142

// entropy gives each operation its own key, in order.
type entropy struct {
	key [32]byte
	n   uint64
}

func (e *entropy) next() [32]byte {
	var b [40]byte
	copy(b[:], e.key[:])
	binary.BigEndian.PutUint64(b[32:], e.n)
	e.n++
	return sha256.Sum256(b[:])
}

// bench runs commands for the factory: no clock, no latency.
type bench struct {
	ctx     context.Context
	lab     *Lab
	slot    int
	entropy entropy
}

// Send is transport.TPM's only method.
func (b *bench) Send(command []byte) ([]byte, error) {
	return b.lab.Exec(b.ctx, Slot{Index: b.slot, Entropy: b.entropy.next()}, command)
}

// make runs the recipe for one chip and stores the image.
func (l *Lab) make(ctx context.Context, id ChipID) error {
	model, err := id.model()
	if err != nil {
		return err
	}
	slot, err := l.slots.take()
	if err != nil {
		return err
	}
	img, err := l.runRecipe(ctx, model, id, slot)
	if back := l.slots.put(slot); err == nil {
		err = back
	}
	if err != nil {
		return fmt.Errorf("vtpm: make chip %s: %w", id, err)
	}
	return l.cache.store(id, img)
}

func (l *Lab) runRecipe(ctx context.Context, model *Model, id ChipID, slot int) (*image, error) {
	names := []string{id.Model, strconv.Itoa(id.N), strconv.Itoa(recipeVersion)}
	b := &bench{ctx: ctx, lab: l, slot: slot, entropy: entropy{key: factorySeed.Key(names...)}}
	if err := l.reset(opManufacture, slot, b.entropy.next()); err != nil {
		return nil, err
	}
	if err := l.brand(slot, model); err != nil {
		return nil, err
	}
	if err := startup(b); err != nil {
		return nil, err
	}
	img, err := manufacture(b, model, id, aikUnique(factorySeed, names...))
	if err != nil {
		return nil, err
	}
	state, err := l.slots.at(slot)
	if err != nil {
		return nil, err
	}
	img.nv = append([]byte(nil), l.nv(state)...)
	return img, nil
}

// brand gives a chip that was just manufactured the firmware version of its
// model: it is part of the lasting state, and TPM2_Startup reads it from there.
func (l *Lab) brand(slot int, m *Model) error {
	state, err := l.slots.at(slot)
	if err != nil {
		return err
	}
	var theirs, ours [8]byte
	binary.LittleEndian.PutUint32(theirs[:], referenceFirmwareV1)
	binary.LittleEndian.PutUint32(theirs[4:], referenceFirmwareV2)
	v1, v2 := m.firmwareWords()
	binary.LittleEndian.PutUint32(ours[:], v1)
	binary.LittleEndian.PutUint32(ours[4:], v2)
	nv := l.nv(state)
	at := bytes.Index(nv, theirs[:])
	if at < 0 || bytes.Contains(nv[at+1:], theirs[:]) {
		return errors.New("vtpm: the reference code keeps its firmware version elsewhere")
	}
	copy(nv[at:], ours[:])
	return nil
}

// FIRMWARE_V1 and FIRMWARE_V2 of the reference code's VendorString.h, which lie
// one behind the other in PERSISTENT_DATA.
const (
	referenceFirmwareV1 = 0x20170619
	referenceFirmwareV2 = 0x00163636
)

// aikUnique is the random part of an AIK's template.
func aikUnique(seed vclock.Seed, names ...string) []byte {
	unique := make([]byte, 256)
	stream := seed.Stream(append([]string{"aik"}, names...)...)
	for i := 0; i < len(unique); i += 8 {
		binary.BigEndian.PutUint64(unique[i:], stream.Uint64())
	}
	return unique
}

// nv is the NV memory within a chip's state.
func (l *Lab) nv(state []byte) []byte {
	at, size := l.engine.field("s_NV")
	return state[at : at+size]
}

// reset is power coming to a chip, with or without manufacturing it. The
// reference code would test each algorithm when it is first used after that,
// 1.6 ms in all; the code is the same for every chip, so the tests count as
// passed. TPM2_SelfTest still runs them.
func (l *Lab) reset(op operation, slot int, entropy [32]byte) error {
	if _, err := l.operate(context.Background(), op, Slot{Index: slot, Entropy: entropy}, nil); err != nil {
		return err
	}
	state, err := l.slots.at(slot)
	if err != nil {
		return err
	}
	l.skipTests(state)
	return nil
}

func (l *Lab) skipTests(state []byte) {
	at, size := l.engine.field("g_toTest")
	clear(state[at : at+size])
}

// plug fills a zeroed slot with what outlives the loss of power.
func (l *Lab) plug(slot int, nv []byte) error {
	state, err := l.slots.at(slot)
	if err != nil {
		return err
	}
	if room := l.nv(state); len(nv) != len(room) {
		return fmt.Errorf("vtpm: NV memory of %d bytes, want %d", len(nv), len(room))
	}
	copy(l.nv(state), nv)
	at, _ := l.engine.field("g_manufactured")
	binary.LittleEndian.PutUint32(state[at:], 1)
	return nil
}
