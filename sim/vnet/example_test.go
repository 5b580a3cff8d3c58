package vnet_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

func Example() {
	clock := vclock.NewVirtual(vclock.Options{Seed: 1})
	defer clock.Stop()
	root, err := pki.NewRoot(clock.Now(), 1, "Web Root", pki.Options{})
	if err != nil {
		panic(err)
	}
	net := vnet.New(clock, vnet.Options{Home: vnet.Direct, Seed: 1, WebRoot: root})
	net.Serve("www.contoso.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "good morning, it is %s", clock.Now().Format(time.TimeOnly))
	}))
	office, err := net.AddSite(vnet.SiteConfig{
		Name: "office", Latency: 20 * time.Millisecond, Down: 50e6, Up: 10e6,
		Block: []vnet.BlockRule{{Host: "time.windows.com", Mode: vnet.TimeOut}},
	})
	if err != nil {
		panic(err)
	}
	nic := net.Attach(vnet.NICOptions{Device: "pc-1", Site: office})

	clock.Go(context.Background(), "pc-1", func(ctx context.Context) {
		for _, url := range []string{"https://www.contoso.com/", "https://nowhere.contoso.com/"} {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				panic(err)
			}
			resp, err := nic.Client(vnet.ClientOptions{}).Do(req)
			if err != nil {
				fmt.Println(vnet.ErrorCode(err))
				continue
			}
			body, err := io.ReadAll(resp.Body)
			fmt.Println(resp.Status, string(body), err)
		}
	})
	if err := clock.Run(context.Background(), time.Time{}); err != nil {
		panic(err)
	}
	// Output:
	// 200 OK good morning, it is 08:00:00 <nil>
	// 0x80072EE7 (WININET_E_NAME_NOT_RESOLVED)
}
