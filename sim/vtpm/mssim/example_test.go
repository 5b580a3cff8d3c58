package mssim_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/vtpm/mssim"
)

// A chip is served until its context ends; a client switches it off and on.
func Example() {
	dir, err := os.MkdirTemp("", "images")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	lab, err := vtpm.Open(vtpm.Options{CacheDir: dir, Engines: 1})
	if err != nil {
		panic(err)
	}
	defer lab.Close()
	chip, err := lab.Deal(vclock.NewWall(), vtpm.ChipID{Model: "infineon-slb9670", N: 1}, 1)
	if err != nil {
		panic(err)
	}
	defer chip.PowerOff()

	command, platform, err := mssim.Listen(0) // tools look at 2321 if they are not told
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- (&mssim.Server{Chip: chip}).Serve(ctx, command, platform) }()

	client, err := net.Dial("tcp", platform.Addr().String())
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for _, signal := range []uint32{1, 2, 1} { // power on, off, on
		if err := binary.Write(client, binary.BigEndian, signal); err != nil {
			panic(err)
		}
		if _, err := io.ReadFull(client, make([]byte, 4)); err != nil {
			panic(err)
		}
		fmt.Println("power:", chip.On())
	}
	stop()
	fmt.Println(<-served)
	// Output:
	// power: true
	// power: false
	// power: true
	// <nil>
}
