package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// Restriction is why an account may not log on with the right password.
type Restriction int

// Restrictions, in the order in which they are looked at.
const (
	Unrestricted       Restriction = iota
	Disabled                       // by userAccountControl
	LockedOut                      // by wrong passwords
	AccountExpired                 // by accountExpires
	MustChangePassword             // pwdLastSet is 0
	PasswordExpired                // by maxPwdAge
)

// data is the Windows error that a refused bind carries.
var data = map[Restriction]string{Disabled: "533", LockedOut: "775", AccountExpired: "701", MustChangePassword: "773", PasswordExpired: "532"}

// Restriction says what keeps an account from logging on at this moment.
func (r *Replica) Restriction(a Account) Restriction {
	defer r.enter()()
	return r.restriction(a)
}

func (r *Replica) restriction(a Account) Restriction {
	now := r.Now()
	switch {
	case a.Disabled():
		return Disabled
	case now.Before(a.LockedUntil):
		return LockedOut
	case !a.AccountExpires.IsZero() && !now.Before(a.AccountExpires):
		return AccountExpired
	case a.Computer || a.UAC&UACNeverExpires != 0:
		return Unrestricted
	case a.PwdLastSet.IsZero():
		return MustChangePassword
	case r.passwordExpired(a):
		return PasswordExpired
	}
	return Unrestricted
}

// logons is what the primary counts of an account's logons; it is not kept, and
// wrong passwords at any controller are counted there (they are tried there
// again, [MS-NRPC] 3.5.4.5.1 "forwarded to the PDC").
type logons struct {
	bad    int
	badAt  time.Time
	good   int
	lastAt time.Time
}

var logonAttributes = []*attributeType{atBadPwdCount, atBadPwdTime, atLastLogon, atLogonCount}

func (r *Replica) logonValues(at *row, def *attributeType) []string {
	if !at.obj.is("user") {
		return nil
	}
	l := r.d.logons[at.obj.guid]
	switch def {
	case atBadPwdCount:
		return []string{strconv.Itoa(l.bad)}
	case atLogonCount:
		return []string{strconv.Itoa(l.good)}
	case atLastLogon:
		return []string{fileTimeOrZero(l.lastAt)}
	}
	return []string{fileTimeOrZero(l.badAt)}
}

func fileTimeOrZero(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return fileTimeText(t)
}

// forever is how long a lockout without end lasts.
const forever = 100 * 365 * 24 * time.Hour

func (r *Replica) lockedUntil(o *object) time.Time {
	locked := o.time(atLockoutTime)
	if locked.IsZero() {
		return locked
	}
	d := r.policy().LockoutDuration
	if d == 0 {
		d = forever
	}
	if until := locked.Add(d); r.Now().Before(until) {
		return until
	}
	return time.Time{}
}

// Failed counts a wrong password, and locks the account where the policy says so.
func (r *Replica) Failed(ctx context.Context, a Account) {
	defer r.enter()()
	if at := r.rows[a.GUID]; at != nil && !at.obj.deleted {
		r.failed(ctx, at)
	}
}

func (r *Replica) failed(ctx context.Context, at *row) {
	a := r.account(at)
	p, now, l := r.policy(), r.Now(), r.d.logons[a.GUID]
	if p.LockoutWindow > 0 && now.Sub(l.badAt) >= p.LockoutWindow {
		l.bad = 0
	}
	l.bad, l.badAt = l.bad+1, now
	r.d.logons[a.GUID] = l
	builtIn := a.SID.RID() == ridAdministrator
	if p.LockoutThreshold == 0 || l.bad < p.LockoutThreshold || builtIn || !r.lockedUntil(at.obj).IsZero() {
		return
	}
	d := at.obj.edit(now.UnixNano(), uint32(r.index))
	d.set(atLockoutTime, fileTimeText(now))
	c := r.begin()
	c.objects = append(c.objects, d.done())
	if c.commit(true) == nil {
		r.record(ctx, "account.locked", a.SAM)
	}
}

// Succeeded forgets wrong passwords.
func (r *Replica) Succeeded(_ context.Context, a Account) {
	defer r.enter()()
	l := r.d.logons[a.GUID]
	l.bad, l.good, l.lastAt = 0, l.good+1, r.Now()
	r.d.logons[a.GUID] = l
}

func (r *Replica) record(ctx context.Context, kind, object string) {
	r.d.o.Journal.Record(vnet.DeviceOf(ctx), kind, journal.F("controller", r.c.Name), journal.F("object", object))
}

