package technician_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestTechnicianFlow(t *testing.T) { spec.Run(t, "technician flow") }
