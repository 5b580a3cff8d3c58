package directory

import (
	"slices"
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// The rights of a new domain that joining and registering computers needs, in
// place of security descriptors:
//
//   - administrators may do all, and everybody who has logged on may read;
//   - a delegation on a container gives somebody rights in it and all below;
//   - everybody may add computers to the Computers container, up to the quota;
//   - who has made a computer may write what the class's default descriptor
//     gives its creator;
//   - an account may write its own personal information, where userCertificate
//     is, and a computer its own service names, if they are its own.

// Right is something that Delegate gives.
type Right string

// Rights, as the delegation wizard calls them.
const (
	CreateComputer Right = "create computer"
	DeleteComputer Right = "delete computer"
	ResetPassword  Right = "reset password"
	FullControl    Right = "full control"
)

// admin tells whether an identity may do all.
func (r *Replica) admin(id Identity) bool {
	if id.System {
		return true
	}
	for _, rid := range []uint32{ridDomainAdmins, ridEnterpriseAdmins} {
		if id.has(r.d.sid.With(rid)) {
			return true
		}
	}
	return id.has(Administrators)
}

// delegated tells whether an identity was given a right on a row or above it.
func (r *Replica) delegated(id Identity, at *row, right Right) bool {
	for ; at != nil; at = at.parent {
		for _, v := range at.obj.stored(atDelegations) {
			trustee, given, _ := strings.Cut(v, " ")
			if Right(given) != right && Right(given) != FullControl {
				continue
			}
			if sid, err := ldap.ParseSID(trustee); err == nil && id.has(sid) {
				return true
			}
		}
	}
	return false
}

// mayCreate decides about a new object of a class; byQuota says that it is the
// machine account quota that allows it.
func (r *Replica) mayCreate(id Identity, parent *row, class string) (byQuota bool, err error) {
	switch {
	case r.admin(id):
		return false, nil
	case class == "computer" && r.delegated(id, parent, CreateComputer), r.delegated(id, parent, FullControl):
		return false, nil
	case class == "computer" && !id.Anonymous() && parent == r.computers():
		// SeMachineAccountPrivilege, which authenticated users have ([MS-ADTS]
		// 3.1.1.5.2.1).
		return true, r.withinQuota(id)
	}
	return false, noCreateRight()
}

// withinQuota counts the computers that somebody has added by the quota.
func (r *Replica) withinQuota(id Identity) error {
	quota := r.rows[r.d.guid].obj.int(atMachineQuota)
	if int64(len(r.having(atCreatorSID, string(id.SID)))) >= quota {
		return quotaExceeded()
	}
	return nil
}

func (r *Replica) computers() *row {
	at, err := r.resolve("CN=Computers," + r.d.domainDN)
	if err != nil {
		return nil
	}
	return at
}

// creatorAttributes are what the default security descriptor of a computer
// lets its creator write, besides the password and the validated ones.
var creatorAttributes = []*attributeType{
	atUAC, atPwdLastSet, atAccountExpires, atDescription, atDisplayName, atSAM, atEncTypes, atWorkstations, atLockoutTime,
}

// personal are the attributes of the property set Personal-Information that the
// schema has ([MS-ADTS] 3.1.1.2.3.3), which everybody may write on themselves.
var personal = []*attributeType{
	atUserCertificate, must("street"), must("l"), must("st"), must("postalCode"), must("telephoneNumber"), must("mobile"), must("c"), must("info"),
}

// mayWrite decides about one attribute of an object. Validated writes are
// looked at when all changes are made.
func (r *Replica) mayWrite(id Identity, at *row, def *attributeType) error {
	if r.admin(id) || r.delegated(id, at, FullControl) {
		return nil
	}
	if r.writesAsCreator(id, at, def) || r.writesSelf(id, at, def) {
		return nil
	}
	if def == atUnicodePwd && r.delegated(id, at, ResetPassword) {
		return nil
	}
	return noWriteRight()
}

func (r *Replica) creator(id Identity, at *row) bool {
	owner := at.obj.first(atOwner)
	return owner != "" && owner == string(id.SID)
}

func (r *Replica) writesAsCreator(id Identity, at *row, def *attributeType) bool {
	return r.creator(id, at) && (slices.Contains(creatorAttributes, def) || def == atUnicodePwd || validated(def))
}

func (r *Replica) writesSelf(id Identity, at *row, def *attributeType) bool {
	if id.GUID != at.obj.guid || id.Anonymous() {
		return false
	}
	return slices.Contains(personal, def) || at.obj.is("computer") && (validated(def) || def == atEncTypes)
}

// validated tells whether an attribute is written by the rights
// Validated-SPN and Validated-DNS-Host-Name.
func validated(def *attributeType) bool { return def == atSPN || def == atDNSHostName }

// mayReset tells whether an identity may set a password without knowing the old one.
func (r *Replica) mayReset(id Identity, at *row) bool {
	return r.mayWrite(id, at, atUnicodePwd) == nil
}

func (r *Replica) mayDelete(id Identity, at *row) error {
	switch {
	case r.admin(id), r.delegated(id, at, FullControl):
		return nil
	case at.obj.is("computer") && r.delegated(id, at.parent, DeleteComputer):
		return nil
	}
	return noCreateRight()
}

// validNames checks what somebody without full control has written: a
// computer's DNS name is its account's in this domain ([MS-ADTS]
// 3.1.1.5.3.1.1.2), and the hosts of its service names are its own
// (3.1.1.5.3.1.1.4).
func (r *Replica) validNames(id Identity, at *row, d *draft, touched []*attributeType) error {
	if r.admin(id) || r.delegated(id, at, FullControl) {
		return nil
	}
	short := strings.ToLower(strings.TrimSuffix(d.first(atSAM), "$"))
	full := short + "." + r.d.o.Domain
	if slices.Contains(touched, atDNSHostName) {
		if host := d.first(atDNSHostName); host != "" && !strings.EqualFold(host, full) {
			return invalidValue(atDNSHostName)
		}
	}
	if !slices.Contains(touched, atSPN) {
		return nil
	}
	hosts := []string{short, full, strings.ToLower(d.first(atDNSHostName))}
	for _, spn := range d.stored(atSPN) {
		if slices.Contains(at.obj.stored(atSPN), spn) {
			continue
		}
		_, rest, ok := strings.Cut(strings.ToLower(spn), "/")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, ":")
		if !ok || host == "" || !slices.Contains(hosts, host) {
			return invalidValue(atSPN)
		}
	}
	return nil
}
