package problem_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/problem"
)

func TestDistance(t *testing.T) {
	g := gomega.NewWithT(t)
	for words, want := range map[[2]string]int{
		{"run", "run"}: 0, {"rnu", "run"}: 1, {"rum", "run"}: 1, {"", "run"}: 3, {"devcies", "devices"}: 1, {"x", "version"}: 7, {strings.Repeat("x", 1000), "run"}: 80,
	} {
		g.Expect(problem.Distance(words[0], words[1])).To(gomega.Equal(want), "%q", words)
	}
}
