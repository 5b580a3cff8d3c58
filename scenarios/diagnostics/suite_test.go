package diagnostics_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestDiagnostics(t *testing.T) { spec.Run(t, "diagnostics") }
