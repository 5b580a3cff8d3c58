package service

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/store"
)

// What can be wrong with a nonce.
var (
	ErrNonceUnknown = errors.New("nonce was not given here, or was used before")
	ErrNonceExpired = errors.New("nonce has expired")
)

// Nonces are values that are good for one use within some time. Those that are
// never used are forgotten when they have expired and others come.
type Nonces struct {
	db    *store.DB
	table *store.Table[nonce]
}

type nonce struct {
	Audience string
	Expires  time.Time
}

// NewNonces keeps them in a table of that name.
func NewNonces(db *store.DB, table string) *Nonces {
	return &Nonces{db: db, table: store.NewTable[nonce](db, table)}
}

// New gives the text of a secret and remembers it for an audience, a tenant as
// a rule; "" is good for any.
func (n *Nonces) New(secret [32]byte, audience string, now, expires time.Time) (string, error) {
	value := base64.RawURLEncoding.EncodeToString(secret[:])
	err := n.db.Update(func(tx *store.Tx) error {
		for old, row := range n.table.Inserted(tx) {
			if now.Before(row.Expires) {
				break
			}
			n.table.Delete(tx, old)
		}
		n.table.Put(tx, value, nonce{audience, expires})
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("nonce: %w", err)
	}
	return value, nil
}

// Take uses a value up.
func (n *Nonces) Take(value, audience string, now time.Time) error {
	return n.db.Update(func(tx *store.Tx) error {
		row, ok := n.table.Get(tx, value)
		if !ok || row.Audience != "" && row.Audience != audience {
			return ErrNonceUnknown
		}
		n.table.Delete(tx, value)
		if !now.Before(row.Expires) {
			return ErrNonceExpired
		}
		return nil
	})
}
