// Package load_truth checks what a load says against targets of which every
// answer is known beforehand: the latency of each arrival is computed, and the
// figures have to agree with it.
package load_truth

import (
	"os"
	"testing"

	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/spec"
)

var board promise.Board

func TestMain(m *testing.M) { os.Exit(board.Main(m)) }

func TestLoadTruth(t *testing.T) { spec.Run(t, "load truth") }

func promiseOf(text, unit string, measured, limit float64) promise.Promise {
	return promise.Promise{Text: text, Unit: unit, Measured: measured, Limit: limit}
}
