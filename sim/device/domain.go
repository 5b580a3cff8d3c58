package device

import (
	"errors"
	"strings"

	"windtunnel.test/sim/wire/odj"
)

// Registry keys of a membership in a domain. Windows keeps it in several places
// and the machine's password among the secrets of the local security
// authority; the value names, and what waits for a start of Windows, are our
// model.
const (
	KeyDomain       = `HKLM\SYSTEM\CurrentControlSet\Services\Netlogon\Parameters\Membership`
	KeyDomainStaged = `HKLM\SYSTEM\CurrentControlSet\Control\OfflineDomainJoin\Staged`
	KeySecurity     = `HKLM\SECURITY`                              // what nobody but Windows reads
	KeyLSASecrets   = KeySecurity + `\Policy\Secrets\$MACHINE.ACC` // CurrVal: the machine's password; NewVal: the one that waits
	KeyTCPIP        = `HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`
	KeyActiveName   = `HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName`
	KeyODJApplied   = `HKLM\SOFTWARE\Microsoft\Provisioning\OMADM\SyncML\ODJApplied` // there once a blob was applied
)

// ODJState is how far an offline domain join is: the first property of the
// events 109 and 110, as the Get-AutopilotDiagnostics script reads it. It is
// kept as DWORD "State" of KeyODJ.
type ODJState uint32

// Its values.
const (
	ODJNotConfigured ODJState = 0
	ODJWaiting       ODJState = 1 // for the blob
	ODJProcessed     ODJState = 2
	ODJTimedOut      ODJState = 3 // no blob, or no domain controller
)

// KeyODJ is where the state is kept; our model.
const KeyODJ = `HKLM\SOFTWARE\Microsoft\Provisioning\OfflineDomainJoin`

// Membership is what a PC knows as a member of a domain.
type Membership struct {
	Domain     string // DNS name
	NetBIOS    string
	Forest     string
	Computer   string // the name of its account, without the "$"
	SID        string // of its account; "" where the blob did not tell
	DomainSID  string
	DomainGUID string
	Site       string // of the PC, as the controller saw it that made the account; "" unknown
	Controller string // that controller's DNS name

	Password string `json:"-"` // of its account
}

var errDomainJoin = errors.New("the blob names no DNS domain")

// Domain is the membership in force since this start of Windows, and whether
// there is one.
func (pc *PC) Domain() (Membership, bool) {
	r := pc.Disk.Registry
	if joined, _ := r.DWORD(KeyDomain, "Joined"); joined == 0 {
		return Membership{}, false
	}
	m := readMembership(r, KeyDomain)
	m.Password = r.String(KeyLSASecrets, "CurrVal")
	return m, true
}

// DomainStaged tells which membership the next start of Windows brings into
// force.
func (pc *PC) DomainStaged() (Membership, bool) {
	r := pc.Disk.Registry
	if ready, _ := r.DWORD(KeyDomainStaged, "Ready"); ready == 0 {
		return Membership{}, false
	}
	return readMembership(r, KeyDomainStaged), true
}

// StageDomainJoin writes down what the next start of Windows makes this PC a
// member of. Where the power goes before it is all written, it is not there.
func (w *Windows) StageDomainJoin(blob odj.Win7) error {
	m := Membership{
		Domain: strings.ToLower(blob.DNSDomain.DNS), NetBIOS: blob.DNSDomain.Name, Forest: strings.ToLower(blob.DNSDomain.Forest),
		Computer: blob.MachineName, SID: blob.AccountSID, DomainSID: blob.DNSDomain.SID, DomainGUID: blob.DNSDomain.GUID,
		Site: blob.Controller.ClientSite, Controller: strings.ToLower(strings.TrimLeft(blob.Controller.Name, `\`)),
	}
	if m.Domain == "" {
		return errDomainJoin
	}
	r := w.Registry()
	r.Delete(KeyDomainStaged, "Ready") // an older one is in force no more
	writeMembership(r, KeyDomainStaged, m)
	r.SetString(KeyLSASecrets, "NewVal", blob.MachinePassword)
	r.SetDWORD(KeyDomainStaged, "Ready", 1)
	w.Event("device.domain.staged", field("domain", m.Domain), field("computer", m.Computer))
	return nil
}

// joinStaged brings a membership into force that waits for this start. What
// waits is taken away last, so that a start that is cut off is made up for by
// the next one.
func (w *Windows) joinStaged() {
	r := w.Registry()
	m, ok := w.DomainStaged()
	if !ok {
		r.Delete(KeyLSASecrets, "NewVal") // of a join that is done, or was cut off while it was written down
		return
	}
	writeMembership(r, KeyDomain, m)
	r.SetString(KeyLSASecrets, "CurrVal", r.String(KeyLSASecrets, "NewVal"))
	r.SetString(KeyOOBE, "ComputerName", m.Computer)
	r.SetString(KeyActiveName, "ComputerName", m.Computer)
	r.SetString(KeyTCPIP, "NV Hostname", m.Computer)
	r.SetString(KeyTCPIP, "Domain", m.Domain)
	r.SetDWORD(KeyDomain, "Joined", 1)
	w.Event("device.domain.joined", field("domain", m.Domain), field("computer", m.Computer))
	r.DeleteTree(KeyDomainStaged)
}

// members are a membership's values in the registry, but for the password.
func (m *Membership) members() []struct {
	name  string
	value *string
} {
	return []struct {
		name  string
		value *string
	}{
		{"Domain", &m.Domain}, {"NetBIOS", &m.NetBIOS}, {"Forest", &m.Forest}, {"Computer", &m.Computer}, {"SID", &m.SID},
		{"DomainSID", &m.DomainSID}, {"DomainGUID", &m.DomainGUID}, {"Site", &m.Site}, {"Controller", &m.Controller},
	}
}

func readMembership(r *Registry, key string) (m Membership) {
	for _, v := range m.members() {
		*v.value = r.String(key, v.name)
	}
	return m
}

func writeMembership(r *Registry, key string, m Membership) {
	for _, v := range m.members() {
		r.SetString(key, v.name, *v.value)
	}
}
