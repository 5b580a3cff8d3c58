package sqlite

import (
	"fmt"

	"windtunnel.test/sim/store"
)

// OpenSmall is Open of a file that cannot grow beyond so many pages of 4096 bytes: its disk is full.
func OpenSmall(path string, pages int) (*store.DB, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	if err := f.pragmas(fmt.Sprintf("max_page_count=%d", pages)); err != nil {
		return nil, err
	}
	return store.NewBacked(f)
}