// CheckPassword is a logon by password, with its counting: nil, or the refusal
// of a bind. What is wrong here may be right at the primary, which has new
// passwords first.
func (r *Replica) CheckPassword(ctx context.Context, a Account, password string) error {
	encoded := encodePassword(password)
	// Others may have tried meanwhile.
	if now, ok := r.AccountBySID(a.SID); ok {
		a.LockedUntil, a.UAC = now.LockedUntil, now.UAC
	}
	if a.password != encoded && r.index != 0 {
		if newer, ok := r.d.Primary().AccountBySID(a.SID); ok {
			a = newer
		}
	}
	why := r.Restriction(a)
	switch {
	case why == LockedOut:
		return bindRefused(data[why])
	case a.password == "" || a.password != encoded:
		r.Failed(ctx, a)
		return bindRefused("52e")
	case why != Unrestricted:
		return bindRefused(data[why])
	case !a.allowedAt(r.c.Name):
		// A bind does not say where it comes from: it is the controller's own.
		return bindRefused("531")
	}
	r.Succeeded(ctx, a)
	return nil
}

// allowedAt tells whether an account may log on at a computer.
func (a Account) allowedAt(host string) bool {
	return len(a.Workstations) == 0 || slices.ContainsFunc(a.Workstations, func(w string) bool { return strings.EqualFold(strings.TrimSpace(w), host) })
}

// Authenticate is a simple bind ([MS-ADTS] 5.1.1.1.1): by distinguished name,
// user principal name, DOMAIN\name, canonical or other names of one account.
func (r *Replica) Authenticate(ctx context.Context, name, password string) (Identity, error) {
	a, ok := r.bindName(name)
	if !ok {
		return Identity{}, bindRefused("525")
	}
	if err := r.CheckPassword(ctx, a, password); err != nil {
		return Identity{}, err
	}
	return r.Identify(a), nil
}

func (r *Replica) bindName(name string) (Account, bool) {
	if domain, sam, ok := strings.Cut(name, `\`); ok && !strings.Contains(name, "=") {
		if !strings.EqualFold(domain, r.d.o.NetBIOS) && !strings.EqualFold(domain, r.d.o.Domain) {
			return Account{}, false
		}
		return r.AccountBySAM(sam)
	}
	if a, ok := r.AccountByUPN(name); ok {
		return a, true
	}
	if sid, err := ldap.ParseSID(name); err == nil {
		return r.AccountBySID(sid)
	}
	if strings.HasPrefix(name, "{") {
		name = "<GUID=" + strings.Trim(name, "{}") + ">"
	}
	if !strings.ContainsAny(name, "=") {
		return r.AccountBySAM(name)
	}
	defer r.enter()()
	at, err := r.resolve(name)
	if err != nil {
		return Account{}, false
	}
	return r.found(at)
}

// Key is a Kerberos key of an account.
type Key struct {
	EType int32 // krb5.AES256 ...
	Kvno  int
	Salt  string
	Value []byte
}

// keyset are the keys that were made of a password.
type keyset struct {
	password, salt string
	kvno           int
	keys           []Key
}

// Keys are an account's, the strongest first. They are made when they are first
// asked for: string-to-key is expensive on purpose.
func (r *Replica) Keys(a Account) []Key {
	if a.password == "" {
		return nil
	}
	salt := r.Salt(a)
	r.d.mu.Lock()
	have := r.d.keys[a.GUID]
	r.d.mu.Unlock()
	if have.password == a.password && have.salt == salt && have.kvno == a.Kvno {
		return have.keys
	}
	set := keyset{a.password, salt, a.Kvno, nil}
	for _, e := range krb5.EncryptionTypes {
		k, err := krb5.StringToKey(e, decodePassword(a.password), salt)
		if err != nil {
			continue // an empty password has no key
		}
		key := Key{e, a.Kvno, salt, k.Value}
		if e == krb5.RC4 {
			key.Salt = ""
		}
		set.keys = append(set.keys, key)
	}
	r.d.mu.Lock()
	r.d.keys[a.GUID] = set
	r.d.mu.Unlock()
	return set.keys
}

// Salt is what an account's AES keys are salted with ([MS-KILE] 3.1.1.2): the
// realm and, for a machine, "host" and its name in the domain, otherwise the
// user's name.
func (r *Replica) Salt(a Account) string {
	realm := r.d.Realm()
	if a.Computer {
		return realm + "host" + strings.ToLower(strings.TrimSuffix(a.SAM, "$")) + "." + r.d.o.Domain
	}
	return realm + a.SAM
}
