package msa

import (
	"fmt"
	"time"

	"windtunnel.test/sim/store"
	wire "windtunnel.test/sim/wire/msa"
)

// account is a device's, kept by the member name that it chose.
type account struct {
	PUID       wire.PUID
	HardwareID string
	Password   [32]byte // SHA-256
}

// accounts keeps device accounts, and the requests with proof that came lately.
type accounts struct {
	db    *store.DB
	table *store.Table[account]
	seen  *store.Table[time.Time] // until when a message id is remembered
}

func newAccounts(db *store.DB) *accounts {
	return &accounts{db, store.NewTable[account](db, "entra.msa.devices"), store.NewTable[time.Time](db, "entra.msa.messages")}
}

func (a *accounts) add(name string, row account) error {
	return a.db.Update(func(tx *store.Tx) error {
		if _, taken := a.table.Get(tx, name); taken {
			return fmt.Errorf("member name %q is taken", name)
		}
		a.table.Put(tx, name, row)
		return nil
	})
}

func (a *accounts) get(name string) (row account, ok bool) {
	// Reading cannot fail: the function returns nil.
	_ = a.db.View(func(tx *store.Tx) error {
		row, ok = a.table.Get(tx, name)
		return nil
	})
	return row, ok
}

// first tells whether a message id is new, and remembers it while a request
// that carries it would be fresh.
func (a *accounts) first(id string, until, now time.Time) bool {
	isNew := false
	// Writing cannot fail: the function returns nil.
	_ = a.db.Update(func(tx *store.Tx) error {
		for key, end := range a.seen.Inserted(tx) {
			if now.Before(end) {
				break
			}
			a.seen.Delete(tx, key)
		}
		if _, known := a.seen.Get(tx, id); !known && id != "" {
			a.seen.Put(tx, id, until)
			isNew = true
		}
		return nil
	})
	return isNew
}
