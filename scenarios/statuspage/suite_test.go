package statuspage_test

import (
	"testing"

	"windtunnel.test/sim/spec"
)

func TestStatusPage(t *testing.T) { spec.Run(t, "enrollment status page") }
