package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// life is what tells one process with the rows from another.
type life struct {
	starts int
	origin string
	name   string
}

func newLife(starts int, origin string) *life {
	l := &life{starts: starts, origin: origin}
	if starts > 1 || origin != "" {
		l.name = strconv.Itoa(starts)
	}
	if origin != "" {
		l.name += "-" + origin
	}
	return l
}

// restored is the life of a database whose rows were replaced.
func (l *life) restored(dump [sha256.Size]byte) *life {
	if l == nil {
		l = &life{}
	}
	h := sha256.New()
	h.Write([]byte(l.origin))
	h.Write(dump[:])
	return newLife(l.starts, hex.EncodeToString(h.Sum(nil)[:8]))
}

// Life names this process with these rows: "" for a database that began in it, another text after each opening of a second
// home and after each Restore. Whoever counts in memory what must not come twice in the rows, as identifiers, adds it to
// the count. It may be asked inside a transaction.
func (db *DB) Life() string {
	if l := db.life.Load(); l != nil {
		return l.name
	}
	return ""
}

// Numbered is the text of the n-th of what a process counts in memory, with its [DB.Life] where the rows have several
// lives. starts says which process it is where the rows do not: up to 1 it is the first.
func (db *DB) Numbered(n uint64, starts int) string {
	name := strconv.FormatUint(n, 10)
	switch life := db.Life(); {
	case life != "":
		return life + "/" + name
	case starts > 1:
		return strconv.Itoa(starts) + "/" + name
	}
	return name
}
