package directory

import (
	"strings"
	"unicode"
)

// syntax is how values of an attribute look and compare ([MS-ADTS] 3.1.1.2.2).
type syntax uint8

const (
	textSyntax     syntax = iota // String(Unicode): compared without case
	caseSyntax                   // String(Case), String(IA5), numeric strings
	integerSyntax                // Enumeration and Integer, 32 bits
	largeSyntax                  // LargeInteger, 64 bits
	boolSyntax                   // TRUE, FALSE
	timeSyntax                   // String(Generalized-Time)
	octetSyntax                  // String(Octet)
	sidSyntax                    // String(Sid)
	guidSyntax                   // an octet string of 16 bytes, text form accepted in filters
	dnSyntax                     // Object(DS-DN)
	dnBinarySyntax               // Object(DN-Binary): B:32:hex:DN
	oidSyntax                    // String(Object-Identifier)
)

// Flags of attributes.
type attrFlags uint16

const (
	single      attrFlags = 1 << iota // single-valued
	operational                       // not among all attributes: only when asked for by name
	constructed                       // computed when read; not searchable
	systemOnly                        // not writable by anybody
	secret                            // never read
	create                            // systemOnly, but may be given when the object is made
)

// attributeType is an attribute of the schema.
type attributeType struct {
	name   string
	key    string // in lower case
	syntax syntax
	flags  attrFlags
	id     int
}

func (a *attributeType) is(f attrFlags) bool { return a.flags&f != 0 }

// classType is a class of the schema.
type classType struct {
	name     string
	rdn      string // "CN", "OU", "DC"
	cn       string // of its object in the schema
	category string // cn of the objectCategory
	chain    []string
	abstract bool
}

// The schema by lower-case names.
var (
	attributeTypes = readAttributes()
	classTypes     = readClasses()
)

func readAttributes() map[string]*attributeType {
	types := map[string]*attributeType{}
	for line := range strings.Lines(attributeTable) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		s, ok := syntaxNames[f[1]]
		if !ok {
			panic("directory: schema: " + line)
		}
		a := &attributeType{name: f[0], key: strings.ToLower(f[0]), syntax: s, id: len(types) + 1}
		for _, flag := range f[2:] {
			a.flags |= flagNames[flag]
		}
		types[a.key] = a
	}
	return types
}

func readClasses() map[string]*classType {
	types := map[string]*classType{}
	for line := range strings.Lines(classTable) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		c := &classType{name: f[0], rdn: f[2], cn: schemaName(f[0])}
		for _, more := range f[3:] {
			switch {
			case more == "abstract":
				c.abstract = true
			case more == "Person" && c.name != "person":
				c.category = more
			default:
				c.cn = more
			}
		}
		if c.category == "" {
			c.category = c.cn
		}
		if c.name != f[1] {
			c.chain = append(c.chain, types[strings.ToLower(f[1])].chain...)
		}
		c.chain = append(c.chain, c.name)
		types[strings.ToLower(c.name)] = c
	}
	return types
}

// schemaName is how the schema calls a class: serviceConnectionPoint is
// Service-Connection-Point.
func schemaName(display string) string {
	var b strings.Builder
	for i, c := range display {
		switch {
		case i == 0:
			c = unicode.ToUpper(c)
		case unicode.IsUpper(c) && unicode.IsLower(rune(display[i-1])):
			b.WriteByte('-')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Attributes that code names.
var (
	atObjectClass      = must("objectClass")
	atObjectCategory   = must("objectCategory")
	atObjectGUID       = must("objectGUID")
	atObjectSID        = must("objectSid")
	atName             = must("name")
	atCN               = must("cn")
	atDN               = must("distinguishedName")
	atSAM              = must("sAMAccountName")
	atSAMType          = must("sAMAccountType")
	atUPN              = must("userPrincipalName")
	atSPN              = must("servicePrincipalName")
	atDNSHostName      = must("dNSHostName")
	atUAC              = must("userAccountControl")
	atPwdLastSet       = must("pwdLastSet")
	atUnicodePwd       = must("unicodePwd")
	atKvno             = must("msDS-KeyVersionNumber")
	atPrimaryGroup     = must("primaryGroupID")
	atMember           = must("member")
	atLockoutTime      = must("lockoutTime")
	atBadPwdCount      = must("badPwdCount")
	atBadPwdTime       = must("badPasswordTime")
	atLastLogon        = must("lastLogon")
	atLogonCount       = must("logonCount")
	atAccountExpires   = must("accountExpires")
	atUserCertificate  = must("userCertificate")
	atCreatorSID       = must("mS-DS-CreatorSID")
	atMachineQuota     = must("ms-DS-MachineAccountQuota")
	atWhenCreated      = must("whenCreated")
	atWhenChanged      = must("whenChanged")
	atUSNCreated       = must("uSNCreated")
	atUSNChanged       = must("uSNChanged")
	atIsDeleted        = must("isDeleted")
	atLastKnownParent  = must("lastKnownParent")
	atInstanceType     = must("instanceType")
	atWorkstations     = must("userWorkstations")
	atHistory          = must("ntPwdHistory")
	atDelegations      = must("windtunnelDelegations")
	atOwner            = must("windtunnelOwner")
	atKeywords         = must("keywords")
	atMinLength        = must("minPwdLength")
	atHistoryLength    = must("pwdHistoryLength")
	atProperties       = must("pwdProperties")
	atMaxAge           = must("maxPwdAge")
	atMinAge           = must("minPwdAge")
	atLockoutThreshold = must("lockoutThreshold")
	atLockoutDuration  = must("lockoutDuration")
	atLockoutWindow    = must("lockOutObservationWindow")
	atPasswordExpiry   = must("msDS-UserPasswordExpiryTimeComputed")
	atCreateTimeStamp  = must("createTimeStamp")
	atModifyTimeStamp  = must("modifyTimeStamp")
	atCanonicalName    = must("canonicalName")
	atPrimaryToken     = must("primaryGroupToken")
	atGroupType        = must("groupType")
	atWellKnown        = must("wellKnownObjects")
	atMail             = must("mail")
	atDisplayName      = must("displayName")
	atDescription      = must("description")
	atAccountComputed  = must("msDS-User-Account-Control-Computed")
	atPrincipalName    = must("msDS-PrincipalName")
	atMemberOf         = must("memberOf")
	atTokenGroups      = must("tokenGroups")
	atStructuralClass  = must("structuralObjectClass")
	atEncTypes         = must("msDS-SupportedEncryptionTypes")
)

func must(name string) *attributeType {
	a := attributeTypes[strings.ToLower(name)]
	if a == nil {
		panic("directory: schema has no attribute " + name)
	}
	return a
}
