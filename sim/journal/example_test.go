package journal_test

import (
	"fmt"

	"windtunnel.test/sim/journal"
)

func Example() {
	memory := journal.NewMemory(100)
	j := journal.New(&hand{now: start}, memory)
	j.Record("PC-0001", "screen.shown", journal.F("title", "What would you like to do?"))
	j.Record("PC-0001", "person.pressed", journal.F("button", "Next"))
	for _, e := range memory.Timeline("PC-0001") {
		fmt.Println(e)
	}
	fmt.Println(j.Hash()[:16])
	// Output:
	// 2026-09-01 08:00:00.000 PC-0001 screen.shown title="What would you like to do?"
	// 2026-09-01 08:00:00.000 PC-0001 person.pressed button=Next
	// 721bb452f99c6aab
}
