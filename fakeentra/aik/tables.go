package aik

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"time"

	"windtunnel.test/sim/store"
)

// challenge is one that a device was given. Once spent only its end is kept, so
// that a second answer can be told from one to a challenge that never was.
type challenge struct {
	Authority      string
	AIK            []byte   // SubjectPublicKeyInfo, DER
	EKHash         [32]byte // SHA-256 of the EK's SubjectPublicKeyInfo
	SubjectAltName []byte   // of the EK certificate, DER
	Signer         [32]byte // SHA-256 of the requester's SCEP certificate
	Secret         [32]byte
	Context        [16]byte // what the device has to send back
	Expires        time.Time
	Spent          bool
}

// challengeState is what became of a challenge when an answer came.
type challengeState int

const (
	challengeOpen challengeState = iota
	challengeUnknown
	challengeSpent
	challengeExpired
)

// challenges are kept by transaction id.
type challenges struct {
	db    *store.DB
	table *store.Table[challenge]
}

func newChallenges(db *store.DB) *challenges {
	return &challenges{db, store.NewTable[challenge](db, "entra.aik.challenges")}
}

// open keeps a challenge, in place of an earlier one of the same transaction,
// and forgets those that are over. Keys of the replaced one keep their place in
// the order, so forgetting stops a little early now and then.
func (c *challenges) open(transaction string, row challenge, now time.Time) error {
	return c.db.Update(func(tx *store.Tx) error {
		for key, old := range c.table.Inserted(tx) {
			if now.Before(old.Expires) {
				break
			}
			c.table.Delete(tx, key)
		}
		c.table.Put(tx, transaction, row)
		return nil
	})
}

// spend uses a challenge up, and gives it as it was.
func (c *challenges) spend(transaction string, now time.Time) (row challenge, state challengeState, err error) {
	err = c.db.Update(func(tx *store.Tx) error {
		var ok bool
		row, ok = c.table.Get(tx, transaction)
		switch {
		case !ok:
			state = challengeUnknown
			return nil
		case row.Spent:
			state = challengeSpent
			return nil
		case !now.Before(row.Expires):
			state = challengeExpired
		}
		c.table.Put(tx, transaction, challenge{Spent: true, Expires: row.Expires})
		return nil
	})
	return row, state, err
}

const indexEK = "ek"

// issuedTable keeps what was issued, by AIK.
type issuedTable struct {
	db    *store.DB
	table *store.Table[Record]
}

func newIssuedTable(db *store.DB) *issuedTable {
	return &issuedTable{db, store.NewTable(db, "entra.aik.issued",
		store.Index(indexEK, func(r Record) []string { return []string{hexOf(r.EKHash[:])} }))}
}

func (t *issuedTable) add(r Record) error {
	return t.db.Update(func(tx *store.Tx) error {
		t.table.Put(tx, hexOf(r.AIKHash[:]), r)
		return nil
	})
}

func (t *issuedTable) byAIK(hash [32]byte) (r Record, ok bool) {
	// Reading cannot fail: the function returns nil.
	_ = t.db.View(func(tx *store.Tx) error {
		r, ok = t.table.Get(tx, hexOf(hash[:]))
		return nil
	})
	return r, ok
}

func (t *issuedTable) byEK(hash [32]byte) (list []Record) {
	// Reading cannot fail: the function returns nil.
	_ = t.db.View(func(tx *store.Tx) error {
		for _, r := range t.table.By(tx, indexEK, hexOf(hash[:])) {
			list = append(list, r)
		}
		return nil
	})
	return list
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func criticalSAN(value []byte) pkix.Extension {
	return pkix.Extension{Id: oidSubjectAltName, Critical: true, Value: value}
}

func record(c challenge, aik [32]byte, cert *x509.Certificate) Record {
	return Record{EKHash: c.EKHash, AIKHash: aik, Authority: c.Authority, Serial: cert.SerialNumber.Text(16),
		Issued: cert.NotBefore, Expires: cert.NotAfter}
}
