package tcglog_test

import (
	"fmt"

	"windtunnel.test/sim/wire/tcglog"
)

// A log of two events, and the register that it explains.
func Example() {
	l := &tcglog.Log{Algorithms: []tcglog.Algorithm{tcglog.SHA256}}
	l.Add(0, tcglog.CRTMVersion, tcglog.UTF16("1.14.2"))
	l.Add(0, tcglog.Separator, make([]byte, 4))
	read, err := tcglog.Parse(l.Marshal())
	if err != nil {
		panic(err)
	}
	registers, err := read.Replay(tcglog.SHA256)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%v, %v: %x...\n", read.Events[0].Type, read.Events[1].Type, registers[0][:4])
	// Output: EV_S_CRTM_VERSION, EV_SEPARATOR: f77aeb7c...
}
