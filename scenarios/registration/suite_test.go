package registration_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestRegistration(t *testing.T) { spec.Run(t, "registration") }
