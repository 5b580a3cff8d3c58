// Package attestation is about who gets in and who does not: attackers as
// specs. Each attacker is a PC whose Windows was replaced by a program of the
// attacker's; it has hardware, a genuine TPM and the network, and speaks the
// real protocols. What is expected is always the same: the service refuses with
// the fault that is documented for it, says in the journal which check decided,
// and is as it was before.
package attestation_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestAttestation(t *testing.T) { spec.Run(t, "attestation") }
