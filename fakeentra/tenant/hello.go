package tenant

import (
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/store"
)

// HelloKey is a key of Windows Hello for Business: a user's on one device.
type HelloKey struct {
	TenantID, UserID, DeviceID string
	ID                         string // as the registration answered
	Name                       string // how assertions name it, drs.KeyID of the blob
	Blob                       []byte // BCRYPT RSA blob
	Created                    time.Time
}

// AddHelloKey registers a key. A device has one key of a user: the one before
// goes.
func (d *Directory) AddHelloKey(k HelloKey) (HelloKey, error) {
	k.ID, k.Created = d.core.NewID("hello key"), d.Now()
	return k, d.core.DB.Update(func(tx *store.Tx) error {
		d.hello.Put(tx, strings.ToLower(k.TenantID+"/"+k.UserID+"/"+k.DeviceID), k)
		return nil
	})
}

// HelloKey finds the key of a user on a device by its name.
func (d *Directory) HelloKey(tenantID, userID, deviceID, name string) (HelloKey, error) {
	var out HelloKey
	err := d.core.DB.View(func(tx *store.Tx) error {
		k, ok := d.hello.Get(tx, strings.ToLower(tenantID+"/"+userID+"/"+deviceID))
		if !ok || k.Name != name {
			return fmt.Errorf("%w: %q", ErrNoKey, name)
		}
		out = k
		return nil
	})
	return out, err
}
