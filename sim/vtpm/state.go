package vtpm

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/timing"
)

// State is the condition that a chip is in when its PC is switched on first.
type State string

// The states. Each is brought about by commands to the chip, or by what its
// vendor has done.
const (
	Ready                State = ""                     // as the factory delivers it
	NotReady             State = "notReady"             // somebody took ownership and left no storage or attestation key
	Cleared              State = "cleared"              // TPM2_Clear: owner's and endorsement keys are gone, EK certificate and seed are not
	LockedOut            State = "lockedOut"            // too many failed authorisations; it heals with time under power
	CertificateMissing   State = "certificateMissing"   // no EK certificate, in NV or at the vendor's host
	CertificateWithdrawn State = "certificateWithdrawn" // EK certificate of an authority that the vendor has withdrawn
)

// States lists all states but Ready.
func States() []string {
	return []string{string(NotReady), string(Cleared), string(LockedOut), string(CertificateMissing), string(CertificateWithdrawn)}
}

// DealOption changes the chip that Deal hands out.
type DealOption func(*deal)

type deal struct {
	state   State
	figures timing.TPM
}

// InState has the chip brought into a state before it is handed out. The figures
// are those of the protection against dictionary attacks, as Windows sets it.
func InState(s State, figures timing.TPM) DealOption {
	return func(d *deal) { d.state, d.figures = s, figures }
}

func (s State) check(m *Model) error {
	switch {
	case s != Ready && !slices.Contains(States(), string(s)):
		return fmt.Errorf("vtpm: no chip state %q", string(s))
	case !m.Can(s):
		return fmt.Errorf("vtpm: a chip %s cannot be %s", m.Name, s)
	}
	return nil
}

// Can tells whether chips of the model can be in a state: a TPM 1.2 is modelled
// in none but Ready, and only a certificate that there is can be missing or of a
// withdrawn authority.
func (m *Model) Can(s State) bool {
	switch s {
	case Ready:
		return true
	case CertificateMissing, CertificateWithdrawn:
		withheld := slices.ContainsFunc(m.defects, func(d Defect) bool { return d.Withheld })
		return m.Family == family20 && slices.ContainsFunc(m.EKs, func(ek EK) bool {
			return ek.Certificate == InNV || ek.Certificate == ByURL && !withheld
		})
	}
	return m.Family == family20
}

// bring puts an image of a chip into a state: on the factory's bench, by the
// commands that would do it in the field.
func (l *Lab) bring(c *Chip, img *image, d deal) (err error) {
	s := d.state
	if s == Ready {
		return nil
	}
	slot, err := l.slots.take()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.slots.put(slot)) }()
	if err := l.plug(slot, img.nv); err != nil {
		return err
	}
	b := &bench{ctx: context.Background(), lab: l, slot: slot, entropy: entropy{key: factorySeed.Key("state", string(s), c.id.String())}}
	if err := l.reset(opReset, slot, b.entropy.next()); err != nil {
		return err
	}
	if err := startup(b); err != nil {
		return err
	}
	if err := c.change(b, d); err != nil {
		return fmt.Errorf("vtpm: bring %s into state %s: %w", c.id, s, err)
	}
	if err := shutdown(b); err != nil {
		return err
	}
	state, err := l.slots.at(slot)
	if err != nil {
		return err
	}
	c.parked = pack(l.nv(state))
	return nil
}

// Turn brings a chip that has power into a state, as somebody does who is at its
// PC: by the commands for it. Certificates that the chip's maker keeps are out of
// reach of commands.
func (c *Chip) Turn(ctx context.Context, s State, figures timing.TPM) error {
	if err := s.check(c.model); err != nil {
		return err
	}
	if (s == CertificateMissing || s == CertificateWithdrawn) && !slices.ContainsFunc(c.model.EKs, func(ek EK) bool { return ek.Certificate == InNV }) {
		return fmt.Errorf("vtpm: no command brings a %s into state %s: its maker keeps its certificates; deal it in that state, or block the maker's host", c.model.Name, s)
	}
	cost := Cost{Clear: 1, NVWrite: 8, CreateRSA: 1, Light: 8}
	if s == LockedOut {
		cost = Cost{CreateRSA: 2, Decrypt: figures.LockoutTries + 1, NVWrite: 2, Light: 2*figures.LockoutTries + 8}
	}
	err := c.Do(ctx, "TPM2_DictionaryAttackParameters", cost, func(t transport.TPM) error { return c.change(t, deal{state: s, figures: figures}) })
	if err != nil {
		return fmt.Errorf("vtpm: bring %s into state %s: %w", c.id, s, err)
	}
	return nil
}

