package timing_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestTiming(t *testing.T) { spec.Run(t, "timing") }
