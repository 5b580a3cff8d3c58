package walk_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestWalk(t *testing.T) { spec.Run(t, "walk") }
