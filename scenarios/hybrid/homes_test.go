package hybrid_test

import (
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/domain/samba"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

const (
	domainName = "corp.contoso.com"
	domainDN   = "DC=corp,DC=contoso,DC=com"
	unit       = "OU=Autopilot," + domainDN
)

// newWorld is a hybrid world of the running spec: what [spec.Hybrid] makes, with
// changes of the scenario.
func newWorld(changes ...func(*scenario.Scenario)) *spec.World {
	GinkgoHelper()
	return spec.NewWorld(spec.Hybrid(changes...))
}

// maker makes a hybrid world in some home.
type maker func(changes ...func(*scenario.Scenario)) *spec.World

// inEachHome runs specs in every home of the cloud's requests and of the
// domain's messages. They come to the same in each.
func inEachHome(text string, specs func(newWorld maker)) bool {
	return Describe(text, func() {
		Describe("on the built-in network", func() { specs(newWorld) })
		Describe("with TLS on all requests", func() {
			specs(func(changes ...func(*scenario.Scenario)) *spec.World {
				return spec.NewWorld(spec.Hybrid(changes...), spec.Home(vnet.TLS))
			})
		})
		Describe("with the domain on real sockets", func() {
			specs(func(changes ...func(*scenario.Scenario)) *spec.World {
				return newWorld(append(changes, func(s *scenario.Scenario) { s.Domain.Home = scenario.DomainTCP })...)
			})
		})
		Describe("in Samba's domain", Label("samba"), func() { specs(withSamba) })
	})
}

// provisioned is Samba's domain, made once for all specs, some time before
// their worlds begin.
var provisioned = sync.OnceValues(func() (*samba.Domain, error) {
	return samba.Make(place, domainName, "CORP", vclock.DefaultStart.AddDate(0, -1, 0))
})

// withSamba puts Samba's domain controller into the place of the built-in
// forest, at the world's time; it is as new for each world.
func withSamba(changes ...func(*scenario.Scenario)) *spec.World {
	GinkgoHelper()
	d, err := provisioned()
	Expect(err).NotTo(HaveOccurred())
	Expect(d.SetTime(vclock.DefaultStart)).To(Succeed())
	c, err := d.Start(samba.Directory)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			AddReportEntry("what Samba said", c.Log())
		}
		Expect(c.Close()).To(Succeed())
	})
	return newWorld(append(changes, func(s *scenario.Scenario) {
		s.Domain.Type = scenario.SambaDomain
		s.Domain.Samba = &scenario.Samba{Address: samba.Address, Controller: samba.Name, Administrator: "Administrator", Password: samba.Password, Faketime: d.TimeFile()}
	})...)
}

const day = 24 * time.Hour
