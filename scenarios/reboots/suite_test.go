package reboots_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestReboots(t *testing.T) { spec.Run(t, "reboots and sign-ins") }
