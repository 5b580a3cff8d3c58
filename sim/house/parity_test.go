package house

import (
	"testing"

	"windtunnel.test/sim/house/parity"
)

// TestParityTables keeps the tables true: no row without a witness, and no
// service without a table.
func TestParityTables(t *testing.T) {
	tables, problems, err := parity.Check("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
	if tables < 19 {
		t.Errorf("%d parity tables: some were lost", tables)
	}
}
