package vtpm

import (
	"testing"

	"windtunnel.test/sim/house/parity"
)

func TestParity(t *testing.T) { parity.Check(t) }
