package pcs_test

import (
	"context"
	"slices"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/load"
	"windtunnel.test/sim/load/pcs"
)

// steps are what each scope is made of, in this order, perhaps with others
// between.
var steps = map[string][]string{
	pcs.Activation: {"tpm.certify", "aik.request", "tpm.activate"},
	pcs.AIK:        {"aik.GetCACaps", "aik.GetCACertChain", "tpm.certify", "aik.request", "tpm.activate", "aik.answer"},
	pcs.Join:       {"drs.discover", "drs.nonce", "drs.join"},
	pcs.Enrolment:  {"enroll.ping", "enroll.discover", "enroll.policy", "enroll.enrol"},
	pcs.Technician: {
		"ztd.profile", "technician.profile", "aik.request", "aik.answer", "technician.attestation", "drs.join", "technician.join",
		"enroll.enrol", "technician.enrolment", "mdm.session", "technician.setup",
	},
	pcs.Life: {"aik.answer", "drs.join", "enroll.enrol", "technician.setup", "ztd.profile", "drs.join", "user"},
}

// small scopes are nothing but their steps.
var small = []string{pcs.Activation, pcs.AIK, pcs.Join, pcs.Enrolment}

// TestScopes has PCs do each scope, and again after they were put back.
func TestScopes(t *testing.T) {
	for _, scope := range pcs.Scopes() {
		t.Run(scope, func(t *testing.T) {
			const devices = 3
			b := pool(t, devices, scope)
			b.Expect(b.pool.Free(scope)).To(gomega.Equal(devices))
			for range devices + 2 {
				a := b.arrive(t.Context(), scope, "")
				b.Expect(a.Outcome.OK()).To(gomega.BeTrue(), "%+v %v", a.Outcome, names(a))
				b.Expect(a.Device).To(gomega.HavePrefix("PC-"))
				b.Expect(a.Refused).To(gomega.BeFalse())
				got := names(a)
				if slices.Contains(small, scope) {
					b.Expect(got).To(gomega.Equal(steps[scope]))
				} else {
					b.Expect(inOrder(got, steps[scope])).To(gomega.BeEmpty(), "missing in %v", got)
				}
				for _, s := range a.Steps {
					b.Expect(s.Begin.After(s.End)).To(gomega.BeFalse(), s.Name)
					b.Expect(s.Name).NotTo(gomega.ContainSubstring("/"))
				}
			}
			lost, why := b.pool.Lost()
			b.Expect(why).NotTo(gomega.HaveOccurred())
			b.Expect(lost).To(gomega.BeZero())
		})
	}
}

// inOrder gives what of want is not in got after the one before it.
func inOrder(got, want []string) []string {
	for _, name := range got {
		if len(want) > 0 && want[0] == name {
			want = want[1:]
		}
	}
	return want
}

// TestMixedPool deals PCs to scopes by their shares.
func TestMixedPool(t *testing.T) {
	b := &bench{WithT: gomega.NewWithT(t), t: t}
	var err error
	var stages []string
	b.pool, err = pcs.New(t.Context(), pcs.Options{
		Scenario: office(t, 8), Lab: lab, Scopes: map[string]float64{pcs.AIK: 3, pcs.Join: 1},
		Progress: func(stage string, done, total int) {
			b.Expect(done).To(gomega.BeNumerically("<=", total))
			stages = append(stages, stage)
		},
	})
	b.Expect(err).NotTo(gomega.HaveOccurred())
	defer func() { b.Expect(b.pool.Close()).To(gomega.Succeed()) }()
	b.Expect(slices.Compact(stages)).To(gomega.Or(gomega.Equal([]string{"registration", "preparation"}), gomega.Equal([]string{"TPM images", "registration", "preparation"})))
	b.Expect(b.pool.Devices(pcs.AIK)).To(gomega.Equal(6))
	b.Expect(b.pool.Free(pcs.Join)).To(gomega.Equal(2))
	b.Expect(b.arrive(t.Context(), pcs.Join, "").Outcome.OK()).To(gomega.BeTrue())
	b.Expect(b.arrive(t.Context(), pcs.AIK, "").Outcome.OK()).To(gomega.BeTrue())
}

// TestNobody says so where no PC will come.
func TestNobody(t *testing.T) {
	b := pool(t, 1, pcs.AIK)
	for _, c := range [][2]string{{pcs.Life, ""}, {pcs.AIK, "unheard of"}} {
		_, err := b.pool.Take(t.Context(), c[0], c[1])
		b.Expect(err).To(gomega.MatchError(load.ErrNone))
	}
	taken, err := b.pool.Take(t.Context(), pcs.AIK, "")
	b.Expect(err).NotTo(gomega.HaveOccurred())
	b.Expect(b.pool.Free(pcs.AIK)).To(gomega.BeZero())
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, err = b.pool.Take(gone, pcs.AIK, "")
	b.Expect(err).To(gomega.MatchError(context.Canceled))
	b.pool.Give(taken)
	b.Expect(b.pool.Free(pcs.AIK)).To(gomega.Equal(1))
}

// TestInterrupted breaks a flow off: the PC comes again as if nothing had been.
func TestInterrupted(t *testing.T) {
	b := pool(t, 1, pcs.Technician)
	subject, err := b.pool.Take(t.Context(), pcs.Technician, "")
	b.Expect(err).NotTo(gomega.HaveOccurred())
	ctx, stop := b.pool.World.Clock.WithTimeout(t.Context(), 1, load.ErrNone)
	defer stop()
	b.Expect(subject.Do(ctx, &arrivalOf)).To(gomega.MatchError(load.ErrNone))
	b.pool.Give(subject)
	b.Expect(b.arrive(t.Context(), pcs.Technician, "").Outcome.OK()).To(gomega.BeTrue())
}

func TestUnusable(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, o := range []pcs.Options{
		{},
		{Scenario: office(t, 2), Lab: lab},
		{Scenario: office(t, 2), Lab: lab, Scopes: map[string]float64{"joining": 1}},
		{Scenario: office(t, 1), Lab: lab, Scopes: map[string]float64{pcs.AIK: 1, pcs.Join: 1}},
	} {
		_, err := pcs.New(t.Context(), o)
		g.Expect(err).To(gomega.HaveOccurred())
		_, err = pcs.Needs(o)
		g.Expect(err).To(gomega.HaveOccurred())
	}
}
