package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// Add makes an object ([MS-ADTS] 3.1.1.5.2). Errors: entryAlreadyExists,
// insufficientAccessRights (no right to create the class there),
// unwillingToPerform with 0000216D (the machine account quota is used up), and
// those of Modify.
func (r *Replica) Add(ctx context.Context, id Identity, dn string, attributes []ldap.Attribute) error {
	if id.Anonymous() {
		return needBind()
	}
	defer r.enter()()
	c := r.begin()
	if err := r.add(c, id, dn, attributes); err != nil {
		return err
	}
	if err := c.commit(false); err != nil {
		return err
	}
	r.record(ctx, "ad.added", dn)
	return nil
}

func (r *Replica) add(c *change, id Identity, dn string, attributes []ldap.Attribute) error {
	name, err := ldap.ParseDN(dn)
	if err != nil || len(name) == 0 || len(name[0]) != 1 {
		return badName(dn)
	}
	class, err := classOf(attributes)
	if err != nil {
		return err
	}
	if !strings.EqualFold(name[0][0].Type, class.rdn) || name[0][0].Value == "" {
		return namingViolation(dn)
	}
	parent, err := r.resolve(name.Parent().String())
	if err != nil {
		return err
	}
	if r.child(parent, name[0]) != nil {
		return objectExists()
	}
	byQuota, err := r.mayCreate(id, parent, class.name)
	if err != nil {
		return err
	}
	if byQuota {
		if err := withinQuotaAttributes(attributes); err != nil {
			return err
		}
	}
	d := r.blank(class, parent, name[0])
	at := &row{obj: &d.object, parent: parent}
	if err := r.fill(c, id, at, d, attributes); err != nil {
		return err
	}
	if err := r.defaults(c, d); err != nil {
		return err
	}
	if err := r.ownPrimaryGroup(id, d); err != nil {
		return err
	}
	if !r.admin(id) {
		d.set(atOwner, string(id.SID))
		if byQuota {
			d.set(atCreatorSID, string(id.SID))
		}
		if err := restrictedAccount(d); err != nil {
			return err
		}
	}
	if err := r.validNames(id, at, d, []*attributeType{atSPN, atDNSHostName}); err != nil {
		return err
	}
	if err := r.unique(d); err != nil {
		return err
	}
	c.objects = append(c.objects, d.done())
	return nil
}

// classOf is the most derived class that is asked for.
func classOf(attributes []ldap.Attribute) (*classType, error) {
	var best *classType
	for _, a := range attributes {
		if !strings.EqualFold(a.Type, atObjectClass.name) {
			continue
		}
		for _, v := range a.Values {
			c := classTypes[strings.ToLower(string(v))]
			if c == nil {
				return nil, attributeError(ldap.NoSuchAttribute, "0000206D", "1001 (NO_ATTRIBUTE_OR_VAL)", atObjectClass)
			}
			if best == nil || len(c.chain) > len(best.chain) {
				best = c
			}
		}
		for _, v := range a.Values {
			c := classTypes[strings.ToLower(string(v))]
			if !slices.Contains(best.chain, c.name) {
				return nil, classViolation()
			}
		}
	}
	switch {
	case best == nil:
		return nil, classViolation()
	case best.abstract:
		return nil, abstractClass()
	}
	return best, nil
}

// blank is a new object without its attributes.
func (r *Replica) blank(class *classType, parent *row, step ldap.RDN) *draft {
	r.d.created++
	now := r.Now().UnixNano()
	d := &draft{at: now, origin: uint32(r.index)}
	d.guid = r.d.newGUID("object", r.d.o.DB.Numbered(r.d.created, r.d.o.Starts))
	d.created, d.changed = now, now
	d.rename(parent.obj.guid, ldap.RDN{{Type: class.rdn, Value: step[0].Value}}.String(), step.Key())
	d.set(atObjectClass, class.chain...)
	d.set(atObjectCategory, r.d.category(class))
	d.set(atInstanceType, "4")
	return d
}

// fill takes the values that an add request gives.
func (r *Replica) fill(c *change, id Identity, at *row, d *draft, attributes []ldap.Attribute) error {
	for _, a := range attributes {
		def := attributeTypes[keyOf(a.Type)]
		switch {
		case def == nil:
			return unknownAttribute()
		case def == atObjectClass || namingAttributes[def] != "" || def == atName || def == atDN:
			continue // they follow from class and name
		case def.is(constructed), def.is(systemOnly) && !id.System, def.is(systemOnly) && def.is(secret):
			return systemOwned(def)
		}
		if err := r.apply(id, at, d, ldap.Change{Op: ldap.ReplaceValues, Attribute: a}, def, true); err != nil {
			return err
		}
	}
	return nil
}

