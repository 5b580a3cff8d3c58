package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/wire/ldap"
)

// User is an account that AddUser makes.
type User struct {
	SAM             string // "": the UPN's first part
	UPN             string
	DisplayName     string
	Password        string
	Container       string // its DN; "": CN=Users
	Disabled        bool
	PasswordExpired bool // set longer ago than the policy allows
	MustChange      bool // at the next logon
	NeverExpires    bool // the password
	Locked          bool
	Expires         time.Time // of the account; zero: never
	Workstations    []string  // where alone it may log on
	Groups          []string  // sAMAccountNames
}

// Administrator is the account that may do all: its bind name and password.
func (d *Directory) Administrator() (name, password string) {
	return d.o.NetBIOS + `\Administrator`, d.o.AdministratorPassword
}

// everywhere lets all controllers know at once what the administrator has done
// since a mark: it was set up long ago.
func (d *Directory) everywhere(mark uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, c := range d.log {
		if d.logged+uint64(i) < mark || c.origin != 0 {
			continue
		}
		for _, r := range d.replicas[1:] {
			r.receive(c.obj)
		}
	}
}

// mark is the end of the log.
func (d *Directory) mark() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logged + uint64(len(d.log))
}

// AddOU makes an organizational unit, with the ones above it that are missing.
// One that exists is fine.
func (d *Directory) AddOU(dn string) error {
	defer d.everywhere(d.mark())
	name, err := ldap.ParseDN(dn)
	if err != nil {
		return fmt.Errorf("directory: organizational unit: %w", err)
	}
	for i := len(name) - 1; i >= 0; i-- {
		if !strings.EqualFold(name[i][0].Type, "OU") {
			continue
		}
		err := d.Primary().Add(context.Background(), System, name[i:].String(), []ldap.Attribute{ldap.Text("objectClass", "organizationalUnit")})
		if err != nil && ldap.CodeOf(err) != ldap.EntryAlreadyExists {
			return fmt.Errorf("directory: organizational unit %s: %w", name[i:], err)
		}
	}
	return nil
}

// AddUser makes a user's account. The password is taken as it is.
func (d *Directory) AddUser(u User) (Account, error) {
	if u.SAM == "" {
		u.SAM, _, _ = strings.Cut(u.UPN, "@")
	}
	attributes := []ldap.Attribute{ldap.Text("objectClass", "user")}
	text := func(def *attributeType, v string) {
		if v != "" {
			attributes = append(attributes, ldap.Text(def.name, v))
		}
	}
	text(atUPN, u.UPN)
	text(atDisplayName, u.DisplayName)
	text(atMail, u.UPN)
	text(atWorkstations, strings.Join(u.Workstations, ","))
	uac := UACNormal
	if u.Disabled {
		uac |= UACDisabled
	}
	if u.NeverExpires {
		uac |= UACNeverExpires
	}
	return d.addAccount(u, "CN=Users,"+d.domainDN, uac, attributes)
}

// AddServiceAccount makes a managed service account, such as the one a
// connector runs as; its sAMAccountName ends in "$".
func (d *Directory) AddServiceAccount(sam, password string) (Account, error) {
	if !strings.HasSuffix(sam, "$") {
		sam += "$"
	}
	u := User{SAM: sam, Password: password}
	return d.addAccount(u, "CN=Managed Service Accounts,"+d.domainDN, UACWorkstationTrust,
		[]ldap.Attribute{ldap.Text("objectClass", "msDS-ManagedServiceAccount")})
}

func (d *Directory) addAccount(u User, container string, uac int, attributes []ldap.Attribute) (Account, error) {
	defer d.everywhere(d.mark())
	r := d.Primary()
	if u.Container != "" {
		container = u.Container
	}
	cn := strings.TrimSuffix(u.SAM, "$")
	attributes = append(attributes, ldap.Text(atSAM.name, u.SAM), ldap.Text(atUAC.name, strconv.Itoa(uac|UACPasswordNotRequired)))
	dn := ldap.RDN{{Type: "CN", Value: cn}}.String() + "," + container
	if err := r.Add(context.Background(), System, dn, attributes); err != nil {
		return Account{}, fmt.Errorf("directory: account %s: %w", u.SAM, err)
	}
	err := d.edit(dn, func(r *Replica, e *draft) {
		e.set(atUAC, strconv.Itoa(uac))
		set := r.Now()
		if u.PasswordExpired {
			set = set.Add(-r.policy().MaxAge - time.Second)
		}
		if u.Password != "" {
			e.set(atUnicodePwd, encodePassword(u.Password))
			e.set(atPwdLastSet, fileTimeText(set))
		}
		if u.MustChange {
			e.set(atPwdLastSet, "0")
		}
		if u.Locked {
			e.set(atLockoutTime, fileTimeText(r.Now()))
		}
		if !u.Expires.IsZero() {
			e.set(atAccountExpires, fileTimeText(u.Expires))
		}
	})
	if err != nil {
		return Account{}, err
	}
	for _, g := range u.Groups {
		if err := d.AddToGroup(g, u.SAM); err != nil {
			return Account{}, err
		}
	}
	a, _ := r.AccountBySAM(u.SAM)
	return a, nil
}

