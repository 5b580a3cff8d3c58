// Package health is about how a PC starts and who can tell: firmware, boot
// loader and Windows measure into the TPM and write a log; a quote holds
// against the log; an attestation service answers for it, and Intune's
// compliance follows from that answer. The attackers here hold a genuine TPM
// and would like a better log than the boot that they had.
package health_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestHealth(t *testing.T) { spec.Run(t, "health") }
