package vnet

import (
	"context"
	"fmt"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// Transfer charges the card's link with a body that is modelled and not carried: a download of some bytes from a host.
// Transfers that run at the same time at one site share its bandwidth evenly. It says how many bytes have arrived, fewer
// than asked only with an error, so that a caller who lost its link can ask for the rest later. The name has to resolve
// and the firewall to let it through; fault rules see it as layer "http", operation "transfer": what Drop and Truncate do
// is to break it off half way. It is journaled as `http.transfer`.
func (nic *NIC) Transfer(ctx context.Context, hostname string, bytes int64) (done int64, err error) {
	name, n := normalName(hostname), nic.next()
	done, err = nic.transfer(ctx, name, bytes, n)
	if j := nic.n.o.Journal; j != nil {
		f := []journal.Field{
			journal.F("host", name), journal.F("n", n), journal.F("bytes", int(bytes)), journal.F("done", int(done)),
		}
		if err != nil {
			f = append(f, journal.F("code", ErrorCode(err).Hex()), journal.Loose("error", err.Error()))
		}
		j.Record(nic.o.Device, "http.transfer", f...)
	}
	if err != nil {
		return done, fmt.Errorf("vnet: transfer from %s: %w", name, err)
	}
	return done, nil
}

func (nic *NIC) transfer(ctx context.Context, name string, bytes int64, n int) (int64, error) {
	a, _ := nic.n.o.Faults.At(fault.Point{
		Layer: fault.HTTP, Host: name, Operation: "transfer", Device: nic.o.Device, N: n,
	})
	if err := nic.suffer(ctx, a, name); err != nil {
		return 0, err
	}
	_, site, _, err := nic.reach(ctx, "tcp", name, 443)
	if err != nil {
		return 0, err
	}
	if site == nil {
		return bytes, nil
	}
	broken := a.Drop || a.Truncate
	if broken {
		bytes /= 2
	}
	// One round trip to ask; a proxy that opens TLS is not asked to open this.
	if err := nic.wait(ctx, 2*site.latency(), "vnet.transfer"); err != nil {
		return 0, err
	}
	done, err := site.down.send(ctx, nic, bytes)
	if err == nil && broken {
		err = errLinkLost
	}
	return done, err
}
