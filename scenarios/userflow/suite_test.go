package userflow_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestUserFlow(t *testing.T) { spec.Run(t, "user flow") }
