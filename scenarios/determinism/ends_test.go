package determinism_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
)

var _ = Describe("a person whose PC never moves on", func() {
	// stuck runs one PC with a change to the scenario and gives the run.
	stuck := func(change func(s *scenario.Scenario)) record {
		GinkgoHelper()
		s := small(7)
		s.Fleet.Devices, s.Faults = nil, nil
		change(s)
		s, problems := s.Resolve(scenario.Flags{Devices: 1})
		Expect(problems).To(BeEmpty())
		lab := open("")
		defer func() { Expect(lab.Close()).To(Succeed()) }()
		return run(sim.RunOptions{Scenario: s, Lab: lab}, 2)
	}

	It("gives up as a technician, and the run says at which row", func() {
		r := stuck(func(s *scenario.Scenario) {
			s.Tenant.Apps[0].Windtunnel.Duration = 6 * time.Hour
			s.Tenant.StatusPages[0].InstallProgressTimeoutInMinutes = 24 * 60
			s.People.Technicians[0].Patience = 45 * time.Minute
		})
		Expect(r.Outcomes).To(HaveLen(1))
		Expect(r.Outcomes).To(HaveKeyWithValue("stuck(esp, Apps)", 1))
		Expect(r.Failures).To(HaveLen(1))
		Expect(r.End.Before(r.Start.Add(24*time.Hour))).To(BeTrue(), "the run ends with the story")
		Expect(r.Interrupted).To(BeFalse())
	})

	It("gives up as a user, and the run says at which row", func() {
		r := stuck(func(s *scenario.Scenario) {
			s.Tenant.Apps[1].Windtunnel.Duration = 6 * time.Hour // the one for the user
			s.Tenant.StatusPages[0].InstallProgressTimeoutInMinutes = 24 * 60
			s.People.Users.Patience = time.Hour
		})
		Expect(r.Outcomes).To(HaveLen(1))
		Expect(r.Outcomes).To(HaveKeyWithValue("stuck(esp, Apps)", 1))
	})
})
