package power_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestPower(t *testing.T) { spec.Run(t, "power") }