// change is the commands of a state.
func (c *Chip) change(t transport.TPM, d deal) error {
	switch d.state {
	case NotReady:
		c.lasting = lasting{keys: poolKeys}
		for _, h := range []tpm2.TPMHandle{srkHandle, aikHandle} {
			if err := evict(t, tpm2.TPMRHOwner, h, h); err != nil {
				return err
			}
		}
		return changeAuth(t, tpm2.TPMRHOwner, []byte("somebody else"))
	case Cleared:
		c.lasting = lasting{keys: poolKeys}
		return clearOwner(t)
	case LockedOut:
		return attack(t, d.figures)
	case CertificateMissing:
		return c.eachCertificate(func(ek EK, _ crypto.PublicKey) error { return nvRemove(t, ek.Algorithm.index()) })
	case CertificateWithdrawn:
		return c.eachCertificate(func(ek EK, public crypto.PublicKey) error {
			der, err := c.model.ekCertificate(c.id, public, true)
			if err != nil {
				return err
			}
			if err := nvRemove(t, ek.Algorithm.index()); err != nil {
				return err
			}
			return nvStore(t, ek.Algorithm.index(), der)
		})
	}
	return nil
}

// eachCertificate goes through the EKs whose certificates are in NV.
func (c *Chip) eachCertificate(do func(EK, crypto.PublicKey) error) error {
	for _, ek := range c.model.EKs {
		if ek.Certificate != InNV {
			continue
		}
		if err := do(ek, c.endorsement(ek.Algorithm)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Chip) endorsement(a Algorithm) crypto.PublicKey {
	if a == ECC256 {
		return c.ekECC
	}
	return c.ek
}

// attack tries wrong passwords on an object that is protected against that,
// until the chip has enough of it.
func attack(t transport.TPM, f timing.TPM) error {
	tries := max(f.LockoutTries, 1)
	if err := dictionaryParameters(t, uint32(tries), seconds(f.LockoutRecovery), seconds(f.LockoutPassword)); err != nil {
		return err
	}
	secret, err := createPrimary(t, tpm2.TPMRHNull, sealTemplate(), withPassword([]byte("right"), []byte("something sealed")))
	if err != nil {
		return err
	}
	for range tries {
		if _, err := unseal(t, secret.handle, []byte("wrong")); !errors.Is(err, tpm2.TPMRCAuthFail) {
			return fmt.Errorf("a wrong password is answered with %v", err)
		}
	}
	if _, err := unseal(t, secret.handle, []byte("right")); !errors.Is(err, tpm2.TPMRCLockout) {
		return fmt.Errorf("after %d wrong passwords the right one is answered with %v", tries, err)
	}
	return flush(t, secret.handle)
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) }

// Publication is an EK certificate that the vendor's host has.
type Publication struct {
	Host string
	Key  crypto.PublicKey
	DER  func() ([]byte, error)
}

// Published lists what the vendor of a firmware TPM has on its host for this
// chip. There is nothing for a chip whose firmware shows a key that the vendor
// does not know, or whose certificate is missing.
func (c *Chip) Published() []Publication {
	withheld := slices.ContainsFunc(c.model.defects, func(d Defect) bool { return d.Withheld })
	if withheld || c.state == CertificateMissing {
		return nil
	}
	var list []Publication
	for _, ek := range c.model.EKs {
		if ek.Certificate != ByURL {
			continue
		}
		key := c.endorsement(ek.Algorithm)
		list = append(list, Publication{Host: c.model.Host, Key: key, DER: func() ([]byte, error) {
			return c.model.ekCertificate(c.id, key, c.state == CertificateWithdrawn)
		}})
	}
	return list
}
