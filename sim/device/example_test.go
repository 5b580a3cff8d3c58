package device_test

import (
	"context"
	"fmt"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// A PC with a program of two pages, and a person in front of it.
func Example() {
	clock := vclock.NewVirtual(vclock.Options{Start: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), Seed: 1})
	defer clock.Stop()
	network := vnet.New(clock, vnet.Options{Seed: 1})
	pc := device.New(device.Options{
		Name: "PC-1", Hardware: device.Makes[0].Build(vclock.Seed(1).Stream("PC-1")), NIC: network.Attach(vnet.NICOptions{Device: "PC-1"}),
		Clock: clock, Seed: 1, Journal: journal.New(clock), Timing: timing.Default(),
		Program: func(w *device.Windows) error {
			if name := w.Registry().String(`HKLM\SOFTWARE\Contoso`, "Name"); name != "" {
				fmt.Println("boot", w.Boot, "knows", name)
				return device.ErrShutdown
			}
			in, err := w.Ask(device.Screen{ID: "hello", Title: "What's your name?", Inputs: []string{"Name"}, Buttons: []string{"Next"}})
			if err != nil {
				return err
			}
			w.Registry().SetString(`HKLM\SOFTWARE\Contoso`, "Name", in.Values["Name"])
			return device.ErrReboot
		},
	})
	clock.Go(context.Background(), "person", func(ctx context.Context) {
		if err := pc.PowerOn(ctx); err != nil {
			panic(err)
		}
		s, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.Has("Next") })
		fmt.Println(s.Title, err)
		fmt.Println(pc.Press(ctx, "Next", map[string]string{"Name": "Ada"}))
		fmt.Println(pc.AwaitOff(ctx))
	})
	if err := clock.Run(context.Background(), time.Time{}); err != nil {
		panic(err)
	}
	// Output:
	// What's your name? <nil>
	// <nil>
	// boot 2 knows Ada
	// <nil>
}
