package spec

import (
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// Option changes the world that a spec gets.
type Option func(*setup)

// setup is what a world is about to be made of.
type setup struct {
	apps    string            // more of them, as YAML
	more    map[string]string // resources by collection, as YAML
	keys    string            // of the scenario, beside those of the standard one, as YAML
	changes []func(*scenario.Tenant)
	whole   []func(*scenario.Scenario)
	start   time.Time
	seed    vclock.Seed
	home    vnet.Home
	timing  map[string]any
	faults  []fault.Rule

	attestation scenario.Attestation
}

// Variant gives the nth of several worlds of one spec a seed of its own, which
// follows from the spec's.
func Variant(name string) Option {
	return func(s *setup) { s.seed = s.seed.Derive("variant", name) }
}

// Tenant changes the standard tenant. A change is made before anything runs;
// what happens later is the administrator's work.
func Tenant(change func(*scenario.Tenant)) Option {
	return func(s *setup) { s.changes = append(s.changes, change) }
}

// Apps adds mobileApp resources to the standard tenant, as a YAML list like
// that of a scenario file.
func Apps(list string) Option {
	return func(s *setup) { s.apps += list }
}

// Timing overrides values of the timing profile, by their dotted paths.
func Timing(values map[string]any) Option {
	return func(s *setup) {
		for k, v := range values {
			s.timing[k] = v
		}
	}
}

// Faults adds rules for what breaks.
func Faults(rules ...fault.Rule) Option {
	return func(s *setup) { s.faults = append(s.faults, rules...) }
}

// Attestation says which TPMs Microsoft's services believe, and what becomes of
// an MDM key that cannot be attested; the default is the scenario file's.
func Attestation(a scenario.Attestation) Option {
	return func(s *setup) { s.attestation = a }
}

// Home says how the network carries requests; the default is vnet.Direct.
func Home(h vnet.Home) Option {
	return func(s *setup) { s.home = h }
}

// Start is when virtual time begins; the default is the scenario file's.
func Start(t time.Time) Option {
	return func(s *setup) { s.start = t }
}

// Part is one property of a PC that a spec makes.
type Part func(*making)

// making is a PC about to be made.
type making struct {
	make         device.Make
	chip         vtpm.ChipID
	state        vtpm.State
	installation device.Installation
	user         string
	place        string
	rtc          device.RTC
	protection   device.Protection
}

// Wireless is a PC without a socket for a network cable.
func Wireless(m *making) { m.make.Wireless = true }

// WithoutTPM leaves the TPM chip out.
func WithoutTPM(m *making) { m.chip = vtpm.ChipID{} }

// WithTPM puts another model's chip in.
func WithTPM(model string) Part {
	return func(m *making) { m.chip.Model = model }
}

// WithTPMState has the chip come in another condition than ready.
func WithTPMState(s vtpm.State) Part {
	return func(m *making) { m.state = s }
}

// WithoutSecureBoot switches Secure Boot off in firmware setup.
func WithoutSecureBoot(m *making) { m.protection.SecureBootOff = true }

// WithoutBitLocker keeps Windows from encrypting its drive.
func WithoutBitLocker(m *making) { m.protection.BitLockerOff = true }

// Edition is the edition of Windows on the disk; the default is Pro.
func Edition(e scenario.Edition) Part {
	return func(m *making) { m.installation.Edition = string(e) }
}

// Build is the build of Windows on the disk, or a release such as 24H2.
func Build(b string) Part {
	return func(m *making) { m.installation.Build = b }
}

// For registers the PC with a user, by user principal name.
func For(upn string) Part {
	return func(m *making) { m.user = upn }
}

// At says at which site the PC stands first; the default is the bench.
func At(site string) Part {
	return func(m *making) { m.place = site }
}
