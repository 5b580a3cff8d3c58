// Package tpmmodels is about TPM chips: what becomes of a PC with each vendor's
// part, good and bad, and with a chip in each condition that it may be found in.
// Each row is a documented outcome; nothing in Windows or in the services asks
// for a model by its name.
package tpmmodels_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestTPMModels(t *testing.T) { spec.Run(t, "TPM models") }
