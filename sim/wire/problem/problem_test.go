package problem_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/problem"
)

func Example() {
	var l problem.List
	l.Addf("devices.csv", 3, 12, "the hash is cut off")
	l.Addf("devices.csv", 1, 1, "remove the %s", "byte order mark")
	fmt.Println(l.Err())
	// Output:
	// devices.csv:1:1: remove the byte order mark
	// devices.csv:3:12: the hash is cut off
}

func TestErrNilWithoutProblems(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(problem.List{}.Err()).To(gomega.Succeed())
}

func TestAtMostMaxAreShown(t *testing.T) {
	g := gomega.NewWithT(t)
	var l problem.List
	for i := range problem.Max + 3 {
		l.Addf("f", i+1, 1, "x")
	}
	lines := strings.Split(l.Err().Error(), "\n")
	g.Expect(lines).To(gomega.HaveLen(problem.Max + 1))
	g.Expect(lines[problem.Max]).To(gomega.Equal("and 3 more"))
}

func TestPlaces(t *testing.T) {
	for want, p := range map[string]problem.Problem{
		"f:1:2: m": {File: "f", Line: 1, Col: 2, Message: "m"},
		"f:1: m":   {File: "f", Line: 1, Message: "m"},
		"f: m":     {File: "f", Message: "m"},
		"m":        {Message: "m"},
	} {
		g := gomega.NewWithT(t)
		g.Expect(p.String()).To(gomega.Equal(want))
	}
}

func TestFromFindsListInChain(t *testing.T) {
	g := gomega.NewWithT(t)
	l, ok := problem.From(fmt.Errorf("import: %w", problem.List{{Message: "m"}}))
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(l).To(gomega.HaveLen(1))
	_, ok = problem.From(errors.New("other"))
	g.Expect(ok).To(gomega.BeFalse())
}
