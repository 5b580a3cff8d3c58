package tenant

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/store"
)

// What can be wrong with a name.
var (
	ErrNoTenant = errors.New("no such tenant")
	ErrNoUser   = errors.New("no such user")
	ErrNoGroup  = errors.New("no such group")
	ErrNoDevice = errors.New("no such device")
	ErrNoApp    = errors.New("no such application")
	ErrNoKey    = errors.New("no such key")
	ErrExists   = errors.New("it exists already")
	ErrDisabled = errors.New("the device is disabled")
)

// Directory holds all tenants. Make it with New; it is safe for concurrent use.
type Directory struct {
	core service.Core

	tenants  *store.Table[Tenant]
	users    *store.Table[User]
	groups   *store.Table[Group]
	apps     *store.Table[App]
	devices  *store.Table[Device]
	gone     *store.Table[Tombstone]
	consents *store.Table[Consent]
	policies *store.Table[Policy]
	hello    *store.Table[HelloKey]
}

// Names of the indexes.
const (
	byTenant     = "tenant"
	byDomain     = "domain"
	byUPN        = "upn"
	byDeviceID   = "deviceId"
	byThumbprint = "thumbprint"
	byHardware   = "hardware"
	byOwner      = "owner"
)

// New makes an empty directory over the options' store.
func New(o service.Options) *Directory {
	d := &Directory{}
	d.core.Init("tenant", o, func() {
		db := d.core.DB
		d.tenants = store.NewTable(db, "entra.tenants", store.Index(byDomain, func(t Tenant) []string {
			var names []string
			for _, dom := range t.Domains {
				names = append(names, strings.ToLower(dom.Name))
			}
			return names
		}))
		d.users = store.NewTable(db, "entra.users",
			store.Index(byTenant, func(u User) []string { return []string{u.TenantID} }),
			store.Index(byUPN, func(u User) []string { return []string{strings.ToLower(u.Resource.UserPrincipalName)} }))
		d.groups = store.NewTable(db, "entra.groups",
			store.Index(byTenant, func(g Group) []string { return []string{g.TenantID} }))
		d.apps = store.NewTable(db, "entra.apps",
			store.Index(byTenant, func(a App) []string { return []string{a.TenantID} }))
		d.devices = store.NewTable(db, "entra.devices",
			store.Index(byTenant, func(v Device) []string { return []string{v.TenantID} }),
			store.Index(byDeviceID, func(v Device) []string { return []string{v.DeviceID} }),
			store.Index(byThumbprint, func(v Device) []string { return nonEmpty(v.Thumbprint) }),
			store.Index(byHardware, func(v Device) []string { return hardwareKeys(v.TenantID, v.HardwareID, v.EKHash) }),
			store.Index(byOwner, func(v Device) []string { return nonEmpty(v.Owner) }))
		d.consents = store.NewTable(db, "entra.consents",
			store.Index(byTenant, func(c Consent) []string { return []string{c.TenantID} }))
		d.policies = store.NewTable(db, "entra.policies",
			store.Index(byTenant, func(p Policy) []string { return []string{p.TenantID} }))
		d.hello = store.NewTable[HelloKey](db, "entra.helloKeys")
		d.gone = store.NewTable(db, "entra.deletedDevices",
			store.Index(byHardware, func(t Tombstone) []string { return hardwareKeys(t.TenantID, t.HardwareID, t.EKHash) }))
	})
	return d
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// hardwareKeys are the names under which a registration is found: by what the
// device claims to be, and by its endorsement key.
func hardwareKeys(tenantID, hardwareID string, ek [32]byte) []string {
	var keys []string
	if hardwareID != "" {
		keys = append(keys, tenantID+"/hw/"+hardwareID)
	}
	if ek != [32]byte{} {
		keys = append(keys, fmt.Sprintf("%s/ek/%x", tenantID, ek))
	}
	return keys
}

// Now is the directory's time.
func (d *Directory) Now() time.Time { return d.core.Now() }

// find lists the rows that an index has under a key.
func find[V any](tx *store.Tx, table *store.Table[V], index, key string) []V {
	var out []V
	for _, v := range table.By(tx, index, key) {
		out = append(out, v)
	}
	return out
}
