package scenario

import (
	"time"

	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/ppkg"
	"windtunnel.test/sim/wire/ztd"
)

// MaxDevices is the largest fleet.
const MaxDevices = 100_000

// Fleet is the PCs: groups of like ones, and what single ones have of their own.
type Fleet struct {
	Groups  []Group    `yaml:"groups" need:"yes" doc:"PCs that are alike. They are numbered through, in this order."`
	Devices []Override `yaml:"devices" doc:"What single PCs have of their own."`
	Import  *Import    `yaml:"import" doc:"PCs from a hardware-hash CSV. --import fills it."`
	CSV     HashFile   `yaml:"csv" doc:"What becomes of the file with the hardware hashes before the administrator imports it."`
}

// Count is how many PCs there are.
func (f Fleet) Count() int {
	n := 0
	for _, g := range f.Groups {
		n += g.Count
	}
	return n
}

// groupOf is the group of a PC by its index, which begins with 1.
func (f Fleet) groupOf(index int) (Group, bool) {
	for _, g := range f.Groups {
		if index > 0 && index <= g.Count {
			return g, true
		}
		index -= g.Count
	}
	return Group{}, false
}

// Group is a number of PCs that go the same way.
type Group struct {
	Name         string                    `yaml:"name" need:"yes" doc:"How other sections and reports call it."`
	Count        int                       `yaml:"count" need:"yes" min:"1" max:"100000" doc:"How many PCs. --devices scales all groups."`
	Makes        Weights                   `yaml:"makes" doc:"Product lines: one name, a list, or names with weights; missing: any."`
	TPMs         Weights                   `yaml:"tpms" doc:"TPM models: one name, a list, or names with weights; missing: any."`
	TPMState     TPMState                  `yaml:"tpmState" default:"ready" doc:"Condition that the TPMs are in when the PCs are switched on first: ready, notReady (somebody else took ownership), cleared, lockedOut (too many failed authorisations), certificateMissing, certificateWithdrawn (EK certificate of an authority that its vendor withdrew)."`
	Cores        int                       `yaml:"cores" max:"1024" doc:"Processors; 0: as many as the product line has."`
	Memory       Size                      `yaml:"memory" doc:"Main memory, such as 8GB; missing: as much as the product line has."`
	Wireless     Share                     `yaml:"wireless" doc:"Part of the PCs that has no socket for a network cable."`
	SecureBoot   bool                      `yaml:"secureBoot" default:"true" doc:"Secure Boot is on in firmware setup; it is measured into the TPM."`
	BitLocker    bool                      `yaml:"bitLocker" default:"true" doc:"Windows encrypts its drive by itself once the PC has joined Entra ID, if it has a TPM and Secure Boot. The TPM tells of it from the next start on."`
	Windows      Windows                   `yaml:"windows" doc:"What the maker put on the disk."`
	FreeSpace    Size                      `yaml:"freeSpace" doc:"What is free on the disk when the PCs come, such as 20GB; 0: what the disk has beside Windows. A wipe brings the rest back."`
	Flow         Flow                      `yaml:"flow" default:"preprovision" doc:"preprovision: a technician first, the user later. user-driven: the user does it all."`
	Registered   bool                      `yaml:"registered" default:"true" doc:"Their hardware hashes are imported into the tenant before they come."`
	Hasty        bool                      `yaml:"hasty" doc:"They come as soon as their hashes are imported; others wait until a profile is assigned to them."`
	GroupTag     string                    `yaml:"groupTag" doc:"Registered with the PCs."`
	AssignedUser string                    `yaml:"assignedUser" doc:"User that all PCs of the group are registered with and go to; missing: people.users decides."`
	Bench        string                    `yaml:"bench" doc:"Site of the technician flow; missing: the only site that has technicians."`
	Arrival      SpanRange                 `yaml:"arrival" default:"0s" doc:"When the PCs come to the bench (user-driven: to their user), counted from their registration."`
	Shelf        SpanRange                 `yaml:"shelf" default:"2h..3w" doc:"Time from Reseal to the user's power-on."`
	Packages     []Package                 `yaml:"provisioningPackages" doc:"Provisioning packages (.ppkg) that the maker left on the recovery partition; Windows applies them in device setup."`
	Registry     []installer.RegistryValue `yaml:"registry" doc:"Registry values that the maker's image brings, and that a wipe brings back."`
	Destinations Weights                   `yaml:"destinations" need:"yes" doc:"Sites where users start the PCs: one name, a list, or names with weights."`
}

// Package is a provisioning package: what applying it sets.
type Package struct {
	Name     string    `yaml:"name" need:"yes" doc:"Its name, without .ppkg."`
	Settings []Setting `yaml:"settings" doc:"Nodes of configuration service providers, with their values."`
	Restart  bool      `yaml:"restart" doc:"The PC restarts once it is applied."`
}