// edit changes an object at the primary as nobody but the directory can.
func (d *Directory) edit(dn string, f func(r *Replica, e *draft)) error {
	r := d.Primary()
	defer r.enter()()
	at, err := r.resolve(dn)
	if err != nil {
		return fmt.Errorf("directory: %s: %w", dn, err)
	}
	e := at.obj.edit(r.Now().UnixNano(), uint32(r.index))
	f(r, e)
	c := r.begin()
	c.objects = append(c.objects, e.done())
	return c.commit(true)
}

// AddToGroup makes an account a member of a group, both by sAMAccountName.
func (d *Directory) AddToGroup(group, member string) error {
	defer d.everywhere(d.mark())
	a, ok := d.Primary().AccountBySAM(member)
	if !ok {
		return fmt.Errorf("directory: there is no account %q", member)
	}
	dn, ok := d.Primary().groupDN(group)
	if !ok {
		return fmt.Errorf("directory: there is no group %q", group)
	}
	err := d.Primary().Modify(context.Background(), System, dn, []ldap.Change{{Op: ldap.AddValues, Attribute: ldap.Text(atMember.name, a.DN)}})
	if err != nil && ldap.CodeOf(err) != ldap.AttributeOrValueExists {
		return fmt.Errorf("directory: group %s: %w", group, err)
	}
	return nil
}

func (r *Replica) groupDN(sam string) (string, bool) {
	defer r.enter()()
	if at := r.only(atSAM, sam); at != nil && at.obj.is("group") {
		return at.dn(), true
	}
	return "", false
}

// Delegate gives an account or group rights in a container and all below it.
func (d *Directory) Delegate(container, trustee string, rights ...Right) error {
	defer d.everywhere(d.mark())
	sid, ok := d.trustee(trustee)
	if !ok {
		return fmt.Errorf("directory: there is no account or group %q", trustee)
	}
	return d.edit(container, func(_ *Replica, e *draft) {
		values := slices.Clone(e.stored(atDelegations))
		for _, right := range rights {
			if v := sid.String() + " " + string(right); !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		e.set(atDelegations, values...)
	})
}

func (d *Directory) trustee(name string) (SID, bool) {
	r := d.Primary()
	defer r.enter()()
	if _, sam, ok := strings.Cut(name, `\`); ok {
		name = sam
	}
	if at := r.only(atSAM, name); at != nil {
		return SID(at.obj.first(atObjectSID)), true
	}
	return "", false
}

// SCPName is the service connection point that tells devices their tenant
// (learn.microsoft.com/entra/identity/devices/hybrid-join-manual).
const SCPName = "62a0ff2e-97b9-4513-943f-0d221bd30080"

// SCPDN is its distinguished name.
func (d *Directory) SCPDN() string { return "CN=" + SCPName + "," + registrationDN(d) }

// SetSCP makes the service connection point, or changes what it says.
func (d *Directory) SetSCP(tenantDomain, tenantID string) error {
	defer d.everywhere(d.mark())
	ctx, keywords := context.Background(), ldap.Text(atKeywords.name, "azureADName:"+tenantDomain, "azureADId:"+tenantID)
	err := d.Primary().Add(ctx, System, d.SCPDN(), []ldap.Attribute{ldap.Text("objectClass", "serviceConnectionPoint"), keywords})
	if ldap.CodeOf(err) == ldap.EntryAlreadyExists {
		err = d.Primary().Modify(ctx, System, d.SCPDN(), []ldap.Change{{Op: ldap.ReplaceValues, Attribute: keywords}})
	}
	if err != nil {
		return fmt.Errorf("directory: service connection point: %w", err)
	}
	return nil
}

// RemoveSCP removes it; none is fine.
func (d *Directory) RemoveSCP() error {
	defer d.everywhere(d.mark())
	err := d.Primary().Delete(context.Background(), System, d.SCPDN(), false)
	if err != nil && ldap.CodeOf(err) != ldap.NoSuchObject {
		return fmt.Errorf("directory: service connection point: %w", err)
	}
	return nil
}
