package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// Modify changes an object, all or nothing ([MS-ADTS] 3.1.1.5.3). Errors:
// insufficientAccessRights, noSuchAttribute, attributeOrValueExists,
// constraintViolation, invalidAttributeSyntax, unwillingToPerform.
func (r *Replica) Modify(ctx context.Context, id Identity, dn string, changes []ldap.Change) error {
	if id.Anonymous() {
		return needBind()
	}
	defer r.enter()()
	at, err := r.resolve(dn)
	if err != nil {
		return err
	}
	d := at.obj.edit(r.Now().UnixNano(), uint32(r.index))
	touched, err := r.applyAll(ctx, id, at, d, changes)
	if err != nil {
		return err
	}
	if err := r.validNames(id, at, d, touched); err != nil {
		return err
	}
	if err := r.consistent(id, at, d, touched); err != nil {
		return err
	}
	c := r.begin()
	c.objects = append(c.objects, d.done())
	if err := c.commit(urgent(touched)); err != nil {
		return err
	}
	r.record(ctx, "ad.modified", at.dn())
	return nil
}

// urgent tells whether a change goes to the primary at once.
func urgent(touched []*attributeType) bool {
	return slices.Contains(touched, atUnicodePwd) || slices.Contains(touched, atLockoutTime)
}

func (r *Replica) applyAll(ctx context.Context, id Identity, at *row, d *draft, changes []ldap.Change) ([]*attributeType, error) {
	var touched []*attributeType
	if password := passwordChange(changes); len(password) > 0 {
		if err := r.changePassword(ctx, id, at, d, password); err != nil {
			return nil, err
		}
		changes = slices.DeleteFunc(slices.Clone(changes), func(c ldap.Change) bool { return keyOf(c.Attribute.Type) == atUnicodePwd.key })
		touched = append(touched, atUnicodePwd)
	}
	for _, c := range changes {
		def := attributeTypes[keyOf(c.Attribute.Type)]
		switch {
		case def == nil:
			return nil, unknownAttribute()
		case namingAttributes[def] != "" || def == atName || def == atDN:
			return nil, onRDN()
		case def == atObjectClass:
			return nil, classFixed()
		case def.is(systemOnly|constructed|create) && def != atUnicodePwd:
			return nil, systemOwned(def)
		}
		if err := r.mayWrite(id, at, def); err != nil {
			return nil, err
		}
		if err := r.apply(id, at, d, c, def, false); err != nil {
			return nil, err
		}
		touched = append(touched, def)
	}
	return touched, nil
}

// apply does one change of one attribute. force is for new objects, and for the
// administrator in Go.
func (r *Replica) apply(id Identity, at *row, d *draft, c ldap.Change, def *attributeType, adding bool) error {
	switch def {
	case atUnicodePwd:
		return r.resetPassword(id, d, c)
	case atPwdLastSet, atLockoutTime, atUAC, atSAM:
		return r.applyAccount(id, d, c, def, adding)
	}
	values, err := r.changed(d, c, def)
	if err != nil {
		return err
	}
	if def.is(single) && len(values) > 1 {
		return singleValued(def)
	}
	if slices.Equal(values, d.stored(def)) {
		return nil
	}
	d.set(def, values...)
	return nil
}

// changed are the values that an attribute has after a change.
func (r *Replica) changed(d *draft, c ldap.Change, def *attributeType) ([]string, error) {
	given, err := r.given(def, c.Attribute.Values)
	if err != nil {
		return nil, err
	}
	have := d.stored(def)
	switch c.Op {
	case ldap.ReplaceValues:
		return given, nil
	case ldap.AddValues:
		if len(given) == 0 {
			return nil, ldap.Errorf(ldap.ProtocolError, "00000057: LdapErr: DSID-0C090F6A, comment: no values to add, data 0, v4563")
		}
		if len(have)+len(given) > maxValues && def.syntax != dnSyntax {
			return nil, tooManyValues()
		}
		there := valueSet(def, have)
		for _, v := range given {
			if there[def.comparable(v)] {
				return nil, valueExists(def)
			}
		}
		return append(slices.Clone(have), given...), nil
	case ldap.DeleteValues:
		return removeValues(def, have, given)
	}
	return nil, notModelled()
}

func removeValues(def *attributeType, have, given []string) ([]string, error) {
	if len(have) == 0 {
		return nil, noSuchValue(def)
	}
	if len(given) == 0 {
		return nil, nil
	}
	there, gone := valueSet(def, have), valueSet(def, given)
	for v := range gone {
		if !there[v] {
			return nil, noSuchValue(def)
		}
	}
	return slices.DeleteFunc(slices.Clone(have), func(v string) bool { return gone[def.comparable(v)] }), nil
}

func containsValue(def *attributeType, values []string, v string) bool {
	key := def.comparable(v)
	return slices.ContainsFunc(values, func(o string) bool { return def.comparable(o) == key })
}

// applyAccount minds the rules of the account attributes ([MS-ADTS]
// 3.1.1.5.3.2, [MS-SAMR] 3.1.1.8).
func (r *Replica) applyAccount(id Identity, d *draft, c ldap.Change, def *attributeType, adding bool) error {
	values, err := r.changed(d, c, def)
	switch {
	case err != nil:
		return err
	case len(values) > 1:
		return singleValued(def)
	case len(values) == 0 && (def == atSAM || def == atUAC):
		return invalidValue(def)
	case len(values) == 0:
		d.set(def)
		return nil
	}
	v := values[0]
	switch def {
	case atPwdLastSet:
		switch v {
		case "0":
		case "-1":
			v = fileTimeText(r.Now())
		default:
			return accountControl()
		}
	case atLockoutTime:
		if v != "0" {
			return accountControl()
		}
		delete(r.d.logons, d.guid)
	case atSAM:
		if !validSAM(v) {
			return serviceError("00000523") // ERROR_INVALID_ACCOUNT_NAME
		}
	case atUAC:
		if v, err = checkedUAC(d, v, adding); err != nil {
			return err
		}
	}
	d.set(def, v)
	return nil
}