// Setting is the value of one node.
type Setting struct {
	URI    string        `yaml:"uri" need:"yes" doc:"LocURI, such as ./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana."`
	Format SettingFormat `yaml:"format" default:"chr" doc:"Type of the value; chr is a text."`
	Value  string        `yaml:"value" doc:"The value as a text."`
}

// SettingFormat is a format of OMA-DM's meta information.
type SettingFormat string

func (SettingFormat) choices() []string { return []string{"chr", "int", "bool", "b64"} }

func (p Package) ppkg() ppkg.Package {
	out := ppkg.Package{Name: p.Name, Restart: p.Restart}
	for _, s := range p.Settings {
		out.Settings = append(out.Settings, ppkg.Setting{URI: s.URI, Format: string(s.Format), Value: s.Value})
	}
	return out
}

// Flow is a PC's way to the desktop.
type Flow string

// The two flows.
const (
	Preprovision Flow = "preprovision"
	UserDriven   Flow = "user-driven"
)

func (Flow) choices() []string { return []string{"preprovision", "user-driven"} }

// TPMState is the condition of a TPM.
type TPMState string

// TPMReady is the one that the factory delivers.
const TPMReady TPMState = "ready"

func (TPMState) choices() []string {
	return []string{"ready", "notReady", "cleared", "lockedOut", "certificateMissing", "certificateWithdrawn"}
}

// Windows is an installation.
type Windows struct {
	Build   Build   `yaml:"build" default:"25H2" doc:"Build and revision, such as \"26200.6584\", or a release, such as 25H2, which is its first build."`
	Edition Edition `yaml:"edition" default:"Pro" doc:"Edition."`
}

// Override is what one PC has of its own. What is left out is the group's.
type Override struct {
	Index        int          `yaml:"index" min:"1" max:"100000" doc:"Number of the PC in the fleet, from 1."`
	Serial       string       `yaml:"serial" doc:"With index: the serial number that the PC gets. Alone: the imported PC that has it."`
	Make         string       `yaml:"make" doc:"Product line."`
	TPM          string       `yaml:"tpm" doc:"TPM model."`
	TPMState     *TPMState    `yaml:"tpmState" doc:"Condition of its TPM."`
	Wireless     *bool        `yaml:"wireless" doc:"Has no socket for a network cable."`
	SecureBoot   *bool        `yaml:"secureBoot" doc:"Secure Boot is on."`
	BitLocker    *bool        `yaml:"bitLocker" doc:"Windows encrypts its drive by itself."`
	Build        *Build       `yaml:"build" doc:"Build of Windows."`
	Edition      *Edition     `yaml:"edition" doc:"Edition of Windows."`
	Flow         *Flow        `yaml:"flow" doc:"Way to the desktop."`
	GroupTag     *string      `yaml:"groupTag" doc:"Group tag; \"\" for none."`
	AssignedUser *string      `yaml:"assignedUser" doc:"User it is registered with; \"\" for none."`
	User         string       `yaml:"user" doc:"User it goes to."`
	Bench        string       `yaml:"bench" doc:"Site of the technician flow."`
	Destination  string       `yaml:"destination" doc:"Site where its user starts it."`
	Arrival      *SpanRange   `yaml:"arrival" doc:"When it comes to the bench."`
	Shelf        *SpanRange   `yaml:"shelf" doc:"Time from Reseal to the user's power-on."`
	Clock        *ClockOffset `yaml:"clock" doc:"How wrong the clock of its firmware is."`
}

// ClockOffset is a firmware clock's error.
type ClockOffset struct {
	Offset SignedDuration `yaml:"offset" doc:"What it is ahead (or, with a minus, behind) at the start of the run."`
	Drift  SignedDuration `yaml:"drift" doc:"What it gains (or loses) a day."`
}

// PerSecond is the drift in seconds a second.
func (c ClockOffset) PerSecond() float64 {
	return time.Duration(c.Drift).Seconds() / (24 * time.Hour).Seconds()
}

// Import is a CSV of Get-WindowsAutopilotInfo. The group's first PCs are made
// from its rows: hardware as decoded, TPMs of ours, and the hash computed again.
type Import struct {
	Group string `yaml:"group" doc:"Fleet group that the rows belong to; missing: the first."`
	Rows  []Row  `yaml:"rows" need:"yes" doc:"The devices."`
}

// Row is one line of the CSV.
type Row struct {
	Serial       string `yaml:"serial" need:"yes" doc:"Device Serial Number."`
	ProductID    string `yaml:"productId" doc:"Windows Product ID."`
	Hash         string `yaml:"hash" need:"yes" doc:"Hardware Hash, 4,000 characters of base64."`
	GroupTag     string `yaml:"groupTag" doc:"Group Tag."`
	AssignedUser string `yaml:"assignedUser" doc:"Assigned User."`
}

func rowOf(r ztd.Row) Row {
	return Row{Serial: r.Serial, ProductID: r.ProductID, Hash: r.Hash, GroupTag: r.GroupTag, AssignedUser: r.AssignedUser}
}
