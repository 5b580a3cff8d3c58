package scenario

import "time"

// People are those who handle the PCs.
type People struct {
	Technicians []Technicians `yaml:"technicians" doc:"Who pre-provisions PCs."`
	Users       Users         `yaml:"users" doc:"Who PCs are for."`
}

// Technicians are a crew at one site.
type Technicians struct {
	Site      string        `yaml:"site" need:"yes" doc:"Where they work."`
	Count     int           `yaml:"count" need:"yes" min:"1" max:"10000" doc:"How many they are, over all cells."`
	Bench     int           `yaml:"bench" default:"1" min:"1" max:"1000" doc:"PCs that one of them looks after at once."`
	Patience  time.Duration `yaml:"patience" default:"3h" min:"1s" doc:"How long one watches a screen on which nothing can be done before giving the PC up as stuck."`
	Refreshes int           `yaml:"refreshes" max:"100" doc:"How often one presses Refresh before Provision."`
	OnFailure OnFailure     `yaml:"onFailure" default:"leave" doc:"What one does about the red screen: leave the PC, or press Retry or Reset, once."`
}

// OnFailure is what a technician does about the failure page.
type OnFailure string

// What a technician can do about the failure page.
const (
	Leave OnFailure = "leave"
	Retry OnFailure = "retry"
	Reset OnFailure = "reset"
)

func (OnFailure) choices() []string { return []string{"leave", "retry", "reset"} }

// UserOnFailure is what a user does about a page that says what failed, where
// its organization lets them.
type UserOnFailure string

func (UserOnFailure) choices() []string { return []string{"leave", "retry", "reset", "continue"} }

// InCell is how many of them work in a cell, cells being numbered from 0, if so
// many others of their site were dealt before them.
func (t Technicians) InCell(cell, cells, before int) int {
	upTo := func(n int) int { return (n - cell + cells - 1) / cells } // of the first n
	return upTo(before+t.Count) - upTo(before)
}

// Users says who of the tenant's users gets a PC, and how they behave.
type Users struct {
	Group       string        `yaml:"group" doc:"Members of this group get the PCs, in turn; missing: all users."`
	SignsInAs   string        `yaml:"signsInAs" doc:"Account that they give on the organization's sign-in page in place of their own, of the tenant or of otherTenants; missing: their own."`
	ForWork     bool          `yaml:"forWork" doc:"Where Autopilot does not know a PC, they set it up for work or school by their own account; otherwise they go no further than the licence terms."`
	Preassigned Share         `yaml:"preassigned" doc:"Part of the PCs that is registered with its user."`
	Language    string        `yaml:"language" default:"en-US" doc:"Language that they choose in OOBE where it is left to them."`
	Patience    time.Duration `yaml:"patience" default:"4h" min:"1s" doc:"How long they watch a screen on which nothing can be done before they give up."`
	OnFailure   UserOnFailure `yaml:"onFailure" default:"leave" doc:"What they do about a page that says what failed, where it has that button: give up, press Try again or Reset once, or Continue anyway."`
	Stays       time.Duration `yaml:"stays" default:"8h" doc:"How long they work before they shut the PC down on the first day."`
}