// validSAM refuses what a sAMAccountName may not have ([MS-SAMR] 3.1.1.8.4).
func validSAM(v string) bool {
	return len(v) <= 256 && !strings.ContainsAny(v, "\"/\\[]:|<>+=;?,*") && strings.Trim(v, " .") != ""
}

// checkedUAC drops the computed bits and wants one kind of account.
func checkedUAC(d *draft, v string, adding bool) (string, error) {
	uac := parseInt(v) &^ (uacLockout | uacPasswordExpired)
	kind := uac & accountTypes
	if kind == 0 {
		kind = UACNormal
		uac |= kind
	}
	switch {
	case kind&(kind-1) != 0, kind == UACInterdomainTrust:
		return "", accountControl()
	case kind != UACNormal && !d.is("computer"):
		return "", classViolation()
	case !adding && d.int(atUAC)&accountTypes != kind:
		sam := samUser
		if kind != UACNormal {
			sam = samMachine
		}
		d.set(atSAMType, strconv.Itoa(sam))
	}
	return strconv.FormatInt(int64(int32(uac)), 10), nil
}

// consistent checks what must hold between attributes.
func (r *Replica) consistent(id Identity, at *row, d *draft, touched []*attributeType) error {
	if slices.ContainsFunc(touched, func(a *attributeType) bool { return a == atSAM || a == atUPN || a == atSPN }) {
		if err := r.unique(d); err != nil {
			return err
		}
	}
	if slices.Contains(touched, atPrimaryGroup) {
		if err := r.withPrimaryGroup(at, d); err != nil {
			return err
		}
	}
	if !r.admin(id) && (slices.Contains(touched, atUAC) || slices.Contains(touched, atSAM)) {
		if err := restrictedAccount(d); err != nil {
			return err
		}
	}
	if slices.Contains(touched, atUAC) && at.obj.int(atUAC)&UACDisabled != 0 {
		return r.enabledWithoutPassword(d)
	}
	return nil
}

// passwordChange are the steps of a modification that change a password: the
// old one deleted, the new one added ([MS-ADTS] 3.1.1.3.1.5.1).
func passwordChange(changes []ldap.Change) []ldap.Change {
	var steps []ldap.Change
	for _, c := range changes {
		if keyOf(c.Attribute.Type) == atUnicodePwd.key && c.Op != ldap.ReplaceValues {
			steps = append(steps, c)
		}
	}
	return steps
}

func (r *Replica) changePassword(ctx context.Context, id Identity, at *row, d *draft, steps []ldap.Change) error {
	if len(steps) != 2 || steps[0].Op != ldap.DeleteValues || steps[1].Op != ldap.AddValues {
		return accountControl()
	}
	var words [2]string
	for i, s := range steps {
		word, err := confidentialPassword(id, s)
		if err != nil {
			return err
		}
		words[i] = word
	}
	// A wrong one counts as it does in a logon ([MS-SAMR] 3.1.5.10.1).
	switch have := at.obj.first(atUnicodePwd); {
	case !r.lockedUntil(at.obj).IsZero():
		return lockedOut(atUnicodePwd)
	case have == "":
		return oldPasswordWrong(atUnicodePwd)
	case have != encodePassword(words[0]):
		r.failed(ctx, at)
		return oldPasswordWrong(atUnicodePwd)
	}
	if err := r.allowed(at.obj, words[1], true); err != nil {
		return passwordRefused(atUnicodePwd)
	}
	r.setPassword(d, words[1])
	return nil
}

func confidentialPassword(id Identity, c ldap.Change) (string, error) {
	if !id.Confidential {
		return "", notConfidential()
	}
	if len(c.Attribute.Values) != 1 {
		return "", accountControl()
	}
	word, ok := unquote(c.Attribute.Values[0])
	if !ok {
		return "", notQuoted()
	}
	return word, nil
}

func (r *Replica) resetPassword(id Identity, d *draft, c ldap.Change) error {
	word, err := confidentialPassword(id, c)
	if err != nil {
		return err
	}
	if err := r.allowed(&d.object, word, false); err != nil {
		return passwordRefused(atUnicodePwd)
	}
	r.setPassword(d, word)
	return nil
}

// SetPassword sets an account's password by a way other than LDAP. Where by is
// the account itself it is a change, which minds the policy's age and history;
// otherwise a reset, which needs the right to. Errors: *PolicyError, *ldap.Error.
func (r *Replica) SetPassword(ctx context.Context, by Identity, a Account, password string) error {
	defer r.enter()()
	at := r.rows[a.GUID]
	if at == nil || at.obj.deleted {
		return r.noObject(nil, nil)
	}
	self := by.GUID == a.GUID && !by.System
	if !self && !r.mayReset(by, at) {
		return noCreateRight()
	}
	if err := r.allowed(at.obj, password, self); err != nil {
		return err
	}
	d := at.obj.edit(r.Now().UnixNano(), uint32(r.index))
	r.setPassword(d, password)
	c := r.begin()
	c.objects = append(c.objects, d.done())
	if err := c.commit(true); err != nil {
		return err
	}
	r.record(ctx, "password", a.SAM)
	return nil
}
