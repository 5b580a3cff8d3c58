package scenario

import (
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/wire/graph"
)

// Change is an entry of the timeline.
type Change struct {
	At Moment `yaml:"at" need:"yes" doc:"When: a time since the start, such as 3d, or an event."`
	Do Action `yaml:"do" need:"yes" doc:"What: one action."`
}

// Moment is a time since the start, or an event and a time after it.
type Moment struct {
	After Span
	Event *EventMatch // nil: After counts from the start
}

// EventMatch waits for an event of the journal.
type EventMatch struct {
	Event  string `yaml:"event" need:"yes" doc:"Kind of the event, such as device.resealed; * is any run of characters."`
	Device string `yaml:"device" doc:"Glob over PC names and serial numbers; missing: any."`
	Nth    int    `yaml:"nth" default:"1" min:"1" doc:"The nth such event of the run, in each cell."`
	After  Span   `yaml:"after" doc:"How long after the event."`
}

// Action changes the world. Exactly one member is set.
type Action struct {
	Assign              *Assign       `yaml:"assign" doc:"Assigns an app, profile, status page, configuration or policy."`
	Unassign            *Assign       `yaml:"unassign" doc:"Takes an assignment away."`
	Block               *HostAt       `yaml:"block" doc:"Puts a rule before all others of a site's firewall."`
	Unblock             *HostAt       `yaml:"unblock" doc:"Takes away the rules with exactly this host."`
	DeleteManagedDevice *DeviceTarget `yaml:"deleteManagedDevice" doc:"Deletes Intune's device record, as the portal does."`
	DeleteEntraDevice   *DeviceTarget `yaml:"deleteEntraDevice" doc:"Deletes the directory's object of a PC's registration."`
	DeleteRegistration  *DeviceTarget `yaml:"deleteRegistration" doc:"Deletes a PC's Autopilot registration."`
	Import              *DeviceTarget `yaml:"import" doc:"Imports the hardware hashes of these PCs, again or for the first time."`
	AllowNextEnrollment *DeviceTarget `yaml:"allowNextEnrollment" doc:"Unblock device: lets a pre-provisioned PC be deployed again."`
	AssignUser          *UserTo       `yaml:"assignUser" doc:"Assigns a user to a registered PC."`
	UnassignUser        *DeviceTarget `yaml:"unassignUser" doc:"Takes the assigned user away."`
	DisableService      *ServiceOf    `yaml:"disableService" doc:"Disables a Windows service on a PC, from its next boot on."`
	SetTPMState         *TPMStateOf   `yaml:"setTPMState" doc:"Brings a PC's TPM into a condition: notReady, cleared, lockedOut, certificateMissing."`
	Generalize          *DeviceTarget `yaml:"generalize" doc:"Generalizes a PC's Windows for an image (sysprep /generalize /oobe /shutdown); its next start is a first one."`

	Redeploy      *Redeployment  `yaml:"redeploy" doc:"Once a PC's story has ended: it is lived again. How the last one ends counts."`
	Press         *PressedButton `yaml:"press" doc:"Presses a button of the present screen, whoever stands before it."`
	PowerOn       *DeviceTarget  `yaml:"powerOn" doc:"Presses the power button of a PC that is off."`
	CutPower      *DeviceTarget  `yaml:"cutPower" doc:"Takes the power away."`
	SetClock      *ClockSet      `yaml:"setClock" doc:"Sets the clock of the firmware; Windows sees it at once."`
	MoveDevice    *DeviceTo      `yaml:"moveDevice" doc:"Carries a PC to another site."`
	UpdateWindows *DeviceBuild   `yaml:"updateWindows" doc:"Brings another build of Windows onto a PC, from its next start on."`
	ReplaceBoard  *DeviceTarget  `yaml:"replaceBoard" doc:"Repairs a PC that is off: another main board with another TPM of the same model; the old serial number is written into it."`
	SetRegistry   *RegistrySet   `yaml:"setRegistry" doc:"Writes a value into a PC's registry."`
	SetGroupTag   *TagOf         `yaml:"setGroupTag" doc:"Gives a registration another group tag."`
	Wipe          *RemoteWipe    `yaml:"wipe" doc:"Intune's remote action."`
	Retire        *DeviceTarget  `yaml:"retire" doc:"Intune's remote action."`
	SyncDevice    *DeviceTarget  `yaml:"syncDevice" doc:"Intune's remote action."`
	RestartDevice *DeviceTarget  `yaml:"restartDevice" doc:"Intune's remote action."`
	SetProxy      *SiteProxy     `yaml:"setProxy" doc:"Gives a site another proxy, or none."`
	AddFault      *fault.Rule    `yaml:"addFault" doc:"Adds a fault rule, as in faults."`
	RemoveFault   *FaultRule     `yaml:"removeFault" doc:"Takes a fault rule away."`
	Graph         *GraphCall     `yaml:"graph" doc:"Anything else that an administrator does by Microsoft Graph."`

	StopConnector     *ConnectorNamed  `yaml:"stopConnector" doc:"Stops an Intune Connector's service."`
	StartConnector    *ConnectorNamed  `yaml:"startConnector" doc:"Starts it again, also one that was stopped from the beginning."`
	SyncNow           *Now             `yaml:"syncNow" doc:"Lets Entra Connect synchronise now: {}"`
	StopEntraConnect  *Now             `yaml:"stopEntraConnect" doc:"Stops directory synchronisation: {}"`
	StartEntraConnect *Now             `yaml:"startEntraConnect" doc:"Starts it again: {}"`
	SetSCP            *ConnectionPoint `yaml:"setServiceConnectionPoint" doc:"Writes the domain's service connection point, or removes it (missing: true)."`
	Delegate          *Delegation      `yaml:"delegate" doc:"Lets a connector's account make computers in a unit."`
	DisableAccount    *AccountNamed    `yaml:"disableAccount" doc:"Disables an account of the domain."`
	EnableAccount     *AccountNamed    `yaml:"enableAccount" doc:"Enables it again."`
	UnlockAccount     *AccountNamed    `yaml:"unlockAccount" doc:"Unlocks it."`
	ResetPassword     *PasswordReset   `yaml:"resetPassword" doc:"Gives an account of the domain another password; the tenant's stays."`
	DeleteComputer    *DeviceTarget    `yaml:"deleteComputer" doc:"Deletes a PC's computer object in the domain."`
}

