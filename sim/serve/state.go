package serve

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/store/sqlite"
	"windtunnel.test/sim/vclock"
)

// stateFile is the tenant in a state folder.
const stateFile = "tenant.db"

// kept is what outlives a process beside the services' rows.
type kept struct {
	TenantID string        `json:"tenantId"`
	Domain   string        `json:"domain"`
	Seed     vclock.Seed   `json:"seed"`  // that the services' keys come from
	Since    time.Time     `json:"since"` // that their authorities are dated by
	Ahead    time.Duration `json:"ahead"` // how far business time is ahead of real time
}

const keptTable, keptKey = "serve", "kept"

// What a state cannot have been kept by: a clock that was not set, or is fast by
// more than another time zone.
const (
	firstYear = 2000
	day       = 24 * time.Hour
)

// openStore opens the state folder's database, or makes one in memory with what
// a dump says, nil for nothing.
func (s *Server) openStore(dump []byte) (*store.DB, error) {
	switch {
	case s.o.StateDir != "":
		if err := os.MkdirAll(s.o.StateDir, 0o700); err != nil {
			return nil, inputError("--state: %w", err)
		}
		db, err := sqlite.Open(filepath.Join(s.o.StateDir, stateFile))
		if err != nil {
			return nil, inputError("--state: %w", err)
		}
		return db, nil
	case dump == nil:
		return store.New(), nil
	}
	var content struct {
		Seq    uint64
		Tables []struct {
			Name string
			Rows []store.Row
		}
	}
	if err := json.Unmarshal(dump, &content); err != nil {
		return nil, err
	}
	// As if an earlier process had kept it: what the services count begins anew,
	// and apart from what they counted after another dump.
	digest := sha256.Sum256(dump)
	rows := preloaded{State: store.State{Seq: content.Seq, Starts: 1, Origin: hex.EncodeToString(digest[:8])}, Rows: map[string][]store.Row{}}
	for _, t := range content.Tables {
		rows.Rows[t.Name] = t.Rows
	}
	return store.NewBacked(rows)
}

// preloaded is a home that has rows to begin with and keeps none.
type preloaded store.Kept

func (p preloaded) Load() (store.Kept, error) { return store.Kept(p), nil }
func (preloaded) Write(store.Batch) error     { return nil }
func (preloaded) Close() error                { return nil }

// remember finds out what an earlier process has kept, or begins to keep it.
func (s *Server) remember(db *store.DB) (*store.Table[kept], error) {
	table := store.NewTable[kept](db, keptTable)
	known := false
	var k kept
	err := db.View(func(tx *store.Tx) error {
		k, known = table.Get(tx, keptKey)
		return db.Err()
	})
	switch t := s.o.Scenario.Tenant; {
	case err != nil:
		return nil, err
	case known && k.TenantID != t.ID:
		return nil, inputError("the state is of tenant %s (%s), the scenario of %s (%s)", k.TenantID, k.Domain, t.ID, t.Domain)
	case known && (k.Ahead < 0 || k.Ahead > longestJump || k.Since.After(vclock.RealNow().Add(k.Ahead+day)) || k.Since.Year() < firstYear):
		return nil, inputError("the state says that it began at %s and that its time is %s ahead, which cannot be", k.Since.Format(time.RFC3339), k.Ahead)
	case known:
		k.Ahead = max(k.Ahead, s.kept.Ahead)
	default:
		k = s.kept
	}
	s.kept = k
	return table, db.Update(func(tx *store.Tx) error {
		table.Put(tx, keptKey, k)
		return nil
	})
}

// jump moves business time, and remembers that.
func (s *Server) jump(d time.Duration) error {
	cur := s.now()
	s.kept.Ahead += d
	err := cur.db.Update(func(tx *store.Tx) error {
		cur.kept.Put(tx, keptKey, s.kept)
		return nil
	})
	if err != nil {
		s.kept.Ahead -= d
		return err
	}
	cur.clock.Jump(d)
	return nil
}

// exported is the form of a state on the management listener.
type exported struct {
	Windtunnel string          `json:"windtunnel"` // stateForm
	Tenant     string          `json:"tenantId"`
	Store      json.RawMessage `json:"store"`
}

const stateForm = "state/1"

func (s *Server) export() (*exported, error) {
	dump, err := s.now().dump()
	if err != nil {
		return nil, err
	}
	return &exported{Windtunnel: stateForm, Tenant: s.o.Scenario.Tenant.ID, Store: dump}, nil
}

func (c *current) dump() ([]byte, error) {
	var b bytes.Buffer
	if err := c.db.Dump(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// load replaces the tenant by an exported one, or refuses and leaves it.
func (s *Server) load(body []byte) error {
	var in exported
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	switch err := d.Decode(&in); {
	case err != nil:
		return refuse(http.StatusBadRequest, "this is no exported state: %v", err)
	case in.Windtunnel != stateForm:
		return refuse(http.StatusBadRequest, "this is no exported state: windtunnel is %q, want %q", in.Windtunnel, stateForm)
	case in.Tenant != s.o.Scenario.Tenant.ID:
		return refuse(http.StatusConflict, "the state is of tenant %s, and %s is served", in.Tenant, s.o.Scenario.Tenant.ID)
	case s.o.Fleet:
		return refuse(http.StatusConflict, "with --fleet no state is imported: the tenant would not know the PCs that live here")
	}
	return s.replace(in.Store)
}

// replace puts a dump in the place of all rows, and starts the services anew
// over it. What they cannot work with is found out beside them first.
func (s *Server) replace(dump []byte) error {
	if err := s.try(dump); err != nil {
		return refuse(http.StatusBadRequest, "the services cannot work with the state: %v", err)
	}
	return s.restart(dump)
}

// try starts services over a dump that nobody can reach, and ends them.
func (s *Server) try(dump []byte) error {
	beside := &Server{o: s.o, root: s.root, kept: s.kept}
	beside.o.StateDir = ""
	cur, err := beside.open(dump)
	if err != nil {
		return err
	}
	return errors.Join(cur.db.Restore(bytes.NewReader(dump)), cur.close())
}

// reset makes the tenant what the scenario says. Business time stays: clients
// have seen it.
func (s *Server) reset() error { return s.restart(nil) }