// defaults completes what the directory itself gives an object.
func (r *Replica) defaults(c *change, d *draft) error {
	missing := func(def *attributeType, v string) {
		if d.first(def) == "" {
			d.set(def, v)
		}
	}
	user, group := d.is("user"), d.is("group")
	if !user && !group {
		return nil
	}
	if d.first(atObjectSID) == "" {
		d.set(atObjectSID, string(r.d.sid.With(c.rid())))
	}
	sid := SID(d.first(atObjectSID))
	if d.first(atSAM) == "" {
		// Windows draws one of this form ([MS-ADTS] 3.1.1.5.2.2).
		d.set(atSAM, "$"+strings.ToUpper(strconv.FormatUint(uint64(sid.RID()), 36))+"-"+strings.ToUpper(d.guid.String()[:12]))
	}
	if group {
		missing(atGroupType, strconv.Itoa(int(int32(-1<<31|groupGlobal))))
		kind := int64(samGroup)
		if d.int(atGroupType)&groupLocal != 0 {
			kind = samAlias
		}
		missing(atSAMType, strconv.FormatInt(kind, 10))
		return nil
	}
	missing(atUAC, strconv.Itoa(UACNormal|UACDisabled|UACPasswordNotRequired))
	machine := d.int(atUAC)&(UACWorkstationTrust|UACServerTrust) != 0
	kind := samUser
	if machine {
		kind = samMachine
	}
	missing(atSAMType, strconv.Itoa(kind))
	missing(atPrimaryGroup, strconv.Itoa(primaryGroup(d)))
	missing(atPwdLastSet, "0")
	missing(atAccountExpires, strconv.FormatInt(never, 10))
	missing(must("codePage"), "0")
	missing(must("countryCode"), "0")
	if machine {
		missing(must("localPolicyFlags"), "0")
		missing(must("isCriticalSystemObject"), "FALSE")
	}
	return r.enabledWithoutPassword(d)
}

// primaryGroup is that of a new account, by its kind.
func primaryGroup(d *draft) int {
	switch uac := d.int(atUAC); {
	case uac&UACServerTrust != 0:
		return ridDomainControllers
	case uac&UACWorkstationTrust != 0:
		return ridDomainComputers
	}
	return ridDomainUsers
}

// ownPrimaryGroup refuses a new account another primary group than its kind
// has: it cannot be in any yet.
func (r *Replica) ownPrimaryGroup(id Identity, d *draft) error {
	if id.System || !d.is("user") || d.int(atPrimaryGroup) == int64(primaryGroup(d)) {
		return nil
	}
	return serviceError("00000529") // ERROR_MEMBER_NOT_IN_GROUP
}

// enabledWithoutPassword refuses an enabled user whose password is shorter than
// the policy wants.
func (r *Replica) enabledWithoutPassword(d *draft) error {
	uac := d.int(atUAC)
	if uac&UACNormal == 0 || uac&(UACDisabled|UACPasswordNotRequired) != 0 || d.first(atUnicodePwd) != "" || r.policy().MinLength == 0 {
		return nil
	}
	return serviceError("0000052D") // ERROR_PASSWORD_RESTRICTION
}

// restrictedAccount holds what somebody without administrative rights makes to
// the account of a workstation (learn.microsoft.com, KB5008102).
func restrictedAccount(d *draft) error {
	uac := d.int(atUAC)
	if uac&UACServerTrust != 0 || uac&(UACTrustedDelegation|uacTrustedToAuth|uacPartialSecrets) != 0 {
		return noWriteRight()
	}
	sam := d.first(atSAM)
	if uac&UACWorkstationTrust != 0 && !strings.HasSuffix(sam, "$") {
		return serviceError("00000523") // ERROR_INVALID_ACCOUNT_NAME
	}
	return nil
}

// unique checks the names that are an account's alone in the forest.
func (r *Replica) unique(d *draft) error {
	for _, def := range []*attributeType{atSAM, atUPN, atSPN} {
		for _, v := range d.stored(def) {
			for _, other := range r.having(def, v) {
				switch {
				case other.obj.guid == d.guid:
				case def == atSAM:
					return accountExists()
				default:
					return notUnique(def)
				}
			}
		}
	}
	return nil
}
