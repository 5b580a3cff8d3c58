package vnet_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vnet"
)

// Whoever reads slowly takes so long over each byte, below a client's patience
// too.
func TestSlowReaders(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("www.contoso.com", http.HandlerFunc(hello))
		nic := w.net.Attach(vnet.NICOptions{Device: "PC-1", Site: w.site})
		defer nic.CloseIdle()
		w.run(func(ctx context.Context) {
			quick := w.clock.Now()
			_, body, err := get(ctx, nic.Client(vnet.ClientOptions{Timeout: time.Minute}), "https://www.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			took := w.clock.Now().Sub(quick)
			slow := w.clock.Now()
			_, again, err := get(vnet.Slowly(ctx, time.Second), nic.Client(vnet.ClientOptions{Timeout: time.Minute}), "https://www.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(again).To(Equal(body))
			w.Expect(w.clock.Now().Sub(slow)).To(BeNumerically(">=", took/2+time.Duration(len(body))*time.Second))
		})
	})
}
