package directory

import (
	"slices"
	"strings"
	"time"
)

// Account is an account as a replica knew it when it was asked.
type Account struct {
	GUID           GUID
	SID            SID
	DN             string
	SAM            string // sAMAccountName, "PC-1$"
	UPN            string
	SPNs           []string
	DNSHostName    string
	UAC            uint32 // userAccountControl, UAC...
	Computer       bool
	PwdLastSet     time.Time // zero: must change at next logon
	AccountExpires time.Time // zero: never
	LockedUntil    time.Time // zero: not locked
	Kvno           int
	Groups         []SID    // also through groups, the primary one first
	EncTypes       uint32   // msDS-SupportedEncryptionTypes; 0: not set
	Workstations   []string // NetBIOS names the account may log on at; none: all

	password string // UTF-16, as kept
}

// Disabled tells whether the account is disabled.
func (a Account) Disabled() bool { return a.UAC&UACDisabled != 0 }

// AccountBySAM finds an account by its sAMAccountName, "anna" or "PC-1$".
func (r *Replica) AccountBySAM(sam string) (Account, bool) { return r.lookup(atSAM, sam) }

// AccountByUPN finds an account by its user principal name, which is implicit
// where none is set: sAMAccountName@domain.
func (r *Replica) AccountByUPN(upn string) (Account, bool) {
	if a, ok := r.lookup(atUPN, upn); ok {
		return a, true
	}
	if sam, domain, ok := cutLast(upn, '@'); ok && (strings.EqualFold(domain, r.d.o.Domain) || strings.EqualFold(domain, r.d.o.NetBIOS)) {
		return r.AccountBySAM(sam)
	}
	return Account{}, false
}

// AccountByName finds an account by its sAMAccountName, with the dollar left
// out of a computer's or not, or its user principal name.
func (r *Replica) AccountByName(name string) (Account, bool) {
	for _, find := range []func(string) (Account, bool){r.AccountBySAM, r.AccountByUPN} {
		if a, ok := find(name); ok {
			return a, true
		}
	}
	return r.AccountBySAM(name + "$")
}

// hostServices are the services that a "host/..." name stands for (the value
// of sPNMappings, [MS-ADTS] 6.1.1.2.4.1.2).
var hostServices = strings.Split(spnMappings[len("host="):], ",")

// AccountBySPN finds the account of a service, "ldap/dc1.corp.contoso.com". A
// name with the realm or domain as third part finds the one without, and
// services of a machine that have no name of their own are its host's.
func (r *Replica) AccountBySPN(spn string) (Account, bool) {
	if a, ok := r.lookup(atSPN, spn); ok {
		return a, true
	}
	service, host, ok := strings.Cut(spn, "/")
	if !ok {
		return Account{}, false
	}
	if bare, instance, three := strings.Cut(host, "/"); three && (strings.EqualFold(instance, r.d.o.Domain) || strings.EqualFold(instance, r.d.o.NetBIOS)) {
		if a, ok := r.lookup(atSPN, service+"/"+bare); ok {
			return a, true
		}
	}
	if slices.Contains(hostServices, strings.ToLower(service)) {
		return r.lookup(atSPN, "host/"+host)
	}
	return Account{}, false
}

// AccountBySID finds an account by its SID.
func (r *Replica) AccountBySID(sid SID) (Account, bool) {
	defer r.enter()()
	return r.found(r.bySID(sid))
}

// Self is the controller's own account.
func (r *Replica) Self() (Account, bool) { return r.AccountBySAM(r.c.Name + "$") }

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func (r *Replica) lookup(def *attributeType, v string) (Account, bool) {
	defer r.enter()()
	return r.found(r.only(def, v))
}

func (r *Replica) found(at *row) (Account, bool) {
	if at == nil || !at.obj.is("user") {
		return Account{}, false
	}
	return r.account(at), true
}

func (r *Replica) account(at *row) Account {
	o := at.obj
	a := Account{
		GUID: o.guid, SID: SID(o.first(atObjectSID)), DN: at.dn(), SAM: o.first(atSAM), UPN: o.first(atUPN), SPNs: o.stored(atSPN),
		DNSHostName: o.first(atDNSHostName), UAC: uint32(o.int(atUAC)), Computer: o.is("computer"), PwdLastSet: o.time(atPwdLastSet),
		AccountExpires: o.time(atAccountExpires), LockedUntil: r.lockedUntil(o), Groups: r.groupSIDs(at),
		EncTypes: uint32(o.int(atEncTypes)), password: o.first(atUnicodePwd),
	}
	if i, ok := o.find(atUnicodePwd); ok {
		// The version of the password's value ([MS-ADTS] 3.1.1.4.5.16).
		a.Kvno = int(o.attrs[i].stamp.version)
	}
	if w := o.first(atWorkstations); w != "" {
		a.Workstations = strings.Split(w, ",")
	}
	return a
}

// groupSIDs are an account's groups: the primary one, those that list it, and
// those that list these.
func (r *Replica) groupSIDs(at *row) []SID {
	var out []SID
	seen := map[*row]bool{}
	add := func(g *row) {
		if sid := SID(g.obj.first(atObjectSID)); sid != "" && !seen[g] {
			out = append(out, sid)
		}
		seen[g] = true
	}
	if rid := at.obj.int(atPrimaryGroup); rid != 0 {
		if g := r.bySID(r.d.sid.With(uint32(rid))); g != nil {
			add(g)
			for _, above := range sorted(r.memberOf(g)) {
				add(above)
			}
		}
	}
	for _, g := range sorted(r.memberOf(at)) {
		add(g)
	}
	return out
}

func sorted(set map[*row]bool) []*row {
	list := make([]*row, 0, len(set))
	for at := range set {
		list = append(list, at)
	}
	sortRows(list)
	return list
}

// Identity is who does something. The zero value is anonymous.
type Identity struct {
	GUID         GUID
	SID          SID
	Name         string // `CORP\anna`
	DN           string
	Groups       []SID
	Confidential bool // the connection is TLS or sealed: set by who serves it
	System       bool // the directory itself
}

// System may do all.
var System = Identity{System: true, Confidential: true, Name: `NT AUTHORITY\SYSTEM`}

// Anonymous tells whether nobody has said who they are.
func (id Identity) Anonymous() bool { return !id.System && id.SID == "" }

// has tells whether an ACE for the SID is about the identity.
func (id Identity) has(sid SID) bool { return id.SID == sid || slices.Contains(id.Groups, sid) }

// Identify is who an account is once it has logged on.
func (r *Replica) Identify(a Account) Identity {
	return Identity{GUID: a.GUID, SID: a.SID, Name: r.d.o.NetBIOS + `\` + a.SAM, DN: a.DN,
		Groups: append(slices.Clone(a.Groups), AuthenticatedUsers, Everyone)}
}
