package scenario

import (
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/vclock"
)

// Tags of the types in this package: yaml is the key, doc its meaning, default
// the value of a missing key, need that it must be there, min and max the
// limits of a number. Texts with a form of their own are types with
// UnmarshalText.

// Scenario is one file. All defaults are filled in, and objects are named by
// id where the file may name them by name.
type Scenario struct {
	Name        string        `yaml:"name" doc:"What reports call the run."`
	Description string        `yaml:"description" doc:"What the scenario is about, for people."`
	Start       time.Time     `yaml:"start" default:"2026-09-01T08:00:00Z" doc:"Virtual time at which the run starts."`
	Until       Span          `yaml:"until" default:"1 year" doc:"Virtual time after which the run ends, whatever is still under way."`
	Seed        vclock.Seed   `yaml:"seed" default:"1" doc:"Where all randomness of the run comes from: the same seed gives the same run. --seed overrides it."`
	Cells       int           `yaml:"cells" default:"1" min:"1" max:"1024" doc:"Worlds that the fleet is dealt into; they run side by side, each with its copy of tenant and sites and its part of the PCs and technicians. About 100 PCs a cell is a good size; 1 where PCs must meet in one tenant."`
	Tenant      Tenant        `yaml:"tenant" need:"yes" doc:"The customer's directory and Intune, as Microsoft Graph resources."`
	Others      []Other       `yaml:"otherTenants" doc:"Other organizations in the same cloud: accounts that sign in where they do not belong, PCs that were registered before."`
	Sites       []Site        `yaml:"sites" need:"yes" doc:"Places where PCs stand, each with its link and firewall."`
	People      People        `yaml:"people" doc:"Who handles the PCs."`
	Fleet       Fleet         `yaml:"fleet" need:"yes" doc:"The PCs."`
	Domain      *Domain       `yaml:"domain" doc:"The Active Directory domain that PCs of hybrid profiles join."`
	Connectors  []Connector   `yaml:"connectors" doc:"Intune Connectors for Active Directory, which make the computer accounts."`
	Connect     *EntraConnect `yaml:"entraConnect" doc:"Directory synchronisation (Microsoft Entra Connect); missing: nothing is synchronised."`
	Attestation Attestation   `yaml:"attestation" doc:"Which TPMs Microsoft's services believe."`
	Timeline    []Change      `yaml:"timeline" doc:"What changes in the world while it runs."`
	Faults      []fault.Rule  `yaml:"faults" doc:"What breaks: rules for answers, connections, the TPM and power."`
	Timing      Timing        `yaml:"timing" doc:"How long things take in Windows and in Microsoft's services."`
	Load        *LoadTest     `yaml:"load" doc:"What windtunnel load does with the scenario; windtunnel run does not look at it."`
	Expect      Expectations  `yaml:"expect" doc:"What must be so at the end; a run that misses it exits with 1."`

	// NotModelled names members and objects of the tenant that the services do
	// not know, by their path in the file. It is not part of the file.
	NotModelled []string `yaml:"-"`
	// ExpectLines are the lines of Expect's entries in the file that it was read
	// from. They are not part of it either.
	ExpectLines []int `yaml:"-"`
}

// notYet are the keys that a later version will know, by Go type: they are told
// apart from mistakes.
var notYet = map[string]map[string]string{
	"Scenario": {
		"tenants":  "more than one tenant in a run",
		"services": "real services in place of the built-in ones",
	},
	"Tenant": {
		"windowsQualityUpdateProfiles":     "quality updates",
		"groupPolicyConfigurations":        "administrative templates",
		"assignmentFilters":                "assignment filters",
		"ndesConnectors":                   "certificate connectors",
		"deviceHealthScripts":              "remediations",
		"roleScopeTags":                    "scope tags",
		"devices":                          "devices that exist before the run",
		"managedDevices":                   "devices that exist before the run",
		"windowsAutopilotDeviceIdentities": "devices that are registered before the run; use fleet.import",
	},
	"Site": {
		"vpn":           "VPNs of whole sites; seesDC says the same",
		"captivePortal": "captive portals",
	},
	"Proxy": {
		"authentication": "proxies that ask who you are",
	},
	"Group": {
		"join": "the choice of join; the deployment profile decides it",
	},
	"Override": {
		"virtual": "virtual machines",
		"link":    "links of single PCs",
	},
	"Action": {
		"removeLicense":  "changes of licences",
		"autopilotReset": "remote actions",
	},
}
