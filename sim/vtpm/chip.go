package vtpm

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/vclock"
)

// Chip is one TPM 2.0 of a vendor, in one PC. Its NV memory lasts; the rest of
// its state is there from PowerOn to PowerOff only.
type Chip struct {
	lab   *Lab
	clock vclock.Clock
	id    ChipID
	model *Model
	seed  vclock.Seed
	ek    *rsa.PublicKey
	ekECC *ecdsa.PublicKey // nil: there is none
	state State
	turn  vclock.Semaphore // whose commands run

	mu      sync.Mutex
	board   Board
	running *job   // the last job, maybe over; nil: surely none
	slot    int    // -1: no power
	parked  []byte // packed NV memory, while there is no power
	boots   int
	since   time.Time // when it got power
	millis  uint64    // since then, at the last command
	entropy entropy
	pool    [][]byte // the image's wrapped keys, while there is power and once asked for
	lasting
}

// lasting is what outlives the loss of power beside NV memory.
type lasting struct {
	aik  birth
	keys int // how many of the image's wrapped keys were handed out
}

func newChip(l *Lab, clock vclock.Clock, id ChipID, m *Model, run vclock.Seed, img *image) *Chip {
	c := &Chip{
		lab: l, clock: clock, id: id, model: m, seed: run.Derive("tpm", id.Model, strconv.Itoa(id.N)),
		ek:      img.public(m.EKs[0].Algorithm).(*rsa.PublicKey),
		turn:    clock.NewSemaphore("tpm "+id.String(), 1),
		slot:    -1,
		parked:  pack(img.nv),
		lasting: lasting{aik: img.aik.clone()},
	}
	if len(img.ekECC) > 0 {
		c.ekECC = img.public(ECC256).(*ecdsa.PublicKey)
	}
	return c
}

// ID says which chip it is.
func (c *Chip) ID() ChipID { return c.id }

// Model is the part that it is one of.
func (c *Chip) Model() *Model { return c.model }

// EKPublic is the endorsement key that Windows uses, RSA-2048 or RSA-3072. It
// needs no power: it is what the factory wrote down.
func (c *Chip) EKPublic() *rsa.PublicKey { return c.ek }

// SecondEKPublic is the ECC P-256 endorsement key, nil where the part has none.
// The TCG's template L-2 makes it again.
func (c *Chip) SecondEKPublic() *ecdsa.PublicKey { return c.ekECC }

// State is the one that the chip was dealt in.
func (c *Chip) State() State { return c.state }

// On tells whether the chip has power.
func (c *Chip) On() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slot >= 0
}

// PowerOn gives the chip power and starts it with TPM2_Startup(CLEAR), as
// firmware does. It fails when the chip has power.
func (c *Chip) PowerOn(ctx context.Context) error {
	err := c.run(ctx, "TPM2_Startup", Cost{Startup: 1}, func(t transport.TPM) error {
		if c.slot >= 0 {
			return errors.New("it has power")
		}
		if err := c.energize(t.(*port).now); err != nil {
			return err
		}
		if c.model.Family == family12 {
			return startup12(t)
		}
		return startup(t)
	})
	if err != nil {
		return fmt.Errorf("vtpm: power on %s: %w", c.id, err)
	}
	return nil
}

func (c *Chip) energize(now time.Time) error {
	nv, err := unpack(c.parked)
	if err != nil {
		return err
	}
	slot, err := c.lab.slots.take()
	if err != nil {
		return err
	}
	if err := c.lab.plug(slot, nv); err != nil {
		return errors.Join(err, c.lab.slots.put(slot))
	}
	c.boots++
	c.entropy = entropy{key: c.seed.Key("boot", strconv.Itoa(c.boots))}
	c.since, c.millis = now, 0
	if err := c.lab.reset(opReset, slot, c.entropy.next()); err != nil {
		return errors.Join(err, c.lab.slots.put(slot))
	}
	c.slot, c.parked = slot, nil
	return nil
}

// PowerOff takes the power away: what is not in NV memory is lost, and the TPM
// will know at the next start that nobody told it. Without power it does
// nothing. A job in flight is over before.
func (c *Chip) PowerOff() {
	c.settle()
	defer c.mu.Unlock()
	c.cut()
}

// cut is PowerOff with c.mu held. Slots that are in use can be read and given
// back, so errors there are misuse of the lab after Close.
func (c *Chip) cut() {
	if c.slot < 0 {
		return
	}
	state, err := c.lab.slots.at(c.slot)
	if err == nil {
		c.parked = pack(c.lab.nv(state))
		err = c.lab.slots.put(c.slot)
	}
	c.slot, c.pool = -1, nil
	if err != nil {
		c.lab.warn(fmt.Sprintf("power off %s: %v", c.id, err))
	}
}

// Shutdown is the orderly end: TPM2_Shutdown(CLEAR), then no power.
func (c *Chip) Shutdown(ctx context.Context) error {
	err := c.Do(ctx, "TPM2_Shutdown", Cost{Startup: 1}, func(t transport.TPM) error {
		stop := shutdown
		if c.model.Family == family12 {
			stop = saveState12
		}
		if err := stop(t); err != nil {
			return err
		}
		c.cut()
		return nil
	})
	if err != nil {
		return fmt.Errorf("vtpm: shut down %s: %w", c.id, err)
	}
	return nil
}

// Clear is TPM2_Clear, as the firmware does it on request: the owner's keys
// are gone for good, with everything wrapped by them. EK certificate and the
// EK's seed stay. Provision makes new lasting keys.
func (c *Chip) Clear(ctx context.Context) error {
	err := c.Do(ctx, "TPM2_Clear", Cost{Clear: 1}, func(t transport.TPM) error {
		if err := clearOwner(t); err != nil {
			return err
		}
		c.lasting = lasting{keys: poolKeys}
		return nil
	})
	if err != nil {
		return fmt.Errorf("vtpm: clear %s: %w", c.id, err)
	}
	return nil
}

// Provision makes EK, SRK and a new AIK in a chip that was cleared. The EK
// comes out as it was, since its seed outlives TPM2_Clear.
func (c *Chip) Provision(ctx context.Context) error {
	cost := Cost{CreateRSA: 3, NVWrite: 3, Light: 5}
	err := c.Do(ctx, "TPM2_CreatePrimary", cost, func(t transport.TPM) error {
		_, aik, err := provision(t, c.model, aikUnique(c.seed, strconv.Itoa(c.boots), strconv.FormatUint(c.entropy.n, 10)))
		if err != nil {
			return err
		}
		c.aik = birth{data: aik.data, hash: aik.hash, ticket: aik.ticket}.clone()
		return nil
	})
	if err != nil {
		return fmt.Errorf("vtpm: provision %s: %w", c.id, err)
	}
	return nil
}
