package apps_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestApps(t *testing.T) { spec.Run(t, "apps") }
