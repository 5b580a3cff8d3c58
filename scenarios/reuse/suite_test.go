package reuse_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestReuse(t *testing.T) { spec.Run(t, "reset, retry, reuse") }
