package mdm_test

import (
	"testing"

	"go.uber.org/goleak"

	"windtunnel.test/sim/device/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m, func() error { return goleak.Find() }) }
