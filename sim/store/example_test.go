package store_test

import (
	"errors"
	"fmt"

	"windtunnel.test/sim/store"
)

func Example() {
	type record struct{ Serial, User string }
	db := store.New()
	records := store.NewTable(db, "records", store.Index("serial", func(r record) []string { return []string{r.Serial} }))

	err := db.Update(func(tx *store.Tx) error {
		records.Put(tx, "id-1", record{Serial: "S-1"})
		return nil
	})
	fmt.Println(err)

	err = db.Update(func(tx *store.Tx) error {
		records.Put(tx, "id-1", record{Serial: "S-1", User: "adele@contoso.example"})
		return errors.New("no licence")
	})
	fmt.Println(err)

	_ = db.View(func(tx *store.Tx) error {
		key, r, ok := records.First(tx, "serial", "S-1")
		fmt.Printf("%s %q %v\n", key, r.User, ok)
		return nil
	})
	// Output:
	// <nil>
	// no licence
	// id-1 "" true
}
