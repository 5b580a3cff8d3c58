package pcs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/pcs"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

var lab *vtpm.Lab

// TestMain runs the tests with one lab of TPMs for all of them.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "pcs")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if lab, err = vtpm.Open(vtpm.Options{CacheDir: dir}); err != nil {
			panic(err)
		}
		code := m.Run()
		err = lab.Close()
		if err = errors.Join(err, goleak.Find()); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		return code
	}())
}

// office is the built-in scenario with so many PCs and small downloads.
func office(t *testing.T, devices int) *scenario.Scenario {
	t.Helper()
	text := strings.ReplaceAll(string(quickstart.YAML), "size: 1600000000", "size: 1600000")
	s, problems := scenario.Load(quickstart.Name, []byte(text), sim.LoadOptions(false))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if s, problems = s.Resolve(scenario.Flags{Devices: devices, Cells: 1}); len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

// bench is a pool and what a test expects of it.
type bench struct {
	*gomega.WithT
	t    *testing.T
	pool *pcs.Pool
}

func pool(t *testing.T, devices int, scopes ...string) *bench {
	t.Helper()
	b := &bench{WithT: gomega.NewWithT(t), t: t}
	o := pcs.Options{Scenario: office(t, devices), Lab: lab, Scopes: map[string]float64{}}
	for _, name := range scopes {
		o.Scopes[name] = 1
	}
	var err error
	b.pool, err = pcs.New(t.Context(), o)
	b.Expect(err).NotTo(gomega.HaveOccurred())
	t.Cleanup(func() { b.Expect(b.pool.Close()).To(gomega.Succeed()) })
	return b
}

// arrive lets one PC come.
func (b *bench) arrive(ctx context.Context, scope, bad string) figure.Arrival {
	b.t.Helper()
	subject, err := b.pool.Take(ctx, scope, bad)
	b.Expect(err).NotTo(gomega.HaveOccurred())
	a := figure.Arrival{Scope: scope, Bad: bad}
	b.Expect(subject.Do(ctx, &a)).To(gomega.Succeed())
	b.pool.Give(subject)
	return a
}

func names(a figure.Arrival) []string {
	var list []string
	for _, s := range a.Steps {
		name := s.Name
		if !s.Outcome.OK() {
			name += " " + s.Outcome.Class()
		}
		list = append(list, name)
	}
	return list
}
