package vtpm

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
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

type deal struct{ state State }

// InState has the chip brought into a state before it is handed out.
func InState(s State) DealOption { return func(d *deal) { d.state = s } }

func (s State) check() error {
	if s != Ready && !slices.Contains(States(), string(s)) {
		return fmt.Errorf("vtpm: no chip state %q", string(s))
	}
	return nil
}

// Figures of the protection against dictionary attacks as Windows sets it
// (learn.microsoft.com, "TPM fundamentals": 32 authorisation failures, one
// forgotten every ten minutes; the time for the lockout password is a day).
const (
	lockoutTries    = 32
	lockoutRecovery = 10 * 60      // s
	lockoutPassword = 24 * 60 * 60 // s
)

// bring puts an image of a chip into a state: on the factory's bench, by the
// commands that would do it in the field.
func (l *Lab) bring(c *Chip, img *image, s State) (err error) {
	if c.model.Family != family20 || s == Ready {
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
	if err := c.change(b, s); err != nil {
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

// change is the commands of a state.
func (c *Chip) change(t transport.TPM, s State) error {
	switch s {
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
		return attack(t)
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
func attack(t transport.TPM) error {
	if err := dictionaryParameters(t, lockoutTries, lockoutRecovery, lockoutPassword); err != nil {
		return err
	}
	secret, err := createPrimary(t, tpm2.TPMRHNull, sealTemplate(), withPassword([]byte("right"), []byte("something sealed")))
	if err != nil {
		return err
	}
	for range lockoutTries {
		if _, err := unseal(t, secret.handle, []byte("wrong")); !errors.Is(err, tpm2.TPMRCAuthFail) {
			return fmt.Errorf("a wrong password is answered with %v", err)
		}
	}
	if _, err := unseal(t, secret.handle, []byte("right")); !errors.Is(err, tpm2.TPMRCLockout) {
		return fmt.Errorf("after %d wrong passwords the right one is answered with %v", lockoutTries, err)
	}
	return flush(t, secret.handle)
}

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