// Now is an action without arguments.
type Now struct{}

// ConnectorNamed is an Intune Connector.
type ConnectorNamed struct {
	Connector string `yaml:"connector" need:"yes" doc:"Its name."`
}

// AccountNamed is an account of the domain.
type AccountNamed struct {
	User string `yaml:"user" need:"yes" doc:"Principal name, or sAMAccountName."`
}

// PasswordReset is an account's new password.
type PasswordReset struct {
	User       string `yaml:"user" need:"yes" doc:"Principal name, or sAMAccountName."`
	Password   string `yaml:"password" need:"yes" doc:"The new one."`
	MustChange bool   `yaml:"mustChange" doc:"It must be changed at the next logon."`
}

// Delegation is a right to make computers.
type Delegation struct {
	Connector          string `yaml:"connector" need:"yes" doc:"Whose account."`
	OrganizationalUnit string `yaml:"organizationalUnit" need:"yes" doc:"Where; the domain's part may be left out."`
}

// Assign names an object of the tenant and who gets it.
type Assign struct {
	Object string       `yaml:"object" need:"yes" doc:"App, profile, status page, configuration or policy, by id or displayName."`
	To     string       `yaml:"to" need:"yes" doc:"Group by id or name, or: all devices, all users."`
	Intent graph.Intent `yaml:"intent" default:"required" doc:"Of an app: required, available, uninstall."`

	// Collection is the key below tenant that Object is in; Object is an id.
	// To is a group's id, AllDevices or AllUsers.
	Collection string `yaml:"-"`
}

// Targets that are no groups.
const (
	AllDevices = "all devices"
	AllUsers   = "all users"
)

// Target is who gets it, as Graph writes it.
func (a Assign) Target() graph.AssignmentTarget {
	switch a.To {
	case AllDevices:
		return graph.AllDevices()
	case AllUsers:
		return graph.AllUsers()
	}
	return graph.Group(a.To)
}

// HostAt is a host at a site.
type HostAt struct {
	Site string    `yaml:"site" need:"yes" doc:"Site."`
	Host string    `yaml:"host" need:"yes" doc:"Glob over host names."`
	Mode BlockMode `yaml:"mode" default:"refuse" doc:"What happens to a connection (block only)."`
}

// DeviceTarget is one or more PCs.
type DeviceTarget struct {
	Device string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
}

// UserTo is a user for a PC.
type UserTo struct {
	Device string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	User   string `yaml:"user" need:"yes" doc:"User principal name."`
}

// TPMStateOf is a condition for PCs' TPMs.
type TPMStateOf struct {
	Device string   `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	State  TPMState `yaml:"state" need:"yes" doc:"The condition, as in fleet.groups.tpmState."`
}

// ServiceOf is a Windows service of a PC.
type ServiceOf struct {
	Device  string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Service string `yaml:"service" need:"yes" doc:"Name of the service, such as wlidsvc."`
}
