package directory

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// Diagnostic texts are worded as a controller words them: the Windows error,
// the kind of error with a place in the source, and the directory service's own
// problem number ([MS-ADTS] 3.1.1.3.1.9 says which result goes with which
// Windows error). Installers parse the number in front.

func securityError(win string) error {
	return ldap.Errorf(ldap.InsufficientAccessRights, "%s: SecErr: DSID-03152DD3, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n", win)
}

// noCreateRight is ERROR_ACCESS_DENIED, noWriteRight
// ERROR_DS_INSUFF_ACCESS_RIGHTS.
func noCreateRight() error { return securityError("00000005") }
func noWriteRight() error  { return securityError("00002098") }

func serviceError(win string) error {
	return ldap.Errorf(ldap.UnwillingToPerform, "%s: SvcErr: DSID-031A124C, problem 5003 (WILL_NOT_PERFORM), data 0\n", win)
}

// Windows errors that end as unwillingToPerform.
func quotaExceeded() error   { return serviceError("0000216D") } // ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED
func notConfidential() error { return serviceError("0000001F") } // ERROR_GEN_FAILURE
func notQuoted() error       { return serviceError("0000216C") } // ERROR_DS_UNICODEPWD_NOT_IN_QUOTES
func accountControl() error  { return serviceError("00000057") } // ERROR_INVALID_PARAMETER
func notModelled() error     { return serviceError("00000032") } // ERROR_NOT_SUPPORTED
func cannotDelete() error    { return serviceError("00002016") } // ERROR_DS_CANT_DELETE_DSA_OBJ
func abstractClass() error   { return serviceError("000020A9") } // an abstract class cannot be instantiated
func moveAcrossHeads() error { return serviceError("0000208E") }

func attributeError(code ldap.ResultCode, win, problem string, def *attributeType) error {
	return ldap.Errorf(code, "%s: AtrErr: DSID-03153A25, #1:\n\t0: %s: DSID-03153A25, problem %s, data 0, Att %x (%s)\n", win, win, problem, def.id, def.name)
}

func systemOwned(def *attributeType) error {
	return attributeError(ldap.ConstraintViolation, "000020B1", "1005 (CONSTRAINT_ATT_TYPE)", def)
}

func singleValued(def *attributeType) error {
	return attributeError(ldap.ConstraintViolation, "00002081", "1005 (CONSTRAINT_ATT_TYPE)", def)
}

func invalidValue(def *attributeType) error {
	return attributeError(ldap.ConstraintViolation, "0000200B", "1005 (CONSTRAINT_ATT_TYPE)", def)
}

func notUnique(def *attributeType) error {
	win := "000021C7" // ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST
	if def == atUPN {
		win = "000021C8"
	}
	return attributeError(ldap.ConstraintViolation, win, "1005 (CONSTRAINT_ATT_TYPE)", def)
}

func badSyntax(def *attributeType) error {
	return attributeError(ldap.InvalidAttributeSyntax, "00000057", "1007 (INVALID_ATT_SYNTAX)", def)
}

func valueExists(def *attributeType) error {
	return attributeError(ldap.AttributeOrValueExists, "00002083", "1006 (ATT_OR_VALUE_EXISTS)", def)
}

func noSuchValue(def *attributeType) error {
	return attributeError(ldap.NoSuchAttribute, "00002085", "1001 (NO_ATTRIBUTE_OR_VAL)", def)
}

func passwordRefused(def *attributeType) error {
	return attributeError(ldap.ConstraintViolation, "0000052D", "1005 (CONSTRAINT_ATT_TYPE)", def)
}

func oldPasswordWrong(def *attributeType) error {
	return attributeError(ldap.ConstraintViolation, "00000056", "1005 (CONSTRAINT_ATT_TYPE)", def)
}

func unknownAttribute() error {
	return ldap.Errorf(ldap.NoSuchAttribute, "00000057: LdapErr: DSID-0C090D87, comment: Error in attribute conversion operation, data 0, v4563")
}

func lockedOut(def *attributeType) error {
	return attributeError(ldap.ConstraintViolation, "00000775", "1005 (CONSTRAINT_ATT_TYPE)", def)
}

func updateError(code ldap.ResultCode, win, problem string) error {
	return ldap.Errorf(code, "%s: UpdErr: DSID-0305038D, problem %s, data 0\n", win, problem)
}

func objectExists() error {
	return updateError(ldap.EntryAlreadyExists, "00002071", "6005 (ENTRY_EXISTS)")
}

func accountExists() error {
	return updateError(ldap.EntryAlreadyExists, "00000524", "6005 (ENTRY_EXISTS)")
}

func notLeaf() error {
	return updateError(ldap.NotAllowedOnNonLeaf, "00002015", "6003 (CANT_ON_NON_LEAF)")
}

func classViolation() error {
	return updateError(ldap.ObjectClassViolation, "0000207D", "6002 (OBJ_CLASS_VIOLATION)")
}

func classFixed() error {
	return updateError(ldap.ObjectClassModsProhibited, "000020B2", "6004 (CANT_MOD_OBJ_CLASS)")
}

func onRDN() error { return updateError(ldap.NotAllowedOnRDN, "000020B1", "6003 (CANT_ON_RDN)") }

func nameError(code ldap.ResultCode, win, problem, matched string) *ldap.Error {
	return ldap.Errorf(code, "%s: NameErr: DSID-03100245, problem %s, data 0, best match of:\n\t'%s'\n", win, problem, matched)
}

func namingViolation(name string) error {
	return nameError(ldap.NamingViolation, "00002099", "2005 (NAMING_VIOLATION)", name)
}

func badName(name string) error {
	name = name[:min(len(name), 1024)]
	return nameError(ldap.InvalidDNSyntax, "0000208F", "2006 (BAD_NAME)", strings.ToValidUTF8(name, "?"))
}

// noObject is about a name that is not here: another domain's is referred to
// it ([MS-ADTS] 3.1.1.4.6).
func (r *Replica) noObject(dn ldap.DN, deepest *row) error {
	matched := ""
	if deepest != nil {
		matched = deepest.dn()
	}
	if deepest == nil && len(dn) > 0 && strings.EqualFold(dn[len(dn)-1][0].Type, "DC") {
		if host := dnsOf(dn); host != r.d.o.Domain && host != "" {
			e := ldap.Errorf(ldap.Referral, "0000202B: RefErr: DSID-03100835, data 0, 1 access points\n\tref 1: '%s'\n", host)
			e.Referrals = []string{fmt.Sprintf("ldap://%s/%s", host, dn.String())}
			return e
		}
	}
	e := nameError(ldap.NoSuchObject, "0000208D", "2001 (NO_OBJECT)", matched)
	e.Matched = matched
	return e
}

// dnsOf is the domain that a name's DC steps spell.
func dnsOf(dn ldap.DN) string {
	var labels []string
	for _, step := range dn {
		if strings.EqualFold(step[0].Type, "DC") {
			labels = append(labels, strings.ToLower(step[0].Value))
		}
	}
	return strings.Join(labels, ".")
}

func needBind() error {
	return ldap.Errorf(ldap.OperationsError, "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563")
}

// bindRefused carries the reason as a Windows error in "data".
func bindRefused(data string) error {
	return ldap.Errorf(ldap.InvalidCredentials, "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data %s, v4563", data)
}
