package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/store/sqlite"
)

func Example() {
	dir, err := os.MkdirTemp("", "windtunnel-state-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for range 2 { // two processes, one after the other
		db, err := sqlite.Open(filepath.Join(dir, "state.db"))
		if err != nil {
			panic(err)
		}
		notes := store.NewTable[string](db, "notes")
		err = db.Update(func(tx *store.Tx) error {
			text, ok := notes.Get(tx, "n")
			fmt.Printf("%q %v\n", text, ok)
			notes.Put(tx, "n", "hello")
			return nil
		})
		if err != nil {
			panic(err)
		}
		if err := db.Close(); err != nil {
			panic(err)
		}
	}
	// Output:
	// "" false
	// "hello" true
}
