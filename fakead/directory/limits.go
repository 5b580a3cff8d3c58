package directory

import (
	"slices"

	"windtunnel.test/sim/wire/ldap"
)

// Bounds of what one object takes, whoever writes it.
const (
	// maxValues is how many values an attribute may have that is no link: what
	// fits into a record of the database on Windows is of this order
	// (learn.microsoft.com, "Active Directory Maximum Limits").
	maxValues = 1300
	// maxValue is how long one may be: the rangeUpper of userCertificate ([MS-ADA3]
	// 2.356), taken for all.
	maxValue = 32768
)

func tooManyValues() error {
	return ldap.Errorf(ldap.AdminLimitExceeded, "00002024: SvcErr: DSID-02050DC1, problem 5008 (ADMIN_LIMIT_EXCEEDED), data -1026\n")
}

func tooLong(def *attributeType) error {
	return attributeError(ldap.ConstraintViolation, "00002082", "1005 (CONSTRAINT_ATT_TYPE)", def)
}

// given are the values of a change as they are kept, each once.
func (r *Replica) given(def *attributeType, raw [][]byte) ([]string, error) {
	seen := make(map[string]bool, min(len(raw), maxValues))
	out := make([]string, 0, min(len(raw), maxValues))
	for _, v := range raw {
		if len(v) > maxValue {
			return nil, tooLong(def)
		}
		s, ok := r.canonical(def, v)
		switch {
		case !ok && def.syntax == dnSyntax:
			dn, err := ldap.ParseDN(string(v))
			if err != nil {
				return nil, badSyntax(def)
			}
			return nil, r.noObject(dn, r.rows[r.d.guid])
		case !ok:
			return nil, badSyntax(def)
		}
		key := def.comparable(s)
		if seen[key] {
			return nil, valueExists(def)
		}
		if seen[key] = true; len(seen) > maxValues && def.syntax != dnSyntax {
			return nil, tooManyValues()
		}
		out = append(out, s)
	}
	return out, nil
}

// valueSet are values for comparing, so that many are held against many in
// time that grows with their number.
func valueSet(def *attributeType, values []string) map[string]bool {
	set := make(map[string]bool, len(values))
	for _, v := range values {
		set[def.comparable(v)] = true
	}
	return set
}

// withPrimaryGroup lets an account's primary group be one that it is in
// ([MS-SAMR] 3.1.1.8.2): primaryGroupID is membership, and nobody's to give
// themselves.
func (r *Replica) withPrimaryGroup(at *row, d *draft) error {
	rid := uint32(d.int(atPrimaryGroup))
	group := r.bySID(r.d.sid.With(rid))
	switch {
	case group == nil || !group.obj.is("group"):
		return serviceError("00000529") // ERROR_MEMBER_NOT_IN_GROUP
	case int64(rid) == at.obj.int(atPrimaryGroup):
		return nil
	case !slices.Contains(group.obj.stored(atMember), refTo(d.guid)):
		return serviceError("00000529")
	}
	return nil
}

// quotaAttributes are what may be given to a computer that only the machine
// account quota lets somebody make, besides what creators may write later
// ([MS-ADTS] 3.1.1.5.2.1).
var quotaAttributes = []*attributeType{
	atObjectClass, atUnicodePwd, must("operatingSystem"), must("operatingSystemVersion"), must("operatingSystemServicePack"),
	must("location"),
}

func withinQuotaAttributes(attributes []ldap.Attribute) error {
	for _, a := range attributes {
		def := attributeTypes[keyOf(a.Type)]
		switch {
		case def == nil || namingAttributes[def] != "" || def == atName || def == atDN: // looked at by fill
		case slices.Contains(creatorAttributes, def), slices.Contains(quotaAttributes, def), validated(def):
		default:
			return noWriteRight()
		}
	}
	return nil
}
