package tenant

import (
	"fmt"

	"windtunnel.test/sim/store"
)

// Content is what was uploaded for an app: the small file that really travels.
// What a download is charged is the app's size.
type Content struct {
	TenantID string
	AppID    string
	Version  string
	FileName string
	Plain    []byte // before encryption
}

// PutContent uploads an app's content.
func (t *Tenant) PutContent(c Content) error {
	c.TenantID = t.ID
	return t.s.DB.Update(func(tx *store.Tx) error {
		if _, ok := t.s.apps.table.Get(tx, t.key(c.AppID)); !ok {
			return fmt.Errorf("content of app %q: %w", c.AppID, ErrNotFound)
		}
		t.s.contents.Put(tx, t.key(c.AppID), c)
		return nil
	})
}

// Content finds an app's content; ErrNotFound for an app without.
func (t *Tenant) Content(appID string) (Content, error) {
	c, ok := read(t.s, t.s.contents, t.key(appID))
	if !ok {
		return c, fmt.Errorf("content of app %q: %w", appID, ErrNotFound)
	}
	return c, nil
}
